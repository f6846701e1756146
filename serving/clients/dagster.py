"""The part of Dagster's GraphQL interface that starts and watches ingestion runs.

The schema: https://docs.dagster.io/api/graphql
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

import httpx
from fastapi import Depends, Request

from pipeline.installation.settings import Settings
from serving.problems import RETRY_SECONDS, ProblemError

JOB_NAME = "ingest"
_UNFINISHED = ["QUEUED", "NOT_STARTED", "MANAGED", "STARTING", "STARTED", "CANCELING"]
_REFUSALS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "DAGSTER_KEY must be the same for both",
    HTTPStatus.MISDIRECTED_REQUEST: "DAGSTER_URL must be the same for both",
}
_TIMEOUT = httpx.Timeout(10.0, connect=2.0)

_FIND_JOB = """
query FindJob {
  repositoriesOrError {
    __typename
    ... on RepositoryConnection { nodes { name location { name } pipelines { name } } }
    ... on PythonError { message }
  }
}
"""
_UNFINISHED_RUNS = """
query UnfinishedRuns($job: String!, $statuses: [RunStatus!]) {
  runsOrError(filter: {pipelineName: $job, statuses: $statuses}, limit: 1) {
    __typename
    ... on Runs { results { runId } }
    ... on Error { message }
  }
}
"""
_LAUNCH = """
mutation Launch($selector: JobOrPipelineSelector!, $tags: [ExecutionTag!]) {
  launchRun(
    executionParams: {selector: $selector, runConfigData: {}, executionMetadata: {tags: $tags}}
  ) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on Error { message }
  }
}
"""
_RUN = """
query Run($runId: ID!) {
  runOrError(runId: $runId) {
    __typename
    ... on Run { runId status jobName stepStats { stepKey status } }
    ... on PythonError { message }
  }
}
"""


class DagsterUnavailableError(ProblemError):
    """Dagster cannot be asked, or cannot start the job. Its detail says what to start."""

    def __init__(self, detail: str) -> None:
        headers = {"Retry-After": str(RETRY_SECONDS)}
        super().__init__(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers=headers)


@dataclass(frozen=True)
class Run:
    """A run as Dagster knows it. ``status`` is one of Dagster's ``RunStatus``."""

    run_id: str
    status: str
    failed_steps: list[str]

    @property
    def finished(self) -> bool:
        return self.status not in _UNFINISHED

    @property
    def succeeded(self) -> bool:
        return self.status == "SUCCESS"


class Dagster:
    """A client of the Dagster webserver. Every method raises :class:`DagsterUnavailableError` when
    the webserver does not answer as it should."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.dagster_graphql_url
        key = settings.dagster_key
        headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key is not None else {}
        # The webserver is a part of this installation, never behind the proxy of the environment.
        self._http = httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False, headers=headers)

    async def close(self) -> None:
        await self._http.aclose()

    async def _ask(self, document: str, **variables: Any) -> dict[str, Any]:
        """The one field that ``document`` asks for."""
        body = {"query": document, "variables": variables}
        try:
            response = await self._http.post(self._url, json=body)
            if response.status_code in _REFUSALS:
                raise DagsterUnavailableError(
                    f"The Dagster webserver refuses the API: {_REFUSALS[response.status_code]}."
                )
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise DagsterUnavailableError(
                "The Dagster webserver does not answer. Start it with `job-market`, or correct "
                "DAGSTER_URL, and ask again."
            ) from error
        data = answer.get("data") if isinstance(answer, dict) else None
        if not data or answer.get("errors"):
            raise DagsterUnavailableError(
                "The Dagster webserver does not understand the request: DAGSTER_URL must be that "
                "of a Dagster webserver of a version this API knows (1.13)."
            )
        field: dict[str, Any] = next(iter(data.values()))
        return field

    async def unfinished_run(self) -> str | None:
        """The id of an ingestion run that is queued or in progress."""
        answer = await self._ask(_UNFINISHED_RUNS, job=JOB_NAME, statuses=_UNFINISHED)
        if answer["__typename"] != "Runs":
            raise DagsterUnavailableError(
                "Dagster cannot list its runs; see the log of its webserver."
            )
        results = answer["results"]
        return results[0]["runId"] if results else None

    async def launch(self) -> str:
        """Start the job ``ingest``. Returns the id of the run."""
        answer = await self._ask(
            _LAUNCH,
            selector=await self._selector(),
            tags=[{"key": "job_market/started_by", "value": "api"}],
        )
        if answer["__typename"] != "LaunchRunSuccess":
            raise DagsterUnavailableError(
                f"Dagster did not start the run ({answer['__typename']}). Open the Dagster UI, "
                "check that the code location is loaded, and ask again."
            )
        run_id: str = answer["run"]["runId"]
        return run_id

    async def _selector(self) -> dict[str, str]:
        answer = await self._ask(_FIND_JOB)
        for repository in answer.get("nodes", []):
            if JOB_NAME in [job["name"] for job in repository["pipelines"]]:
                return {
                    "repositoryLocationName": repository["location"]["name"],
                    "repositoryName": repository["name"],
                    "jobName": JOB_NAME,
                }
        raise DagsterUnavailableError(
            f"Dagster has not loaded the job '{JOB_NAME}'. Start the code server (`job-market` "
            "does) or look at the deployment page of the Dagster UI."
        )

    async def run(self, run_id: str) -> Run | None:
        """The ingestion run with this id; ``None`` when Dagster does not know any."""
        answer = await self._ask(_RUN, runId=run_id)
        if answer["__typename"] == "PythonError":
            raise DagsterUnavailableError(
                "Dagster cannot read the run; see the log of its webserver."
            )
        if answer["__typename"] != "Run" or answer["jobName"] != JOB_NAME:
            return None
        steps = answer["stepStats"] or []
        failed = [step["stepKey"] for step in steps if step["status"] == "FAILURE"]
        return Run(answer["runId"], answer["status"], failed)


async def _dagster(request: Request) -> Dagster:
    dagster: Dagster = request.app.state.dagster
    return dagster


DagsterOfApp = Annotated[Dagster, Depends(_dagster)]
