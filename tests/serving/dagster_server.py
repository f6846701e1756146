"""A real HTTP server that plays the part of Dagster's GraphQL interface that the API uses."""

from __future__ import annotations

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

RUN = "5a8b6c1e-0f6d-4a51-b7a7-5a0d5f4c2f11"


class DagsterServer(ThreadingHTTPServer):
    """Answers like the Dagster webserver. Runs stay in ``status`` until a test changes it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.runs: list[str] = []
        self.status = "STARTED"
        self.failed_steps: list[str] = []
        self.jobs = ["other", "ingest"]
        self.body: str | None = None
        self.http_status = 200
        self.authorizations: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        if "repositoriesOrError" in query:
            repository = {
                "name": "__repository__",
                "location": {"name": "pipeline"},
                "pipelines": [{"name": name} for name in self.jobs],
            }
            return {
                "repositoriesOrError": {"__typename": "RepositoryConnection", "nodes": [repository]}
            }
        if "runsOrError" in query:
            unfinished = self.runs[-1:] if self.status in variables["statuses"] else []
            results = [{"runId": run} for run in unfinished]
            return {"runsOrError": {"__typename": "Runs", "results": results}}
        if "launchRun" in query:
            time.sleep(0.1)
            assert variables["selector"]["jobName"] == "ingest"
            self.runs.append(RUN)
            return {"launchRun": {"__typename": "LaunchRunSuccess", "run": {"runId": RUN}}}
        if variables["runId"] not in self.runs:
            return {"runOrError": {"__typename": "RunNotFoundError"}}
        steps = [{"stepKey": key, "status": "FAILURE"} for key in self.failed_steps]
        run = {"runId": RUN, "status": self.status, "jobName": "ingest", "stepStats": steps}
        return {"runOrError": {"__typename": "Run", **run}}


class _Handler(BaseHTTPRequestHandler):
    server: DagsterServer

    def do_POST(self) -> None:
        self.server.authorizations.append(self.headers["Authorization"])
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        data = {"data": self.server.answer(asked["query"], asked["variables"])}
        body = (self.server.body or json.dumps(data)).encode()
        self.send_response(self.server.http_status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass
