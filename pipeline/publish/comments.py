"""What the columns of the published tables say, where PostgreSQL shows it."""

from __future__ import annotations

from psycopg import Connection, sql
from psycopg.rows import TupleRow

from pipeline.fields import of_table

_COMMENTS = """
select relname, attname, col_description(attrelid, attnum)
from pg_attribute
join pg_class on pg_class.oid = attrelid
where attrelid in (to_regclass('jobs'), to_regclass('job_postings')) and not attisdropped
"""


def describe_columns(connection: Connection[TupleRow]) -> None:
    """Comment each declared column with its description, where it does not say so yet."""
    rows = connection.execute(_COMMENTS).fetchall()
    said = {(table, name): comment for table, name, comment in rows}
    for table in ("jobs", "job_postings"):
        for column in of_table(table):
            place = table, column.name
            if place in said and said[place] != column.description:
                connection.execute(
                    sql.SQL("comment on column {} is {}").format(
                        sql.Identifier(*place), sql.Literal(column.description)
                    )
                )
