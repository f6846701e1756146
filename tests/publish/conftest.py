"""A real PostgreSQL with migrated, empty tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from tests.publish.postings import Connection
from tests.support.databases import delete_all_rows


@pytest.fixture(scope="session")
def published_url(new_database: Callable[[], str]) -> str:
    return new_database()


@pytest.fixture
def empty(published_url: str) -> str:
    with psycopg.connect(published_url) as connection:
        delete_all_rows(connection)
    return published_url


@pytest.fixture
def connection(empty: str) -> Iterator[Connection]:
    with psycopg.connect(empty, autocommit=True) as connection:
        yield connection
