"""What tests do to the databases of the fixture ``new_database``."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql


def delete_all_rows(connection: psycopg.Connection[Any]) -> None:
    """Delete the rows of all tables but that of the migrations."""
    tables = connection.execute(
        "select tablename from pg_tables"
        " where schemaname = 'public' and tablename <> 'schema_migrations'"
    ).fetchall()
    connection.execute(
        sql.SQL("truncate {} restart identity cascade").format(
            sql.SQL(", ").join(sql.Identifier(name) for (name,) in tables)
        )
    )
