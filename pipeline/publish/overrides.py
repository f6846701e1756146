"""People's decisions about which postings are one job: the table ``merge_overrides``."""

from __future__ import annotations

import polars as pl
from psycopg import Connection
from psycopg.rows import TupleRow

from pipeline.transform.deduplicate import Override


def read_overrides(connection: Connection[TupleRow]) -> pl.DataFrame:
    """The decisions in force, as ``Override`` rows."""
    rows = connection.execute(
        "select posting_id, other_posting_id, action from merge_overrides where revoked_at is null"
        " order by 1, 2"
    ).fetchall()
    return Override.validate(pl.DataFrame(rows, Override.create_empty().schema, orient="row"))


def overridden_postings(connection: Connection[TupleRow]) -> set[str]:
    """The postings that any decision names, revoked ones included: they are looked at again in
    every run, so that a new or revoked decision takes effect in the next one."""
    rows = connection.execute(
        "select posting_id from merge_overrides union select other_posting_id from merge_overrides"
    ).fetchall()
    return {row[0] for row in rows}
