"""What a source sends is text: nowhere a command, and nowhere a part of a page."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from xml.etree import ElementTree

import dagster as dg
import pytest

from pipeline.installation.settings import Settings
from pipeline.orchestration.environment import dagster_environment
from pipeline.simulator.faults import Fault
from pipeline.simulator.messages import Response
from pipeline.simulator.server import Simulator
from tests.end_to_end.installation import Installation
from tests.support.source_postings import adzuna_job, jsearch_job, remoteok_job

ATOM = "{http://www.w3.org/2005/Atom}"
IMAGE = "![x](http://evil.example/graphql?query=mutation)"
PLANTED = [
    IMAGE,
    "[click](http://evil.example)",
    "<img src=http://evil.example/x>",
    "<script>alert(1)</script>",
    "http://evil.example/autolink",
    "`code` | cell | **bold** &lt;b&gt;",
    "\x1b]0;owned\x07\x1b[2J",
    "\x9b2J\u202egnp.exe\u2066",
    "line\r\n2026-01-01 [info] forged",
    '=HYPERLINK("http://evil.example")',
]
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def hostile(server: Simulator) -> None:
    """Every text that a source can send, as markup and as commands to a terminal."""
    remoteok = [
        remoteok_job(
            id=str(number), position=f"DevOps Engineer {text}", company=text, location=text,
            tags=[text, "kubernetes"], **{f"field {text}": text},
        )
        for number, text in enumerate(PLANTED)
    ]  # fmt: skip
    # Without a title they are rejected, with the posting as it was sent beside the reason.
    remoteok += [remoteok_job(id=text, position="", company=text) for text in PLANTED]
    server.give("remoteok", remoteok)
    server.give(
        "jsearch",
        [
            jsearch_job(job_id=text, job_title=f"Cloud Engineer {text}", employer_name=text,
                        job_employment_type=text, job_city=text, job_country=text)
            for text in PLANTED
        ],
    )  # fmt: skip
    words = json.dumps({"display": " ".join(PLANTED)}).encode()
    server.give("adzuna", [adzuna_job(id="1")])
    server.fault("adzuna", Fault(lambda _: Response(400, {}, words), times=None))


def values(event: dg.DagsterEvent) -> Iterator[tuple[str, object]]:
    """All metadata of an event, and each text of it that Dagster renders as Markdown."""
    if event.is_step_materialization:
        materialization = event.step_materialization_data.materialization
        yield "markdown", materialization.description or ""
        yield from materialization.metadata.items()
    if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        evaluation = event.asset_check_evaluation_data
        yield "markdown", evaluation.description or ""
        yield from evaluation.metadata.items()


@pytest.fixture
def run(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """The id of a run on hostile sources, and all that it wrote anywhere."""
    hostile(installation.server)
    done = installation.run("--ingest-once", LOG_LEVEL="DEBUG")
    assert done.returncode == 0, done.stderr
    logs = [file.read_text() for file in (installation.folder / "logs").iterdir()]
    return json.loads(done.stdout)["run_id"], "".join([done.stdout, done.stderr, *logs])


@pytest.mark.trial("text", "A text is markup in the Dagster UI")
def test_no_text_of_a_source_is_markup_in_dagster(
    run: tuple[str, str], installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in installation.environment.items():
        monkeypatch.setenv(name, value)
    for name, value in dagster_environment(Settings.load(_env_file=None)).items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.get() as instance:
        records = instance.all_logs(run[0])
    found = [pair for r in records if r.dagster_event for pair in values(r.dagster_event)]
    markdown = [
        value.value if isinstance(value, dg.MarkdownMetadataValue) else value
        for name, value in found
        if name == "markdown" or isinstance(value, dg.MarkdownMetadataValue)
    ]
    assert any("attach" in str(text) for text in markdown), "the one that is ours"
    assert not any("evil" in str(text) or "forged" in str(text) for text in markdown)
    plain = "".join(
        str(value.value) for name, value in found if isinstance(value, dg.MetadataValue)
    )
    assert IMAGE in plain
    assert "\\x1b" in plain
    assert not RAW.search(plain)
    events = [record.dagster_event for record in records if record.dagster_event]
    checks = {
        event.asset_check_evaluation_data.check_name: event.asset_check_evaluation_data.passed
        for event in events
        if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION
    }
    assert checks["nothing_lost"], "ids that are hashed are accounted for"


@pytest.mark.trial("text", "A text is a command to a terminal")
def test_no_command_of_a_source_reaches_a_terminal(run: tuple[str, str]) -> None:
    assert not RAW.search(run[1])
    assert "evil.example" in run[1]


@pytest.mark.trial("text", "A text is markup in an answer or a feed")
def test_no_text_of_a_source_is_markup_in_an_answer(
    run: tuple[str, str], installation: Installation
) -> None:
    with installation.serving() as api:
        answers = {
            form: api.get(f"/api/jobs{form}") for form in ("", ".csv", ".ndjson", ".atom")
        } | {"sources": api.get("/api/sources")}
    for form, answer in answers.items():
        assert answer.status_code == 200
        assert "evil.example" in answer.text, form
        assert not RAW.search(answer.text.replace("\r\n", "\n")), form
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "html" not in answer.headers["Content-Type"]
    feed = ElementTree.fromstring(answers[".atom"].text)
    names = {element.tag.rpartition("}")[2] for element in feed.iter()}
    assert names == {"feed", "id", "title", "updated", "link", "entry", "author", "name",
                     "category", "summary", "published"}  # fmt: skip
    links = [link.get("href", "") for entry in feed.iter(f"{ATOM}entry") for link in entry]
    assert all(link.startswith("http") for link in links if link)
    own = [link.get("href", "") for link in feed.findall(f"{ATOM}link")]
    assert all(link.startswith("/api/") for link in own)
    rows = list(csv.DictReader(io.StringIO(answers[".csv"].text)))
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "@"))]
