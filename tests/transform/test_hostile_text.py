"""The time that a text takes grows with its length and no faster, whatever the text is.

The shortest of several runs at one length is compared with that at four times the length, in time
of this process alone, and a pair that grew too much is measured again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from pipeline.transform.cleaning import mojibake
from pipeline.transform.deduplication.blocking import with_blocking_keys
from pipeline.transform.schema import MappedPosting
from pipeline.transform.understanding.role import relevant
from pipeline.transform.understanding.understand import understand

SEEN = datetime(2026, 2, 7, tzinfo=UTC)
SCHEMA = {name: column.dtype for name, column in MappedPosting.columns().items()}

REPEATED = {
    "Latin-1 pairs": "Ã¶", "a lead and a continuation": "à¿", "controls": "Ã\x83Â\x84",
    "mojibake of Windows-1250": "Ĺ¼", "mojibake of Windows-1251": "РџСЂ", "leads": "é",
    "continuations": "©", "no-break spaces": "Å\xa0", "damaged words": "Ã¶ â€™ ",
    "written newlines": "\\n", "<": "<", "<a": "<a ", "&": "&", "&amp;": "&amp;",
    "levels": "&amp;lt;",
    "&#": "&#", "characters by number": "&#1234567;", "comments": "<!--",
    "ended comments": "<!---->",
    "<script": "<script", "<script>": "<script>", "unlike ends": "<script></style>", "<li>": "<li>",
    "<br>": "<br>", "nested tags": "<div><b>", "ends": "</b", "custom": "<x-", "CDATA": "<![CDATA[",
    "attributes": "<p a=", "equal signs": "<p ====", "open quotes": '<a title="',
    "quotes in quotes": "<a b='<a b=' x='", "two quotes": "<a =\"' ='\" ", "handlers": "<x onx= ",
    "brackets": "((((", "blanks": " ", "tabs and newlines": "\t\n", "many no-break spaces": "\xa0",
    "combining marks": "\u0301", "accents": "a\u0301", "joiners": "\u200d", "emoji": "👩\u200d",
    "Persian joiners": "م\u200c", "right to left": "\u202e", "replaced": "\ufffd", "kanji": "株",
    "ligatures": "\ufdfa", "digits": "1", "money": "$1,", "hyphens": "a-b-", "@": "@",
    "URLs": "http://",
    "one word": "a", "dots": "a.b.", "slashes": "/", "commas": ", ", "dashes": " - ",
    "Go": "go or ",
    "roles": "engineer ", "remote": "remote ", "graduates": "new grad ", "requisitions": "req id ",
    "terms": "spring 20", "C": "C,", "all of it": "<p>Ã¶ &amp; \\n<li>\u200d👩 <!-- x-->\t",
}  # fmt: skip
SHORT, LONG = 12_500, 50_000
"""Up to the most that is read of a line, and in a description to half of what is kept of it."""
MOST_GROWTH = 5.0
NOTICEABLE_SECONDS = 0.05
"""A long text that takes less has not grown, whatever its ratio to a short one's noise is."""


def posting(text: str) -> pl.DataFrame:
    fields: dict[str, Any] = {
        "source": "jsearch", "source_id": "1", "title": f"Backend Engineer {text}",
        "company": f"<b>x</b> {text}",
        "description": f"<p>Kubernetes</p> {text}", "tags": [text, f"x{text}"],
        "location_text": f"x{text}",
        "city": text, "region": text, "country": text, "employment_type": text, "publisher": text,
        "salary_currency": text, "salary_period": text, "apply_url": f"https://acme.example/{text}",
        "source_url": f"http{text}", "first_seen_at": SEEN, "last_seen_at": SEEN, "run_id": "run",
        "load_id": "1", "raw": "{}",
    }  # fmt: skip
    return pl.DataFrame([dict.fromkeys(SCHEMA) | fields], schema=SCHEMA)


def seconds(step: Callable[[pl.DataFrame], object], rows: pl.DataFrame) -> float:
    mojibake.fixed_word.cache_clear()
    started = time.process_time()
    step(rows)
    return time.process_time() - started


def assert_linear(
    step: Callable[[pl.DataFrame], object], short: pl.DataFrame, long: pl.DataFrame
) -> None:
    at_short = at_long = float("inf")
    for _ in range(12):
        at_long = min(at_long, seconds(step, long))
        if at_long < NOTICEABLE_SECONDS:
            return
        at_short = min(at_short, seconds(step, short))
        if at_long <= MOST_GROWTH * at_short:
            return
    pytest.fail(
        f"four times the text takes {at_long / at_short:.1f} times as long: {at_long:.2f} s"
    )


@pytest.mark.parametrize("unit", REPEATED.values(), ids=REPEATED)
@pytest.mark.trial("text", "A text is made to take quadratic time")
def test_time_grows_with_the_length(unit: str) -> None:
    short, long = (posting((unit * length)[:length]) for length in (SHORT, LONG))
    assert_linear(understand, short, long)
    understood = [understand(rows)[0] for rows in (short, long)]
    assert [rows.height for rows in understood] == [1, 1]
    assert_linear(with_blocking_keys, *map(relevant, understood))


@pytest.mark.parametrize("unit", ["Ã¶ â€™ ", "<a ", "\\n", "株", "a"])
@pytest.mark.trial("text", "Every field holds a megabyte")
def test_a_megabyte_in_every_field_is_understood(unit: str) -> None:
    postings, rejected = understand(posting((unit * 1_000_000)[:1_000_000]))
    assert (postings.height, rejected.height) == (1, 0)
