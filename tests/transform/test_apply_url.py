"""What apply URLs say about the opening behind them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.transform.apply_url import MAX_KEY_CHARS, apply_target, apply_targets

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
)
def test_no_url_raises_and_every_key_is_bounded(url: str) -> None:
    target = apply_target(url)
    assert len(target.key or "") <= MAX_KEY_CHARS


def test_a_long_url_keeps_its_identity() -> None:
    long = "https://acme.com/" + "a" * 5_000 + "/12345"
    keys = {apply_target(long).key, apply_target(long + "6").key}
    assert len(keys) == 2
    assert all(key is not None and len(key) <= MAX_KEY_CHARS for key in keys)


def test_rows_keep_their_order() -> None:
    rows = [["https://acme.com/1234567", "https://acme.com/x"], [], ["https://acme.com/1234567"]]
    assert [[target.key for target in targets] for targets in apply_targets(rows)] == [
        ["url acme.com/1234567", None], [], ["url acme.com/1234567"],
    ]  # fmt: skip


def test_a_parameter_that_a_list_of_jobs_filled_with_its_own_name_is_no_requisition() -> None:
    target = apply_target("https://www.tanium.com/careers/6187797?gh_jid=cvrve")
    assert target.system is None
    assert target.requisition is None
