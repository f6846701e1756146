"""Reading values from raw columns that may hold more than their API promises.

Expressions for the mappings in ``pipeline/sources``. None of them fails on any text: what cannot
be read is null.
"""

from __future__ import annotations

import polars as pl

_ESCAPE = r'\\(["\\/bfnrt]|u([0-9abcefABCEF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}))'
_JSON_STRING = rf'"([^"\\\x00-\x1f]|{_ESCAPE})*"'
_JSON_STRINGS = rf"^\s*\[\s*({_JSON_STRING}\s*(,\s*{_JSON_STRING}\s*)*)?\]\s*$"
_ELEMENTS = 64
"""How many elements are read of a list that does not hold texts alone."""

_YEAR_2100 = 4_102_444_800


def iso_time(column: str) -> pl.Expr:
    """ISO 8601 text as UTC; without an offset it is taken for UTC."""
    text = pl.col(column).str.strip_chars()
    return pl.coalesce(
        text.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False),
        text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
        .dt.replace_time_zone("UTC"),
        text.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
        .dt.replace_time_zone("UTC"),
        text.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
        .dt.replace_time_zone("UTC"),
    )  # fmt: skip


def epoch_time(column: str) -> pl.Expr:
    """Seconds since 1970, of an integer column, as UTC; null outside of 1970 to 2099."""
    seconds = pl.col(column)
    plausible = pl.when(seconds.is_between(1, _YEAR_2100)).then(seconds)
    return (
        pl.from_epoch(plausible, time_unit="s").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    )


def json_strings(column: str) -> pl.Expr:
    """A list of texts, of JSON text. Other elements are read as their text, the first 64 of
    them; what is no list is null."""
    text = pl.col(column)
    only_strings = pl.when(text.str.contains(_JSON_STRINGS)).then(text)
    elements = pl.concat_list(
        text.str.json_path_match(f"$[{index}]") for index in range(_ELEMENTS)
    ).list.drop_nulls()
    return pl.coalesce(
        only_strings.str.json_decode(pl.List(pl.String)),
        pl.when(text.str.starts_with("[")).then(elements),
    )


def number(column: str, *, last: bool = False) -> pl.Expr:
    """The first (or last) number of a text such as ``$120,000 - $150K``."""
    found = pl.col(column).str.extract_all(r"-?\d[\d,]*(\.\d+)?([eE]\+?\d{1,2}|\s?[kK]\b)?")
    text = (found.list.last() if last else found.list.first()).str.replace_all(",", "")
    thousands = text.str.contains(r"[kK]$")
    value = text.str.strip_chars("kK ").cast(pl.Float64, strict=False)
    return pl.when(thousands).then(value * 1_000).otherwise(value)


def flag(column: str) -> pl.Expr:
    """True or false, of text such as ``1``, ``true``, ``0`` or ``False``."""
    text = pl.col(column).str.strip_chars().str.to_lowercase()
    return text.replace_strict(
        {"1": True, "1.0": True, "true": True, "yes": True,
         "0": False, "0.0": False, "false": False, "no": False},
        default=None, return_dtype=pl.Boolean,
    )  # fmt: skip


def filled(column: str) -> pl.Expr:
    """The text, null where it is empty or blank."""
    return pl.when(pl.col(column).str.strip_chars() != "").then(pl.col(column))
