"""Whether a job is remote (``workplace.toml``)."""

from __future__ import annotations

import polars as pl

from pipeline.fields import WORKPLACES
from pipeline.transform.vocabulary import Pattern, Shape, any_of, read


class _Workplace(Shape):
    remote_place: list[Pattern]
    remote_title: list[Pattern]
    not_remote: list[Pattern]
    no_remote_title: list[Pattern]
    home_office: list[Pattern]
    on_site_place: list[Pattern]
    on_site_title: list[Pattern]
    hybrid_subject: list[Pattern]
    on_site_text: list[Pattern]


_words = read("workplace", _Workplace)


def _whole(patterns: list[str]) -> str:
    return rf"(?i)\b{any_of(patterns)}\b"


_HOME_OFFICE = f"(?i){any_of(_words.home_office)}"
_HYBRID_SUBJECT = rf"(?i)\b{any_of(_words.hybrid_subject)}"
_ON_SITE_TITLE = _whole([*_words.on_site_title, *_words.no_remote_title])
_ON_SITE_TEXT = rf"(?i)\b{any_of(_words.on_site_text)}"


def with_workplace(postings: pl.LazyFrame) -> pl.LazyFrame:
    """With ``remote``, of the source's flag of that name and what the texts say."""
    return postings.with_columns(remote=is_remote()).with_columns(
        workplace=pl.when("remote").then(pl.lit("remote")).cast(pl.Enum(WORKPLACES))
    )


def is_remote() -> pl.Expr:
    """Whether the job is done from home, of ``location_text``, ``title``, ``description`` and the
    source's flag ``remote``, clean.

    A location, a title or a plain sentence of the text that says office, on-site or hybrid
    outweighs the source's flag, which Remote OK sets for its whole feed; otherwise the flag, or
    remote work named in location or title. A place or title that offers both is remote."""
    place = pl.col("location_text").fill_null("")
    title = pl.col("title").fill_null("")
    at_place = place.str.replace_all(_HOME_OFFICE, "").str.contains(_whole(_words.on_site_place))
    plain_title = title.str.replace_all(_HOME_OFFICE, "").str.replace_all(_HYBRID_SUBJECT, "")
    in_title = plain_title.str.contains(_ON_SITE_TITLE)
    in_text = pl.col("description").str.contains(_ON_SITE_TEXT).fill_null(False)
    flagged = pl.col("remote").fill_null(False) & ~in_title & ~in_text
    named = [
        said.str.replace_all(_whole(_words.not_remote), "").str.contains(_whole(words))
        for said, words in ((place, _words.remote_place), (title, _words.remote_title))
    ]
    return ~at_place & pl.any_horizontal(flagged, *named)
