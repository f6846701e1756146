"""Every declared field is shown, asked for and counted where its declaration says so."""

from __future__ import annotations

import csv
import io
from datetime import UTC
from typing import Any

import httpx
import orjson
import polars as pl
import pytest

from pipeline.declaration import (
    Asks,
    Compared,
    Day,
    Field,
    Findings,
    Moment,
    Money,
    OfJob,
    Shown,
    Stage,
)
from pipeline.fields import facets, filters, of_jobs, of_postings, shown
from tests.serving.published_rows import DAY, Connection, add_publish, add_source, ids, insert
from tests.support.values_of_fields import value

JOBS = ("a_0", "a_1")
FILTERS = {field.parameter: (field, asks) for field, asks in filters()}


@pytest.fixture
def filled(connection: Connection) -> dict[str, dict[str, Any]]:
    """Two jobs that differ in every field, each with a posting. Returns the fields of both by
    name, with those that are read from other tables."""
    add_source(connection, "source 0", attribution="attribution 0")
    add_source(connection, "source 1", attribution="attribution 1")
    rows: dict[str, dict[str, Any]] = {}
    for number, job_id in enumerate(JOBS):
        job = {field.name: value(field, number) for field in of_jobs()}
        posting = {field.name: value(field, number) for field in of_postings()}
        own = {"job_id": job_id, "posting_id": f"{job_id}_posting"}
        of_publish = {"updated_at": DAY, "created_version": 1, "changed_version": 1}
        insert(connection, "jobs", job | {"job_id": job_id} | of_publish)
        insert(connection, "job_postings", posting | own | {"merged_version": 1})
        rows[job_id] = (
            posting
            | job
            | own
            | {"updated_at": DAY, "attribution": f"attribution {number}", "merged_in_run": "run-1"}
        )
    add_publish(connection, "run-1")
    return rows


def written(field: Field, found: Any) -> Any:
    """As JSON shows a value of the field."""
    match field.kind:
        case Money():
            return f"{found:f}".rstrip("0").rstrip(".")
        case Moment():
            return found.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case Day():
            return str(found)
        case Findings():
            return orjson.loads(found)
        case _:
            return found


def shape(where: Shown, row: dict[str, Any]) -> dict[str, Any]:
    """What is to be shown of a job or a posting."""
    expected: dict[str, Any] = {}
    for field in shown(where):
        holder = expected.setdefault(field.within, {}) if field.within else expected
        holder[field.shown_as] = written(field, row[field.name])
    return expected


def test_lists_show_what_is_declared(api: httpx.Client, filled: dict[str, dict[str, Any]]) -> None:
    for job in api.get("/api/jobs").json()["jobs"]:
        assert job == shape(Shown.LIST, filled[job["id"]])


def test_the_changes_show_what_is_declared(
    api: httpx.Client, filled: dict[str, dict[str, Any]]
) -> None:
    changes = api.get("/api/jobs/changes").json()["changes"]
    assert len(changes) == len(filled)
    for change in changes:
        assert change["job"] == shape(Shown.LIST, filled[change["id"]])


def test_a_job_and_its_postings_show_what_is_declared(
    api: httpx.Client, filled: dict[str, dict[str, Any]]
) -> None:
    for job_id, row in filled.items():
        job = api.get(f"/api/jobs/{job_id}").json()
        (posting,) = job.pop("postings")
        for finding in job["evidence"]:
            assert finding.pop("posting_id") == posting["id"]
        del job["attribution"]
        assert job == shape(Shown.DETAIL, row)
        of_posting = {field.name: row[field.name] for field in shown(Shown.POSTING)}
        assert posting == shape(Shown.POSTING, of_posting)
        assert api.get(f"/api/jobs/{job_id}/postings").json()["postings"] == [posting]


def test_exports_hold_what_is_declared(
    api: httpx.Client, filled: dict[str, dict[str, Any]]
) -> None:
    names = [field.shown_as for field in shown(Shown.EXPORT)]
    expected = {
        job_id: {field.shown_as: written(field, row[field.name]) for field in shown(Shown.EXPORT)}
        for job_id, row in filled.items()
    }
    lines = [orjson.loads(line) for line in api.get("/api/jobs.ndjson").text.splitlines()]
    assert {line["id"]: line for line in lines} == expected
    table = list(csv.DictReader(io.StringIO(api.get("/api/jobs.csv").text)))
    assert list(table[0]) == names
    for line in table:
        for name, found in expected[line["id"]].items():
            text = ";".join(found) if isinstance(found, list) else str(found)
            assert line[name] == (text.lower() if isinstance(found, bool) else text)
    frame = pl.read_parquet(api.get("/api/jobs.parquet").content)
    assert frame.columns == names
    for parquet in frame.iter_rows(named=True):
        for field in shown(Shown.EXPORT):
            found = written(field, parquet[field.shown_as])
            assert found == expected[parquet["id"]][field.shown_as], field.name


@pytest.mark.parametrize("parameter", FILTERS)
def test_a_job_is_found_by_what_is_declared(
    api: httpx.Client, filled: dict[str, dict[str, Any]], parameter: str
) -> None:
    field, asks = FILTERS[parameter]
    mine, other = (row[field.every or field.name] for row in filled.values())
    match asks.asks:
        case Asks.ANY_OF | Asks.IS:
            for job_id, found in zip(JOBS, (mine, other), strict=True):
                wanted = found[0] if isinstance(found, list) else found
                assert ids(api.get("/api/jobs", params={parameter: wanted})) == [job_id]
        case Asks.TRUE:
            assert ids(api.get("/api/jobs", params={parameter: "true"})) == [
                job_id for job_id, row in filled.items() if row[field.name]
            ]
        case Asks.SINCE:
            since = written(field, max(mine, other))
            assert ids(api.get("/api/jobs", params={parameter: since})) == [JOBS[1]]
            assert len(ids(api.get("/api/jobs", params={parameter: written(field, mine)}))) == 2
        case Asks.AT_LEAST:
            yearly = [
                row["salary_max"] * (12 if row["salary_period"] == "MONTH" else 1)
                for row in filled.values()
            ]
            assert asks.compared is Compared.YEARLY
            for job_id, most, row in zip(JOBS, yearly, filled.values(), strict=True):
                asked = {parameter: most, "salary_currency": row["salary_currency"]}
                assert ids(api.get("/api/jobs", params=asked)) == [job_id]
                assert ids(api.get("/api/jobs", params=asked | {parameter: most + 0.01})) == []


@pytest.mark.parametrize("facet", facets())
def test_jobs_are_counted_by_what_is_declared(
    api: httpx.Client, filled: dict[str, dict[str, Any]], facet: str
) -> None:
    field = facets()[facet]
    expected: dict[str, int] = {}
    for row in filled.values():
        found = row[field.every or field.name]
        for one in found if isinstance(found, list) else [found]:
            name = str(one).lower() if isinstance(one, bool) else one
            expected[name] = expected.get(name, 0) + 1
    counts = api.get("/api/jobs", params={"facets": facet}).json()["facets"]
    assert {entry["value"]: entry["jobs"] for entry in counts[facet]} == expected


def test_openapi_says_what_is_declared(api: httpx.Client) -> None:
    document = api.get("/openapi.json").json()
    models = document["components"]["schemas"]
    for where, model in (
        (Shown.LIST, "JobSummary"), (Shown.DETAIL, "Job"), (Shown.POSTING, "JobPosting"),
    ):  # fmt: skip
        for field in shown(where):
            properties = models[model]["properties"]
            if field.within:
                place = properties[field.within]["$ref"].rpartition("/")[2]
                properties = models[place]["properties"]
            part = properties[field.shown_as]
            assert (part["description"], part["examples"]) == (field.explained, [field.example])
    parameters = {
        parameter["name"]: parameter
        for parameter in document["paths"]["/api/jobs"]["get"]["parameters"]
    }
    for field, asks in filters():
        said = parameters[field.parameter]["description"]
        assert said == (asks.description or field.explained)


def test_what_is_read_from_other_tables_is_no_column(connection: Connection) -> None:
    stored = connection.execute(
        "select table_name, column_name from information_schema.columns"
    ).fetchall()
    for field in [*shown(Shown.DETAIL), *shown(Shown.EXPORT), *shown(Shown.POSTING)]:
        if field.job is OfJob.READ:
            assert ("jobs", field.name) not in stored
        if field.posting is Stage.READ:
            assert ("job_postings", field.name) not in stored
