"""Publishing into a real PostgreSQL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.publish.publish import PublishConflictError
from pipeline.publish.state import (
    decided_postings,
    needs_full_refresh,
    overrides,
    related,
    watermarks,
)
from pipeline.publish.statistics import statistics
from pipeline.transform.schema import JobPosting, RejectedPosting
from serving.models import RunStatistics
from tests.publish.at_once import at_once
from tests.publish.postings import (
    DAY,
    Connection,
    deduplicate,
    keyed,
    posting,
    publish_all,
    publish_delta,
    rejected_posting,
    states,
)


def rejected_frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), RejectedPosting.create_empty().schema)


def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode()).fetchall()


def contents(connection: Connection) -> tuple[list[Any], list[Any]]:
    """All that readers see of jobs and postings, but when and in which publish."""
    jobs = rows(
        connection,
        "select to_jsonb(jobs) - '{updated_at,created_version,changed_version}'::text[]"
        " from jobs order by job_id",
    )
    return jobs, rows(connection, "select to_jsonb(p) from job_postings p order by posting_id")


def test_a_posting_comes_back_as_it_was_published(connection: Connection) -> None:
    texts = ["\\N", "", 'a "quoted", line\nand tab\t', "NULL", "{}", "Köln 🚀"]
    originals = [
        posting(f"remoteok_{number}", ["k"], description=text, employment_type=None)
        for number, text in enumerate(texts)
    ]
    publish_all(connection, originals)
    assert related(connection, keyed([posting("remoteok_x", ["k"])]), []).equals(keyed(originals))


def test_statistics_count_what_the_run_fetched(connection: Connection) -> None:
    published = [posting("remoteok_1", ["a"]), posting("jsearch_2", ["a"]), posting("jsearch_3")]
    refused = rejected_frame(rejected_posting("remoteok_4"))
    first = publish_all(
        connection, published, rejected=refused, source_states=states(remoteok=3, jsearch=2)
    )
    assert (first.new, first.updated, first.removed, first.total) == (2, 0, 0, 2)
    assert (first.skipped, first.rejected, first.irrelevant) == (1, 1, 1)
    printed = statistics(connection, "run-1")
    assert printed is not None
    assert printed["sources"] == {"remoteok": 3, "jsearch": 2}
    model = RunStatistics.model_validate(printed)
    assert model.total_jobs == 5
    assert printed.keys() == RunStatistics.model_fields.keys()
    assert printed["db"].keys() == model.db.model_dump().keys()
    assert statistics(connection, "another") is None


def test_the_first_publish_leaves_every_index(connection: Connection) -> None:
    indexes = "select indexname, indexdef from pg_indexes where schemaname = 'public' order by 1"
    before = rows(connection, indexes)
    publish_all(connection, [posting(f"remoteok_{number}") for number in range(50)])
    assert rows(connection, indexes) == before
    assert rows(connection, "select relname from pg_class where reltuples = 50 order by 1") == [
        (name,)
        for name in sorted(
            ["job_postings", "jobs"]
            + [name for name, _ in before if name.startswith(("job_postings_", "jobs_"))]
        )
    ]


def test_publishing_the_same_again_writes_no_job(connection: Connection) -> None:
    published = [posting("remoteok_1", ["a"]), posting("jsearch_2", ["a"]), posting("jsearch_3")]
    publish_all(connection, published)
    written = "select job_id, xmin::text, updated_at, changed_version from jobs order by job_id"
    before = rows(connection, written)
    again = [row | {"run_id": "run-2"} for row in published]
    for publishing in (publish_all, publish_delta):
        second = publishing(connection, again, run_id="run-2")
        assert (second.new, second.updated, second.removed, second.total) == (0, 0, 0, 2)
        assert second.skipped == 3
    assert rows(connection, written) == before
    assert rows(connection, "select distinct run_id from job_postings") == [("run-2",)]
    assert rows(connection, "select count(*) from publishes") == [(3,)]


def test_a_later_posting_date_is_noted_for_those_who_read_the_list(
    connection: Connection,
) -> None:
    dates = {"remoteok_1": DAY, "remoteok_2": None, "remoteok_3": DAY, "remoteok_4": DAY}
    publish_all(connection, [posting(name, posted_at=at) for name, at in dates.items()])
    later = {
        "remoteok_1": DAY + timedelta(hours=1),
        "remoteok_2": DAY,
        "remoteok_3": DAY - timedelta(hours=1),
    }
    publish_delta(connection, [posting(name, posted_at=at) for name, at in later.items()])
    publish_delta(
        connection, [posting("remoteok_1", title="SRE", posted_at=DAY + timedelta(hours=1))]
    )
    assert rows(connection, "select job_id, moved_version from jobs order by 1") == [
        ("remoteok_1", 2),
        ("remoteok_2", 2),
        ("remoteok_3", None),
        ("remoteok_4", None),
    ]


def test_a_change_moves_only_its_job(connection: Connection) -> None:
    publish_all(connection, [posting("remoteok_1"), posting("jsearch_2")])
    changed = publish_delta(connection, [posting("jsearch_2", title="SRE")])
    assert (changed.new, changed.updated) == (0, 1)
    assert rows(
        connection, "select job_id, title, created_version, changed_version from jobs order by 1"
    ) == [("jsearch_2", "SRE", 1, 2), ("remoteok_1", "Backend Engineer", 1, 1)]


def test_a_job_that_loses_its_postings_says_where_they_went_and_may_return(
    connection: Connection,
) -> None:
    publish_all(connection, [posting("jsearch_1", ["a"]), posting("remoteok_2", ["b"])])
    merged = publish_delta(connection, [posting("remoteok_2", ["a"])])
    assert (merged.removed, merged.total) == (1, 1)
    assert rows(connection, "select job_id, removed_version, merged_into from removed_jobs") == [
        ("remoteok_2", 2, "jsearch_1")
    ]
    split = publish_delta(connection, [posting("remoteok_2", ["b"])])
    assert (split.new, split.updated, split.total) == (1, 1, 2)
    assert rows(connection, "select * from removed_jobs") == []
    publish_delta(connection, [], gone=["remoteok_2"])
    assert rows(connection, "select job_id, merged_into from removed_jobs") == [
        ("remoteok_2", None)
    ]


def test_siblings_of_a_posting_that_left_are_computed_again(connection: Connection) -> None:
    publish_all(connection, [posting("adzuna_1", ["a"]), posting("jsearch_2", ["a", "b"])])
    left = publish_delta(connection, [], gone=["adzuna_1"])
    assert (left.new, left.removed) == (1, 1)
    assert rows(connection, "select job_id, posting_count from jobs") == [("jsearch_2", 1)]
    assert rows(connection, "select merged_into from removed_jobs") == [("jsearch_2",)]


def test_related_is_closed_under_keys_and_jobs(connection: Connection) -> None:
    chain = [posting(f"jsearch_{n}", [f"k{n}", f"k{n + 1}"]) for n in range(5)]
    aside = [posting("adzuna_1", ["own", "k1"]), posting("adzuna_2", ["other"])]
    publish_all(connection, [*chain, *aside])
    found = related(connection, keyed([posting("remoteok_9", ["k3"])]), ["jsearch_2"])
    assert found["posting_id"].to_list() == [
        "adzuna_1", "jsearch_0", "jsearch_1", "jsearch_3", "jsearch_4",
    ]  # fmt: skip


def test_postings_of_overrides_made_and_withdrawn_are_computed_again(
    connection: Connection,
) -> None:
    publish_all(connection, [posting(f"jsearch_{n}") for n in range(4)])
    connection.execute(
        "insert into posting_overrides values ('jsearch_0', 'jsearch_1', 'join'),"
        " ('jsearch_2', 'jsearch_3', 'split')"
    )
    connection.execute("delete from posting_overrides where action = 'split'")
    found = overrides(connection)
    assert found.rows() == [("jsearch_0", "jsearch_1", "join")]
    exclude = pl.DataFrame({"posting_id": ["jsearch_1"]})
    decided = decided_postings(connection, found, exclude)
    assert decided["posting_id"].to_list() == ["jsearch_0", "jsearch_2", "jsearch_3"]


def test_rejected_postings_are_kept_until_they_are_understood(connection: Connection) -> None:
    publish_delta(connection, [], rejected=rejected_frame(rejected_posting("remoteok_1", raw="\0")))
    assert rows(connection, "select source_id, raw from rejected_postings") == [("1", "\ufffd")]
    publish_delta(connection, [posting("jsearch_5")])
    assert len(rows(connection, "select from rejected_postings")) == 1
    publish_delta(connection, [posting("remoteok_1")])
    assert rows(connection, "select from rejected_postings") == []


@pytest.mark.parametrize(
    "fault",
    [
        {"salary_min": 1e15},
        {"country": "xx"},
        {"keys": ["x" + "".join(chr(0x4E00 + n * 7 % 20_000) for n in range(4_000))]},
        {"title": "a\0b"},
    ],
)
@pytest.mark.trial("PostgreSQL", "It refuses a job")
def test_what_postgresql_refuses_does_not_stop_the_others(
    connection: Connection, fault: dict[str, Any]
) -> None:
    good = [posting(f"jsearch_{n}") for n in range(10)]
    published = publish_all(connection, [*good, posting("remoteok_bad") | fault])
    assert published.refused.keys() == {"remoteok_bad"}
    assert (published.total, published.rejected) == (10, 1)
    (reason, raw), *rest = rows(connection, "select reason, raw from rejected_postings")
    assert reason.startswith("PostgreSQL refused its job: ")
    assert "remoteok_bad" in raw
    assert rest == []


def test_watermarks_move_with_the_publish(connection: Connection) -> None:
    assert needs_full_refresh(connection, "1")
    publish_delta(connection, [], source_states=states("17.5", remoteok=0))
    assert watermarks(connection) == {"remoteok": "17.5"}
    assert not needs_full_refresh(connection, "1")
    assert needs_full_refresh(connection, "2")
    assert rows(connection, "select title, attribution from sources") == [
        ("Remote OK", "Jobs from Remote OK")
    ]


def test_a_run_on_an_old_version_is_refused(connection: Connection) -> None:
    publish_delta(connection, [posting("jsearch_1")])
    with pytest.raises(PublishConflictError, match=r"version 0, and version 1 .* run again"):
        publish_delta(connection, [posting("jsearch_2")], base_version=0)
    assert rows(connection, "select job_id from jobs") == [("jsearch_1",)]


@pytest.mark.trial("runs", "Two publishes at once")
def test_of_two_publishes_at_once_one_is_refused(empty: str) -> None:
    outcomes = at_once(
        empty,
        2,
        lambda connection, number: publish_delta(
            connection, [posting(f"jsearch_{number}")], base_version=0
        ),
        PublishConflictError,
    )
    assert outcomes == ["done", "refused"]


POSTINGS = st.dictionaries(
    st.sampled_from([f"{source}_{n}" for source in ("adzuna", "jsearch") for n in range(5)]),
    st.one_of(
        st.none(),
        st.tuples(
            st.lists(st.sampled_from("abcd"), min_size=1, max_size=3, unique=True),
            st.sampled_from(["Backend Engineer", "SRE"]),
        ),
    ),
    max_size=10,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ticks=st.lists(POSTINGS, min_size=1, max_size=5))
def test_publishing_bit_by_bit_equals_publishing_at_once(
    connection: Connection, ticks: list[dict[str, tuple[list[str], str] | None]]
) -> None:
    connection.execute("truncate jobs, job_postings, publishes, removed_jobs cascade")
    present: dict[str, dict[str, Any]] = {}
    for tick in ticks:
        delta = [posting(i, row[0], title=row[1]) for i, row in tick.items() if row is not None]
        gone = [i for i, row in tick.items() if row is None]
        publish_delta(connection, delta, gone)
        present |= {row["posting_id"]: row for row in delta}
        for posting_id in gone:
            present.pop(posting_id, None)
    bit_by_bit = contents(connection)
    refreshed = publish_all(connection, present.values())
    assert (refreshed.new, refreshed.updated, refreshed.removed) == (0, 0, 0)
    assert refreshed.total == len(bit_by_bit[0])
    assert contents(connection) == bit_by_bit
    assert (
        rows(connection, "select job_id from jobs intersect select job_id from removed_jobs") == []
    )


_KILLED = """
import sys
import psycopg
from tests.publish.postings import posting, publish_all
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    print("started", flush=True)
    for round in range(1000):
        title = f"SRE {round}"
        publish_all(connection, [posting(f"jsearch_{n}", title=title) for n in range(2000)])
"""


@pytest.mark.trial("runs", "kill -9 during a publish")
def test_readers_see_whole_publishes_though_the_publisher_is_killed(
    empty: str, connection: Connection
) -> None:
    publish_all(connection, [posting(f"jsearch_{n}", title="SRE") for n in range(2000)])
    for pause in (0.1, 0.35, 0.6):
        publisher = subprocess.Popen(
            [sys.executable, "-c", _KILLED, empty],
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.PIPE,
        )
        assert publisher.stdout is not None
        publisher.stdout.readline()
        deadline = time.monotonic() + pause
        polls = 0
        while time.monotonic() < deadline:
            polls += 1
            assert rows(connection, "select count(*), count(distinct title) from jobs") == [
                (2000, 1)
            ]
        assert polls > 0
        publisher.send_signal(signal.SIGKILL)
        publisher.wait()
        publisher.stdout.close()
        assert rows(connection, "select count(*), count(distinct title) from jobs") == [(2000, 1)]
    after = publish_all(connection, [posting(f"jsearch_{n}", title="SRE") for n in range(2000)])
    assert after.total == 2000


def test_columns_of_the_tables_are_those_of_the_schema(connection: Connection) -> None:
    columns = rows(
        connection,
        "select column_name from information_schema.columns where table_name = 'job_postings'",
    )
    assert {name for (name,) in columns} == {*JobPosting.create_empty().schema, "merged_version"}


def test_the_deduplication_of_these_tests_is_valid() -> None:
    jobs, postings = deduplicate(keyed([posting("jsearch_1"), posting("adzuna_2")]))
    assert jobs.height == postings.height == 2
