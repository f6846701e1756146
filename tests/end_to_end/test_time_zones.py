"""The time zone of the machine and its summer time change nothing that is published."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import sql

from tests.end_to_end.installation import Installation
from tests.support.source_postings import remoteok_job

POSTED = {
    "before": ("2026-03-29T01:30:00+01:00", datetime(2026, 3, 29, 0, 30, tzinfo=UTC)),
    "skipped": ("2026-03-29T02:30:00+01:00", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
    "twice": ("2026-10-25T02:30:00+02:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    "again": ("2026-10-25T02:30:00+01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
}
"""Around the hours that Berlin skips and has twice."""


@pytest.mark.trial("clock", "The machine or PostgreSQL is in a time zone with summer time")
def test_a_time_zone_with_summer_time_changes_nothing(installation: Installation) -> None:
    with psycopg.connect(installation.database_url, autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute(
            sql.SQL("alter database {} set timezone to 'Europe/Berlin'").format(name)
        )
    installation.server.give("remoteok", [
        remoteok_job(id=name, company=f"Company {name}", date=date,
                     epoch=int(moment.timestamp()))
        for name, (date, moment) in POSTED.items()
    ])  # fmt: skip
    extra = {"JSEARCH_ENABLED": "false", "ADZUNA_ENABLED": "false"}
    began = datetime.now(UTC)
    assert installation.ingest(TZ="Europe/Berlin", **extra)["db"]["new"] == len(POSTED)
    ended = datetime.now(UTC)
    rows = installation.query(
        "select source_id, posted_at, first_seen_at, last_seen_at from job_postings"
    )
    # Of times that a zone has twice, Python says that they differ even from themselves elsewhere.
    assert {name: posted.astimezone(UTC) for name, posted, _, _ in rows} == {
        name: moment for name, (_, moment) in POSTED.items()
    }
    assert all(began <= first <= last <= ended for _, _, first, last in rows)
    for zone in ("America/New_York", "Pacific/Apia"):
        again = installation.ingest(TZ=zone, **extra)["db"]
        assert (again["new"], again["updated"], again["removed"]) == (0, 0, 0)
