"""The words of the published jobs are indexed for those who ask in SQL."""

from __future__ import annotations

import psycopg
import pytest

from pipeline.publish.text_index import ensure_text_index
from tests.publish.postings import Connection, posting, publish_all

WORDS = "job_words(title, company, skills, tags, description)"
VALID = "select indisvalid from pg_index where indexrelid = to_regclass('jobs_words')"


@pytest.fixture(autouse=True)
def no_index(connection: Connection) -> None:
    connection.execute("drop index if exists jobs_words")


def found(connection: Connection, search: str) -> list[str]:
    connection.execute("set enable_seqscan = off; set enable_indexscan = off")
    asked = f"select job_id from jobs where {WORDS} @@ search_query(%s) order by 1"  # noqa: S608
    plan = connection.execute(f"explain {asked}", (search,)).fetchall()
    assert "jobs_words" in str(plan)
    return [job_id for (job_id,) in connection.execute(asked, (search,)).fetchall()]


def test_words_are_found_by_the_index_once_it_is_built(connection: Connection) -> None:
    publish_all(connection, [posting("jsearch_1", title="C++ Engineer")])
    assert ensure_text_index(connection)
    assert not ensure_text_index(connection)
    publish_all(connection, [
        posting("jsearch_1", title="C++ Engineer"),
        posting("jsearch_2", title="SRE", description="We page people for C++ at night."),
    ])  # fmt: skip
    assert found(connection, "c++ -night") == ["jsearch_1"]
    assert found(connection, "c++") == ["jsearch_1", "jsearch_2"]


def test_more_words_than_an_index_holds_are_no_fault(connection: Connection) -> None:
    text = " ".join(f"word{number}" for number in range(200_000))
    publish_all(connection, [posting("jsearch_1", description=text)])
    assert ensure_text_index(connection)
    assert found(connection, "word1") == ["jsearch_1"]


def test_a_build_that_was_cut_off_is_begun_anew(connection: Connection) -> None:
    publish_all(connection, [posting("jsearch_1")])
    ensure_text_index(connection)
    connection.execute(
        "update pg_index set indisvalid = false where indexrelid = 'jobs_words'::regclass"
    )
    assert ensure_text_index(connection)
    assert connection.execute(VALID).fetchone() == (True,)


def test_the_first_publish_does_not_wait_for_it(connection: Connection) -> None:
    ensure_text_index(connection)
    publish_all(connection, [posting("jsearch_1")])
    assert connection.execute(VALID).fetchone() is None
    assert ensure_text_index(connection)
    assert found(connection, "backend") == ["jsearch_1"]


@pytest.mark.trial("PostgreSQL", "A reader's old snapshot holds up the index of the words")
def test_a_build_that_fails_is_left_to_the_next_run(
    connection: Connection, empty: str, caplog: pytest.LogCaptureFixture
) -> None:
    publish_all(connection, [posting("jsearch_1")])
    connection.execute("set lock_timeout = '50ms'; set statement_timeout = '500ms'")
    with psycopg.connect(empty) as reader:
        reader.execute("set transaction isolation level repeatable read")
        reader.execute("select from jobs")
        assert not ensure_text_index(connection)
    assert "statement timeout" in caplog.text  # and not the lock timeout
    assert "the next run tries again" in caplog.text
    assert connection.execute("show lock_timeout").fetchone() == ("50ms",)
    connection.execute("set statement_timeout = 0")
    assert ensure_text_index(connection)
    assert connection.execute(VALID).fetchone() == (True,)
