"""kill -9 in the middle of a run: the next one completes, and readers never see half a table."""

from __future__ import annotations

import threading
import time

import httpx
import pytest

from tests.end_to_end.installation import Installation
from tests.support.source_postings import adzuna_job, jsearch_job, remoteok_job

STAGES = ["raw_adzuna", "raw_remoteok", "read_staged", "relevant_postings", "cluster",
          "published_jobs", "search_index"]  # fmt: skip


class Reader:
    """Asks for the list again and again and keeps each total that it is told."""

    def __init__(self, api: httpx.Client) -> None:
        self._api = api
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self.seen: set[tuple[int, int]] = set()

    def _read(self) -> None:
        while not self._stop.is_set():
            answer = self._api.get("/api/jobs", params={"limit": 200})
            page = answer.json() if answer.status_code == 200 else {"total": -1, "jobs": []}
            self.seen.add((page["total"], len(page["jobs"])))
            time.sleep(0.02)

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


@pytest.mark.trial("runs", "kill -9 at each stage, while readers read")
def test_killed_at_each_stage(installation: Installation) -> None:
    def play(count: int) -> None:
        made = range(count)
        installation.server.give(
            "remoteok", [remoteok_job(id=f"{i}", company=f"R{i}") for i in made]
        )
        installation.server.give(
            "adzuna", [adzuna_job(id=f"{i}", company={"display_name": f"Z{i}"}) for i in made]
        )
        installation.server.give(
            "jsearch", [jsearch_job(job_id=f"{i}", employer_name=f"J{i}") for i in made]
        )

    play(10)
    assert installation.ingest()["db"]["total"] == 30
    with installation.serving() as api, Reader(api) as reader:
        for number, stage in enumerate(STAGES, 11):
            play(number)
            process = installation.start("--ingest-once")
            assert process.stderr is not None
            for line in process.stderr:
                if line.startswith(f"{stage} …"):
                    break
            else:
                pytest.fail(f"the run never reached {stage}")
            process.kill()
            process.communicate()
        assert installation.ingest()["problems"] == {}
        time.sleep(0.5)
    last = 10 + len(STAGES)
    assert all(total == listed for total, listed in reader.seen)
    assert {total for total, _ in reader.seen} <= {30, *(3 * n for n in range(10, last + 1))}
    assert (3 * last, 3 * last) in reader.seen
    statuses = installation.query("select status, count(*) from dagster.runs group by 1 order by 1")
    assert dict(statuses).keys() <= {"SUCCESS", "FAILURE"}
