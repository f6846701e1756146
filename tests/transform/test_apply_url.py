"""What apply URLs say about the opening behind them."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.transform.deduplication.apply_url import (
    MAX_KEY_CHARS,
    apply_target,
    employers_urls,
)
from tests.transform.test_hostile_text import LONG, SHORT, assert_linear

UUID = "a102c558-c365-48cf-b1ae-766037509e5c"


@pytest.mark.parametrize(
    ("urls", "system", "requisition"),
    [
        (
            [
                "https://boards.greenhouse.io/axon/jobs/5729825003",
                "https://job-boards.greenhouse.io/axon/jobs/5729825003?gh_src=abc",
                "https://boards.greenhouse.io/embed/job_app?token=5729825003&for=axon",
                "https://www.axon.com/careers?gh_jid=5729825003",
            ],
            "greenhouse",
            "5729825003",
        ),
        (
            [
                f"https://jobs.lever.co/weride/{UUID}/apply?lever-source=x",
                f"http://jobs.eu.lever.co/weride/{UUID}",
            ],
            "lever",
            UUID,
        ),
        (
            [
                f"https://jobs.ashbyhq.com/Jerry/{UUID}/application",
                f"https://jerry.ai/careers?ashby_jid={UUID}#open",
            ],
            "ashby",
            UUID,
        ),
        (
            [
                "https://acme.wd12.myworkdayjobs.com/en-US/Site/job/Berlin/Engineer_JR-12345",
                "https://acme.wd12.myworkdayjobs.com/Site/job/Remote/Engineer_JR-12345-1/apply",
            ],
            "workday:acme",
            "jr-12345",
        ),
        (
            ["https://jobs.smartrecruiters.com/Visa/743999983912345-engineer?trid=1"],
            "smartrecruiters",
            "743999983912345",
        ),
        (["https://careers-acme.icims.com/jobs/1234/engineer/job?mode=job"],
         "icims:careers-acme", "1234"),
        (["https://apply.workable.com/acme/j/0A1B2C3D4E/apply/"], "workable", "0a1b2c3d4e"),
        (
            [
                f"https://recruiting2.ultipro.com/ACM1/JobBoard/{UUID[:-1]}0/OpportunityDetail?opportunityId={UUID}",
                f"https://acme.rec.pro.ukg.net/ACM1/JobBoard/{UUID[:-1]}0/OpportunityApply?opportunityId={UUID}",
            ],
            "ultipro",
            UUID,
        ),
        (
            [
                "https://eeho.fa.us2.oraclecloud.com/hcmUI/CandidateExperience/en/sites/CX_1/job/210001",
                "https://eeho.fa.us2.oraclecloud.com/hcmUI/CandidateExperience/de/sites/x/requisitions/preview/210001?keyword=a",
            ],
            "oracle:eeho",
            "210001",
        ),
        (["https://jobs.jobvite.com/splunk-careers/job/oeTxsfwQ?nl=1"], "jobvite", "oeTxsfwQ"),
        (["https://acme.taleo.net/careersection/2/jobdetail.ftl?job=22001"],
         "taleo:acme", "22001"),
    ],
)  # fmt: skip
def test_the_requisition_is_recognised(urls: list[str], system: str, requisition: str) -> None:
    targets = {apply_target(url) for url in urls}
    assert len(targets) == 1
    assert (targets.pop().system, apply_target(urls[0]).requisition) == (system, requisition)


def test_tracking_parameters_and_spelling_of_the_host_do_not_count() -> None:
    plain = apply_target("https://acme.com/jobs/12345?lang=en")
    tracked = apply_target("http://www.ACME.com/jobs/12345/?utm_source=x&lang=en&gclid=1")
    assert plain == tracked
    assert plain.key == "url acme.com/jobs/12345?lang=en"


@pytest.mark.parametrize(
    "url", ["https://acme.com/careers", "https://acme.com/", "https://acme.com/jobs?team=backend"]
)
def test_a_careers_page_is_no_evidence(url: str) -> None:
    assert apply_target(url).key is None


def test_a_job_boards_listing_is_no_requisition() -> None:
    target = apply_target(
        "https://www.linkedin.com/jobs/view/backend-engineer-at-acme-3812345678?trk=x"
    )
    assert target.key == "listing linkedin:3812345678"
    assert target.system is None


@given(
    st.text()
    | st.text().map("https://".__add__)
    | st.text().map("https://a.greenhouse.io/".__add__)
    | st.text().map("https://acme.com/jobs/view?id=".__add__)
    | st.text().map("https://acme.com/jobs#/".__add__)
    | st.from_regex(r"https?://[a-z@:\[\]%.]{0,20}/(%[0-9a-f]{0,2}|;|\?|#|&|=|jobs/){0,20}\d*")
)
def test_no_url_raises_and_every_key_is_bounded(url: str) -> None:
    target = apply_target(url)
    assert len(target.key or "") <= MAX_KEY_CHARS


@pytest.mark.parametrize(
    "unit", ["job/1-", "_1-1", "a-", "abcdef1-", "a.", "%2F", ";jsessionid=", "?id=1&", "#/jobs/1-"]
)
@pytest.mark.parametrize(
    "start", ["acme.com/", "acme.wd1.myworkdayjobs.com/job/", "linkedin.com/jobs/view/", ""]
)
def test_time_grows_with_the_length_of_an_address(start: str, unit: str) -> None:
    short, long = (
        pl.DataFrame({"url": [f"https://{start}{(unit * length)[:length]}"]})
        for length in (SHORT, LONG)
    )
    assert_linear(lambda rows: [apply_target(url) for url in rows["url"]], short, long)


def test_a_long_url_keeps_its_identity() -> None:
    long = "https://acme.com/" + "a" * 5_000 + "/12345"
    keys = {apply_target(long).key, apply_target(long + "6").key}
    assert len(keys) == 2
    assert all(key is not None and len(key) <= MAX_KEY_CHARS for key in keys)


def test_rows_keep_their_order() -> None:
    lever = f"https://jobs.lever.co/acme/{UUID}"
    rows = [["https://acme.com/1", lever], [], [lever], ["https://acme.com/1"]]
    urls = pl.Series("urls", rows, dtype=pl.List(pl.String))
    assert employers_urls(urls).to_list() == [lever, None, lever, None]


def test_a_parameter_that_a_list_of_jobs_filled_with_its_own_name_is_no_requisition() -> None:
    target = apply_target("https://www.tanium.com/careers/6187797?gh_jid=cvrve")
    assert target.system is None
    assert target.requisition is None


SHARED_HOSTS = [
    ("https://career5.successfactors.eu/career?company={}&career_ns=job_listing&career_job_req_id=27",
     "successfactors:{}", "27"),
    ("https://career4.sapsf.com/sfcareer/jobreqcareer?jobId=27&company={}",
     "successfactors:{}", "27"),
    ("https://phe.tbe.taleo.net/phe02/ats/careers/v2/viewRequisition?org={}&cws=47&rid=1565",
     "taleo-be:{}", "1565"),
    ("https://wd1.myworkdaysite.com/recruiting/{}/jobs/job/Leeds/SRE_JR0012",
     "workday:{}", "jr0012"),
    ("https://wd3.myworkdaysite.com/en-US/recruiting/{}/jobs/job/Leeds/SRE_JR0012-1/apply",
     "workday:{}", "jr0012"),
    ("https://wd5.myworkdaysite.com/recruiting/wd5/{}/jobs/job/Leeds/SRE_JR0012",
     "workday:{}", "jr0012"),
    ("https://{}.wd3.myworkdayjobs.com/wday/cxs/x/jobs/job/Leeds/SRE_JR0012",
     "workday:{}", "jr0012"),
    ("https://{}.wd3.myworkdayjobs.com/en-GB/jobs/job/Leeds/SRE_JR0012", "workday:{}", "jr0012"),
    ("https://workforcenow.adp.com/mascsr/default/mdf/recruitment/recruitment.html?cid={}&jobId=48",
     "adp:{}", "48"),
    ("https://recruiting.adp.com/srccar/public/RTI.home?c={}&d=External&r=5000123456",
     "adp-recruiting:{}", "5000123456"),
    ("https://myjobs.adp.com/{}/cx/job-details?reqId=5001", "adp-myjobs:{}", "5001"),
    ("https://{}.fa.em2.oraclecloud.com/hcmUI/CandidateExperience/en/sites/CX/job/27",
     "oracle:{}", "27"),
    ("https://{}.taleo.net/careersection/ex/jobdetail.ftl?job=1700AB&lang=en",
     "taleo:{}", "1700ab"),
    ("https://www.governmentjobs.com/careers/{}/jobs/4567890/sre", "neogov:{}", "4567890"),
    ("https://recruiting.paylocity.com/Recruiting/Jobs/Details/123/{}/Engineer",
     "paylocity:{}", "123"),
    ("https://www.paycomonline.net/v4/ats/web.php/jobs/ViewJobDetails?job=12&clientkey={}",
     "paycom:{}", "12"),
    ("https://jobs.dayforcehcm.com/en-US/{}/CANDIDATEPORTAL/jobs/123", "dayforce:{}", "123"),
    ("https://us58.dayforcehcm.com/CandidatePortal/en-US/{}/Posting/View/123",
     "dayforce:{}", "123"),
    ("https://sjobs.brassring.com/TGnewUI/Search/Home/HomeWithPreLoad?partnerid={}&siteid=1&jobid=77",
     "brassring:{}", "77"),
    ("https://sjobs.brassring.com/TGnewUI/Search/Home/Home?partnerid={}&siteid=1#jobDetails=77_1",
     "brassring:{}", "77"),
    ("https://{}.csod.com/ux/ats/careersite/4/home/requisition/123?c=x", "cornerstone:{}", "123"),
    ("https://{}.avature.net/careers/JobDetail/Backend-Engineer/6961", "avature:{}", "6961"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "system", "requisition"), SHARED_HOSTS)
def test_a_number_counts_within_one_employer(url: str, system: str, requisition: str) -> None:
    targets = [apply_target(url.format(tenant)) for tenant in ("oneco", "otherco")]
    assert [target.system for target in targets] == [
        system.format("oneco"), system.format("otherco"),
    ]  # fmt: skip
    assert {target.requisition for target in targets} == {requisition}
    assert targets[0].key != targets[1].key


@pytest.mark.parametrize(
    "url",
    [
        "https://career5.successfactors.eu/career?career_job_req_id=27372",
        "https://phe.tbe.taleo.net/phe02/ats/careers/requisition.jsp?cws=47&rid=1565",
        "https://wd5.myworkdayjobs.com/en-US/ext/job/Leeds/Senior-Backend-Engineer-Core_R-10012",
        "https://workforcenow.adp.com/recruitment.html?jobId=48",
        "https://www.paycomonline.net/v4/ats/web.php/jobs/ViewJobDetails?job=12345",
        "https://app.eightfold.ai/careers?pid=446700001",
    ],
)
def test_a_number_of_an_unknown_employer_is_no_requisition(url: str) -> None:
    target = apply_target(url)
    assert target.system is None
    assert target.key is not None
    assert target.key.startswith(("url ", "page "))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://acme.com/careers?jobId=12", "https://acme.com/careers?jobId=13"),
        ("https://acme.com/jobs?position=1234", "https://acme.com/jobs?position=1235"),
        ("https://acme.com/#/jobs/77", "https://acme.com/#/jobs/78"),
        ("https://acme.com/careers#!/job/77/apply", "https://acme.com/careers#!/job/78/apply"),
        ("https://acme.com/careers#job-77", "https://acme.com/careers#job-78"),
        ("https://acme.com/jobs/12345?unit=3", "https://acme.com/jobs/12345?unit=4"),
        ("https://acme.com/jobs/view?ref=1234", "https://acme.com/jobs/view?ref=1235"),
        ("https://acme.com/jobs/77", "https://acme.com/jobs/78"),
        (f"https://acme.com/x?vacancy_id={UUID}", f"https://acme.com/x?vacancy_id={UUID[:-1]}f"),
    ],
)
def test_what_may_identify_the_opening_is_part_of_the_address(one: str, other: str) -> None:
    keys = [apply_target(url).key for url in (one, other)]
    assert None not in keys
    assert keys[0] != keys[1]


@pytest.mark.parametrize(
    ("plain", "visited"),
    [
        ("https://acme.com/careers?id=12", "https://acme.com/careers/?utm_medium=a&id=12&gh_src=b"),
        ("https://acme.com/#/jobs/77", "https://www.acme.com/#!/jobs/77?utm_source=x&fbclid=y"),
        ("https://acme.com/jobs/12345", "https://acme.com/jobs/12345?lever-source=x&mc_cid=1a2b"),
        ("https://acme.com/jobs/12345", "https://acme.com/jobs/12345/apply?ref=board&source=Indeed"),
        ("https://acme.com/jobs/12345", "https://acme.com/jobs/12345#apply-now"),
        ("https://acme.com/jobs/12345", "https://acme.com/jobs/12345#:~:text=up%20to%20120000"),
        ("https://acme.com/jobs/12345", "https://acme.com/jobs/12345;jsessionid=A1B2C3D4E5F60718"),
        ("https://www.adzuna.com/details/590?utm_source=x",
         "https://www.adzuna.com/land/ad/590?se=ZFVd&v=DAC4"),
        ("https://uk.linkedin.com/jobs/view/engineer-at-acme-3812345678",
         "https://www.linkedin.com/jobs/search/?currentJobId=3812345678&position=4&pageNum=0"),
    ],
)  # fmt: skip
def test_how_a_visitor_came_is_no_part_of_the_address(plain: str, visited: str) -> None:
    assert apply_target(plain).key is not None
    assert apply_target(plain) == apply_target(visited)


@pytest.mark.parametrize(
    "url",
    [
        "https://remoteok.com/remote-jobs/",
        "https://remoteok.com/remote-senior-backend-engineer-jobs",
        "https://board.example/categories/remote-back-end-programming-jobs",
        "https://acme.com/careers?page=2",
        "https://acme.com/jobs?location=10115&radius=50000",
        "https://acme.com/search?q=senior-backend-engineer-remote",
        "https://acme.com/jobs/2026",
        "https://acme.com/careers?company_id=4711",
        "https://acme.com/careers#open-positions",
        "https://acme.com/karriere/alle-offenen-stellen-im-ueberblick",
    ],
)
def test_a_list_names_no_opening(url: str) -> None:
    assert apply_target(url).key is None


def test_the_first_employers_address_is_found() -> None:
    urls = ["https://www.linkedin.com/jobs/view/381234567", f"https://jobs.lever.co/acme/{UUID}"]
    found = employers_urls(pl.Series("urls", [urls, urls[:1], []]))
    assert found.to_list() == [urls[1], None, None]
