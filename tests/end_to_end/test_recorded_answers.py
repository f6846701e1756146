"""The recorded answers of the real APIs, from the sources to the API."""

from __future__ import annotations

import duckdb
import pytest

from pipeline.fields import SHOWN_CATEGORIES
from tests.end_to_end.installation import (
    PAYLOADS,
    Installation,
    play_all_recordings,
    play_recordings,
)

pytestmark = pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason="the recorded answers (../shared/payloads) are not here"
)


def test_all_are_staged_and_every_count_agrees(installation: Installation) -> None:
    recorded = play_recordings(installation.server)
    first = installation.ingest()
    assert first["sources"] == recorded
    assert first["total_jobs"] == sum(recorded.values())
    assert first["problems"] == {}

    for source, count in recorded.items():
        snapshot = installation.folder / f"data/snapshots/{source}.duckdb"
        with duckdb.connect(str(snapshot), read_only=True) as staging:
            assert staging.execute("select count(*) from staging.postings").fetchall() == [(count,)]

    ((published,),) = installation.query("select count(*) from jobs")
    ((postings,),) = installation.query("select count(*) from job_postings")
    ((rejected,),) = installation.query("select count(*) from rejected_postings")
    db = first["db"]
    by_category = dict(installation.query("select category, count(*) from jobs group by 1"))
    shown = sum(by_category.get(name, 0) for name in SHOWN_CATEGORIES)
    assert 10 <= shown < 60
    assert published > shown
    assert db["total"] == db["new"] == published
    assert db["skipped"] == postings - published
    assert db["rejected"] == rejected == 1  # Remote OK's posting without a title
    assert db["irrelevant"] == sum(recorded.values()) - postings - rejected

    with installation.serving() as api:
        answer = api.get("/api/jobs", params={"limit": 200}).json()
        assert answer["total"] == len(answer["jobs"]) == shown
        assert {job["category"] for job in answer["jobs"]} <= {*SHOWN_CATEGORIES}
        assert api.get("/api/jobs?category=all").json()["total"] == published
        assert "Senior Backend Golang Engineer Mailgun Send" in [
            job["title"] for job in answer["jobs"]
        ]
        one = api.get(f"/api/jobs/{answer['jobs'][0]['id']}").json()
        assert one["postings"][0]["apply_url"].startswith("http")
        health = api.get("/api/health").json()
        assert health["last_publish"]["total"] == published

    rows = "select job_id, xmin::text, updated_at from jobs order by 1"
    before = installation.query(rows)
    second = installation.ingest()
    assert second["sources"] == recorded
    assert (second["db"]["new"], second["db"]["updated"], second["db"]["removed"]) == (0, 0, 0)
    assert second["db"]["skipped"] == postings
    assert installation.query(rows) == before


def test_every_recording_goes_in(installation: Installation) -> None:
    """What was read in them, row by row, is held here: see the sources' own tests for the rules."""
    variables = play_all_recordings(installation.server)
    run = installation.ingest(**variables)
    assert run["sources"] == {"adzuna": 165, "jsearch": 22, "remoteok": 102}
    assert all(" announced 100 postings" in problem for problem in run["problems"].values())
    for source, count in run["sources"].items():
        snapshot = installation.folder / f"data/snapshots/{source}.duckdb"
        with duckdb.connect(str(snapshot), read_only=True) as staging:
            assert staging.execute("select count(*) from staging.postings").fetchall() == [(count,)]
            ((told,),) = staging.execute(
                "select count(*) from staging.postings where contains(raw, 'Please mention the')"
            ).fetchall()
            assert told == 0
    reasons = dict(
        installation.query("select reason, count(*) from rejected_postings group by reason")
    )
    assert reasons == {
        "title is empty": 1,
        "not a job: the title names no occupation, and pay and country are missing": 4,
    }
    published = "select job_id, country, city, salary_min, salary_currency, salary_period, "
    jobs = {
        row[0]: row[1:]
        for row in installation.query(
            published + "remote, posted_at_is_approximate from jobs where status <> 'closed'"
        )
    }
    assert jobs["adzuna_5051974158"] == ("CA", "Toronto", 80, "CAD", "HOUR", True, False)
    approximate = [job for job in jobs.values() if job[6]]
    assert {job[0] for job in approximate} == {"ES", "IT"}
    ((across,),) = installation.query(
        "select count(*) from (select job_id from job_postings group by job_id"
        " having count(distinct lower(company)) > 1)"
    )
    assert across == 0
    with installation.serving() as api:
        feed = api.get("/api/jobs.atom").text
        assert "MTkyLjAuMi" not in feed
        one = api.get("/api/jobs/adzuna_5051974158").json()
    assert one["apply_url"] == "https://www.adzuna.ca/details/5051974158"


def test_one_source_alone(installation: Installation) -> None:
    recorded = play_recordings(installation.server)
    answer = installation.ingest("--source", "remoteok")
    assert answer["sources"] == {"remoteok": recorded["remoteok"]}
    assert installation.server.requests_to("adzuna") == []
    refused = installation.run("--ingest-once", "--source", "monster")
    assert refused.returncode == 2
    assert "The sources are: adzuna, jsearch, remoteok." in refused.stderr


def test_no_secret_is_written_anywhere(installation: Installation) -> None:
    play_recordings(installation.server)
    installation.server.give("adzuna", {"exception": "AUTH_FAIL", "display": "No"}, status=401)
    done = installation.run("--ingest-once", LOG_LEVEL="DEBUG")
    assert done.returncode == 0, done.stderr
    assert "adzuna" in done.stderr.lower()
    events = str(installation.query("select * from dagster.event_logs"))
    written = [
        file.read_bytes() for file in (installation.folder / "logs").rglob("*") if file.is_file()
    ]
    storage = [
        file.read_bytes()
        for file in (installation.folder / "data/dagster").rglob("*")
        if file.is_file()
    ]
    for secret in ("secret-rapidapi-key", "secret-adzuna-id", "secret-adzuna-key"):
        assert secret not in done.stderr + done.stdout + events
        assert not any(secret.encode() in text for text in written + storage)
