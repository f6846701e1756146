"""Frames to PostgreSQL by COPY, at the speed of Polars' CSV writer."""

from __future__ import annotations

from io import BytesIO

import polars as pl
from psycopg import Connection, sql
from psycopg.rows import TupleRow

_NULL = "\\N"


def copy(connection: Connection[TupleRow], frame: pl.DataFrame, table: str) -> None:
    """Append ``frame`` to the columns of ``table`` that have its columns' names.

    Raises:
        psycopg.DataError: a value that its column's type cannot hold.
    """
    if frame.is_empty():
        return
    columns = sql.SQL(", ").join(map(sql.Identifier, frame.columns))
    statement = sql.SQL("copy {} ({}) from stdin (format csv, null '\\N')").format(
        sql.Identifier(table), columns
    )
    text = BytesIO()
    # Texts are quoted and nulls are not, which tells the text \N from null.
    frame.select(_as_text(name, dtype) for name, dtype in frame.schema.items()).write_csv(
        text, include_header=False, null_value=_NULL, quote_style="non_numeric"
    )
    with connection.cursor().copy(statement) as copying:
        copying.write(text.getbuffer())


def _as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    match dtype:
        case pl.List():
            element = pl.element().str.replace_all(r'(["\\])', r"\$1")
            quoted = pl.concat_str(pl.lit('"'), element, pl.lit('"'))
            joined = column.list.eval(quoted).list.join(",")
            return pl.concat_str(pl.lit("{"), joined, pl.lit("}")).alias(name)
        case pl.Datetime():
            return column.dt.to_string("%Y-%m-%d %H:%M:%S%.6f+00")
        case pl.Date():
            return column.dt.to_string("%Y-%m-%d")
        case _:
            return column.cast(pl.String)
