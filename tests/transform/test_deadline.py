"""The last day to apply: announced in many ways, and days that are none."""

from __future__ import annotations

import re
import time
import tomllib
from datetime import UTC, date, datetime
from importlib.resources import files

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.transform.understanding.deadline import announced, with_deadline
from pipeline.transform.understanding.written_days import DATED, days

POSTED = date(2026, 2, 20)


def deadlines(
    text: str, country: str | None = None, posted: date | None = POSTED
) -> list[tuple[date, str]]:
    return [(found.day, found.rule) for found in announced(text, country, posted)]


def deadline(text: str, country: str | None = None, posted: date | None = POSTED) -> date | None:
    return max((day for day, _ in deadlines(text, country, posted)), default=None)


TWELFTH = date(2026, 3, 12)


ANNOUNCED = [
    "Closing date: 12 March 2026",
    "Closing Date:\n 12th March",
    "Closing date for applications\n :\n 12 March\n2026 (22:59)\nInterview date\n :\n 2 April",
    "Application Deadline\n\nMarch 12, 2026",
    "Seven weeks of leaveClosing Date: 12th MarchWe are looking for an engineer",
    "Close date: 12-Mar-2026",
    "Closing date: 12 noon on Thursday 12 March 2026",
    "Closing date: 2026-03-12",
    "Closing date: 12.03.2026",
    "Closing date: 12. 3. 2026",
    "The closing date for this post is Thursday, 12 March at 23:59.",
    "The deadline for applications is Thursday 12th March at 5pm.Get in touch",
    "Deadline to apply: March 12th @ 5PM EST",
    "Deadline for receipt of applications is midnight on Thursday 12th March",
    "DEADLINE: 12 MARCH 2026",
    "Please apply by 12 March.",
    "Apply now by March 12th!",
    "Apply no later than the 12th of March 2026.",
    "Applications close on 12 March 2026 at midnight.",
    "Applications will close at 23:55 (UK time) on 12 March 2026.",
    "Applications must be received by 5 pm on 12 March.",
    "Applications are due March 12.",
    "We accept applications until 3/12/2026. Pay: $50 an hour, 401(k).",
    "We are accepting resumes through March 12, 2026.",
    "Submit your CV and a cover letter to jobs@example.com by 12 March 2026.",
    "To apply, please send your application by email by 12 March 2026.",
    "The application window is expected to be open until March 12, 2026.",
    "The application window will close at 23:55 (UK Time) on 12 March 2026.",
    "This advert will close on the 12th March",
    "This vacancy closes on Thursday 12 March.",
    "Job posting end date: 03/12/2026. E-Verify employer.",
    "The position is open for applications until 12 March 2026.",
    "Applications open on 1 March 2026 and close on 12 March 2026.",
    "Application period: 1 March 2026 - 12 March 2026",
    "12 March 2026 is the closing date.",
    "Last day to apply: Thu 12 Mar",
    "Closing date extended to 12 March 2026 (was 5 March 2026).",
    "Bewerbungsfrist: 12.03.2026",
    "Bewerbungsfrist: 12.3.",
    "Bewerbungsschluss ist Donnerstag, der 12. März 2026",
    "Bitte bewerben Sie sich bis zum 12. März 2026 über unser Portal.",
    "Ihre Bewerbung senden Sie uns bitte bis spätestens 12.03.26.",
    "Date limite de candidature : 12 mars 2026",
    "Date limite de dépôt des candidatures le 12/03/2026 à minuit",
    "Merci d'envoyer vos candidatures avant le 12 mars.",
    "Postulez avant le jeudi 12 mars 2026",
    "Clôture des candidatures : 12/03/2026",
    "Fecha límite de postulación: 12 de marzo de 2026",
    "Fecha de cierre: 12/03/2026",
    "Envía tu CV antes del 12 de marzo",
    "Prazo: 12/03/2026",
    "Prazo para candidaturas até 12 de março de 2026",
    "Candidate-se até o dia 12 de março",
    "Scadenza per la presentazione delle candidature: 12 marzo 2026",
    "Inviare il curriculum entro il 12 marzo 2026",
    "Sluitingsdatum: 12 maart 2026",
    "Solliciteer vóór 12 maart 2026",
    "Reageren kan tot en met 12 maart.",
    "Termin składania dokumentów: 12 marca 2026",
    "Aplikuj do 12 marca 2026 r.",
    "Sista ansökningsdag: 12 mars 2026",
    "Ansök senast den 12 mars",
    "Ansøgningsfrist: 12. marts 2026",
    "Søknadsfrist: 12.03.2026",
    "Hakuaika päättyy 12.3.2026",
    "応募締切:2026年3月12日",
    "Apply today - closing 12 March!",
    "Closes 12 March",
    "Closing Time: 11:59pm 12 March",
    "Advert end date: 12 March 2026",
    "Expiry date: 12 March 2026",
    "Pay: £500 a day. Deadline date: 12/3/26",
    "Open until: 12 March 2026",
    "Application cut-off date: March 12, 2026",
    "Job posting will be closed on 12 March 2026",
    "We expect to close applications on 12 March",
    "Please apply as soon as possible, and by 12 March at the latest.",
    "Applications will be accepted on an ongoing basis until March 12",
    "Please apply before the closing date, 12 March 2026.",
    "The estimated application window for this job posting is open until March 12, 2026.",
    "This posting will remain open until March 12, 2026",
    "CVs by 12 March please",
    "Closing date: 12 March 2026\nPreference is given to early birds.",
]


@pytest.mark.parametrize("text", ANNOUNCED)
def test_an_announced_day_is_read(text: str) -> None:
    assert deadline(text) == TWELFTH
    assert deadline(f"What you do: build things.\n\n{text}") == TWELFTH


def test_what_is_seen_in_a_hurry_misses_none() -> None:
    texts = [frame(description=text.upper()) for text in ANNOUNCED]
    texts += [frame(description=text) for text in ANNOUNCED]
    found = with_deadline(pl.concat(texts)).collect()
    assert found.filter(pl.col("deadline").is_null())["description"].to_list() == []
    assert found["deadline"].unique().to_list() == [TWELFTH]


def test_the_first_of_a_month_in_french() -> None:
    assert deadline("Date limite : 1er mars 2026") == date(2026, 3, 1)


@pytest.mark.parametrize(
    "text",
    [
        "You meet tight deadlines, such as 12 March 2026.",
        "The project deadline is 12 March 2026.",
        "Tax filing deadline: 12 March 2026",
        "Posted: 12 March 2026",
        "Posted on 12 March 2026. Closing date: ongoing",
        "Interviews will take place on 12 March 2026.",
        "Closing date: open. Interviews: 12 March 2026",
        "Area: Closing Date: Hybrid Worker Date: 12 March 2026",
        "Closing date\n\nStart date: 12 March 2026",
        "We may close before the closing date. Interviews are held on 12 March 2026.",
        "We will be in touch after the closing date.\n12 March 2026",
        "Start date: 12 March 2026, apply now",
        "Fixed-term contract until 12 March 2026",
        "Contract end date: 12/03/2026",
        "This role will end on 12 March 2026.",
        "There is no deadline for applications; we started on 12 March 2026.",
        "Applications are considered on a rolling basis from 12 March 2026.",
        "Apply now and join us: we grew by 50% and launched on 12 March 2026.",
        "We migrate all applications from the old platform; 12 March 2026 is its last day.",
        "Our applications are used by 12 marketing teams.",
        "Complete product initiatives by 12 March 2026.",
        "For full consideration, apply by 12 March 2026.",
        "Applications received by 12 March 2026 will be given priority.",
        "Term: March 1st, 2026 – March 12th, 2026",
        "We are accepting applications on an ongoing basis.",
        "Applications are accepted until further notice. Founded March 12, 2026.",
        "Deadline: as soon as possible",
        "Closing date: March 2026",
        "Closing date: 17.30 sharp",
        "Shifts: 12/3 rotation, apply by phone",
        "Befristet bis zum 12.03.2026",
        "Vorstellungsgespräche finden am 12. März 2026 statt. Bewerbungsfrist: keine",
        "CDD jusqu'au 12 mars 2026",
        "Contrato hasta el 12 de marzo de 2026",
        "Prazo de entrega do projeto: 12/03/2026",
        "Umowa do 12 marca 2026",
        "We can apply 12 may-be rules by 2 marks",
        "Scholarship applications close on 12 March.",
        "Closing date:\n\nLocation: London\n\n12 March 2026",
        "The office is closed from December 25th to December 31st.",
        "Work to month-end close on 5 March.",
        "Financial close on 12 March 2026",
        "The scheme closes on 12 March 2026 to new members.",
        "The position is funded until 12 March 2026.",
        "Candidates must have completed their degree by 12 March 2026.",
        "Please submit timesheets by 12 March 2026.",
        "Apply from 12 March 2026",
        "Date posted 12 March 2026 Closing date Not specified",
        "Open day on 12 March 2026, apply now",
        "Deadlines in this role: payroll 12 March, tax 30 March",
        "This role is a maternity cover until 12 March 2026.",
        "We reserve the right to close this vacancy early. Shortlisting 12 March 2026",
        "Closing date: 31 February 2026",
        "Closing date: 12 March 2031",
        "Closing date: 12 March 2024",
        "",
    ],
)
def test_other_days_are_none(text: str) -> None:
    assert deadline(text) is None


@pytest.mark.parametrize(
    ("written", "country", "posted", "day"),
    [
        ("05/06/2026", "GB", date(2026, 5, 1), date(2026, 6, 5)),
        ("05/06/2026", "US", date(2026, 5, 1), date(2026, 5, 6)),
        ("05/06/2026", None, date(2026, 5, 1), None),
        ("05/06/2026", None, date(2026, 6, 7), date(2026, 6, 5)),
        ("06/05/2026", "GB", date(2026, 6, 1), date(2026, 5, 6)),
        ("06/05/2026", "GB", date(2026, 6, 9), date(2026, 6, 5)),  # 6 May is too long ago
        ("06/26/2026", None, None, date(2026, 6, 26)),
        ("26/06/2026", "US", None, date(2026, 6, 26)),
        ("06/06/2026", None, None, date(2026, 6, 6)),
        ("05.06.2026", "US", None, date(2026, 6, 5)),
        ("9/8/24", "US", date(2024, 8, 1), date(2024, 9, 8)),
        ("2 January", None, date(2026, 12, 20), date(2027, 1, 2)),
        ("2 January", None, None, None),
        ("20 December", None, date(2026, 12, 20), date(2026, 12, 20)),
        ("10 December", None, date(2026, 12, 20), date(2026, 12, 10)),  # posted anew
        ("10 November", None, date(2026, 12, 20), None),  # passed for longer than that
        ("3/10", "AU", date(2026, 9, 1), date(2026, 10, 3)),
        ("29 February", None, date(2027, 11, 1), date(2028, 2, 29)),
        ("29 February", None, date(2026, 11, 1), None),
        ("3 June 26", None, None, date(2026, 6, 3)),
        ("3 June\n26 days of leave", None, date(2027, 5, 1), date(2027, 6, 3)),
    ],
)
def test_what_a_day_means(
    written: str, country: str | None, posted: date | None, day: date | None
) -> None:
    assert deadline(f"Closing date: {written}", country, posted) == day


def frame(**columns: object) -> pl.LazyFrame:
    row = {
        "title": "Engineer", "description": "", "country": None, "source": "file",
        "posted_at": datetime(2026, 2, 20, 9, tzinfo=UTC), "expires_at": None,
    } | columns  # fmt: skip
    return pl.LazyFrame(
        [row],
        {
            "title": pl.String, "description": pl.String, "country": pl.String,
            "source": pl.String, "posted_at": pl.Datetime("us", "UTC"),
            "expires_at": pl.Datetime("us", "UTC"),
        },
    )  # fmt: skip


def findings(**columns: object) -> tuple[date | None, list[tuple[str, str, str, str, bool]]]:
    row = with_deadline(frame(**columns)).collect().row(0, named=True)
    return row["deadline"], [
        (found["origin"], found["value"], found["words"], found["rule"], found["decides"])
        for found in row["_evidence_deadline"] or []
    ]


def test_the_evidence_has_the_words_and_the_rule() -> None:
    assert findings(description="Nice.\nClosing date:\n 12th March") == (
        TWELFTH,
        [("body", "2026-03-12", "Closing date: 12th March", "named_closing_date", True)],
    )
    assert findings(title="Engineer (apply by 12 March)", description=None) == (
        TWELFTH,
        [("title", "2026-03-12", "apply by 12 March", "apply_until", True)],
    )
    assert findings() == (None, [])


def test_the_latest_of_several_counts_and_the_others_are_kept() -> None:
    day, found = findings(
        description="Closing date: 1 March 2026.\nProlonged! New closing date: 12 March 2026."
    )
    assert day == TWELFTH
    assert [(value, decides) for _, value, _, _, decides in found] == [
        ("2026-03-01", False),
        ("2026-03-12", True),
    ]


def test_a_field_counts_unless_the_text_states_another_year_and_day() -> None:
    until = datetime(2026, 3, 31, tzinfo=UTC)
    field = ("field", "2026-03-31", "2026-03-31", "source_closing_date")
    assert findings(expires_at=until) == (date(2026, 3, 31), [(*field, True)])
    day, found = findings(expires_at=until, description="Apply by 12 March 2026.")
    assert day == TWELFTH
    assert [each[-1] for each in found] == [True, False]
    day, found = findings(expires_at=until, description="Apply by 12 March.")
    assert day == date(2026, 3, 31)
    assert [each[-1] for each in found] == [False, True]
    day, found = findings(expires_at=until, description="Apply by 31 March.")
    assert day == date(2026, 3, 31)
    assert [each[-1] for each in found] == [True, True]


def test_words_that_announce_are_written_small() -> None:
    vocabulary = tomllib.loads(
        (files("pipeline.transform.vocabulary") / "deadline.toml").read_text(encoding="utf-8")
    )
    for cues in vocabulary["cues"]:
        for kind in ("stems", "named", "until", "before"):
            for written in cues.get(kind, []):
                assert re.sub(r"\\.", "", written).islower() or not written.isascii(), written


@pytest.mark.parametrize("posted", [date.min, date.max, date(2, 2, 2)])
def test_a_date_beyond_reason_raises_nothing(posted: date) -> None:
    for text in ("Closing date: 12 March 2026", "Closing date: 12 March", "Apply by 3/4/26"):
        found = deadline(text, None, posted)
        assert found is None or found.year <= posted.year + 2


def test_an_expiry_of_the_board_is_no_closing_date() -> None:
    assert findings(source="jsearch", expires_at=datetime(2026, 3, 31, tzinfo=UTC)) == (None, [])


def test_each_row_has_its_own() -> None:
    rows = pl.concat(
        [
            frame(description="Apply by 12 March."),
            frame(),
            frame(description="Apply by 13 March.", posted_at=None),
            frame(description="Apply by 14 March."),
        ]
    )
    assert with_deadline(rows).collect()["deadline"].to_list() == [
        TWELFTH, None, None, date(2026, 3, 14),
    ]  # fmt: skip
    assert with_deadline(rows.head(0)).collect().height == 0


PIECES = [
    "closing date", "apply by", "12", "March", "/", ".", " ", "\n", "2026", ":", "bis zum", "İ",
    "deadline is", "1er", "-", "99/99/9999", "年", "00.00.", "May", "é", "submit your cv ", "𝟙𝟚",
]  # fmt: skip


@given(
    st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=40).map("".join),
    st.sampled_from([None, "US", "GB"]),
    st.none() | st.dates(),
)
def test_nothing_raises(text: str, country: str | None, posted: date | None) -> None:
    for found in announced(text, country, posted):
        assert found.words
    posted_at = None if posted is None else datetime(posted.year, 1, 1, tzinfo=UTC)
    with_deadline(frame(title=text, description=text, posted_at=posted_at)).collect()


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_days_are_found_where_they_may_be(text: str) -> None:
    dated = pl.Series([text]).str.extract_all(DATED)[0].to_list()
    assert list(days(text, dated)) == list(days(text))


@pytest.mark.parametrize(
    "unit",
    [
        "1 ",
        "12.3.",
        "closing date ",
        "submit your cv by 1 2 3 ",
        "apply by 12 March ",
        "March ",
        "1/",
    ],
)
def test_a_long_text_takes_time_in_proportion(unit: str) -> None:
    def seconds(length: int) -> float:
        text = (unit * length)[:length]
        began = time.thread_time()
        list(announced(text, "US", POSTED))
        return time.thread_time() - began

    seconds(2_000)
    assert seconds(200_000) < 40 * max(seconds(20_000), 0.001)
