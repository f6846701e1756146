"""The recorded answers of the real APIs, from the sources to the API."""

from __future__ import annotations

import duckdb
import pytest
from installation import PAYLOADS, Installation, play_recordings

CATEGORIES = {"backend", "devops", "sre", "cloud", "platform"}

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
    assert 10 <= published < 60
    assert db["total"] == db["new"] == published
    assert db["skipped"] == postings - published
    assert db["rejected"] == rejected == 1  # Remote OK's posting without a title
    assert db["irrelevant"] == sum(recorded.values()) - postings - rejected

    with installation.serving() as api:
        answer = api.get("/api/jobs", params={"limit": 200}).json()
        assert answer["total"] == len(answer["jobs"]) == published
        assert {job["category"] for job in answer["jobs"]} <= CATEGORIES
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
    installation.server.answer("adzuna", {"exception": "AUTH_FAIL", "display": "No"}, status=401)
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
