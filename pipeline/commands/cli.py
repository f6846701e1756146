"""The command ``job-market``, also ``python -m pipeline``."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import psycopg
import rich
import typer
from pydantic import SecretStr
from rich.table import Table
from rich.text import Text

from pipeline.installation import database, logs
from pipeline.installation.api_key import kept_key
from pipeline.installation.console import console
from pipeline.installation.settings import ConfigurationError, Settings
from pipeline.orchestration import IngestFailedError
from pipeline.orchestration.environment import (
    DEFINITIONS_MODULE,
    dagster_environment,
    project_dir,
)
from pipeline.publish.migrate import migrate
from pipeline.staging import StagingError

app = typer.Typer(
    help="Collects technology jobs, removes duplicates and serves them.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

_OF_THE_DISK = {
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR
}  # fmt: skip

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended, by the shells' convention."""


def _note(line: str) -> None:
    """Progress goes to the standard error, so that the standard output holds results alone."""
    console.write(f"{logs.harmless(line)}\n")


def _prepare(settings: Settings, url: str) -> Settings:
    """Migrate the database and make it, and what Dagster needs, known to child processes."""
    ready = settings.model_copy(update={"database_url": SecretStr(url)})
    with database.connect(ready) as connection:
        for name in migrate(connection):
            _note(f"database: applied {name}")
    os.environ.update(dagster_environment(ready))
    return ready


@app.callback(invoke_without_command=True)
def main_command(
    context: typer.Context,
    ingest_once: Annotated[
        bool, typer.Option("--ingest-once", help="Run once here and print the statistics as JSON.")
    ] = False,
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="With --ingest-once: only this source.")
    ] = None,
) -> None:
    """Collects technology jobs, removes duplicates and serves them."""
    if context.invoked_subcommand is not None:
        if ingest_once or source:
            raise typer.BadParameter("--ingest-once and --source go with no command.")
        return
    if source and not ingest_once:
        raise typer.BadParameter("--source goes with --ingest-once.")
    if not ingest_once:
        typer.echo(context.get_help())
        raise typer.Exit
    settings = Settings.load()
    logs.configure(settings, "ingest")
    with database.database(settings) as url:
        ready = _prepare(settings, url)
        from pipeline.commands.ingest_once import ingest_once as run

        print(logs.to_json(run(ready, source, _note)))  # noqa: T201


@app.command()
def up() -> None:
    """Start everything: PostgreSQL unless DATABASE_URL names one, Dagster, the API."""
    settings = Settings.load()
    _run_installation(settings)


@app.command()
def demo() -> None:
    """As `up`, with a local imitation of the sources: no key, no network, generated jobs."""
    from pipeline.simulator.server import serve as serve_sources

    # The demo's jobs must never reach a database or a folder with real ones.
    settings = Settings.load(database_url=None)
    settings = settings.model_copy(update={"data_dir": settings.data_dir / "demo"})
    with serve_sources() as sources:
        os.environ.update(sources.environment)
        os.environ["EXCHANGE_RATES_URL"] = "none"  # a demo asks nothing real
        _run_installation(settings)


def _run_installation(settings: Settings) -> None:
    from pipeline.installation.supervisor import only_supervisor

    _end_on_signals(signal.default_int_handler)
    # A background job may have to write to a terminal that asks such jobs to wait.
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    folder = settings.data_dir.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    is_made = settings.api_key is None
    key = settings.api_key or kept_key(folder)
    settings = settings.model_copy(update={"api_key": key})
    logs.configure(settings, "up")
    with only_supervisor(folder) as left_behind:
        for name in left_behind:
            _note(f"ended what an earlier start left behind: {name}")
        with database.database(settings) as url:
            _supervise(_prepare(settings, url), folder, key, show_key=is_made)
    _note("stopped")


def _end_on_signals(end: Callable[[int, Any], Any]) -> None:
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    # Under `nohup` the end of the terminal is ignored.
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, end)


def _supervise(ready: Settings, folder: Path, key: SecretStr, *, show_key: bool) -> None:
    from pipeline.installation.supervisor import Process, Supervisor, answers_http
    from pipeline.orchestration.signs import code_server_answers, daemon_answers

    redact = logs.redactor(ready)
    api = f"http://127.0.0.1:{ready.api_port}"
    ui = f"http://127.0.0.1:{ready.dagster_port}"
    own = [sys.executable, "-m", "pipeline"]
    processes = [
        Process(
            "api", [*own, "serve"], port=ready.api_port, answers=answers_http(f"{api}/api/health"),
            environment={"API_KEY": key.get_secret_value()},
        ),
        Process(
            "code-server", [*own, "code-server"], port=ready.dagster_code_port,
            answers=code_server_answers(ready.dagster_code_port),
        ),
        # This and the daemon wait for the code server themselves, once they have loaded.
        Process(
            "dagster-webserver", [*own, "webserver"], port=ready.dagster_port,
            answers=answers_http(f"{ui}/server_info"),
        ),
        # Its first heartbeat comes long after it works.
        Process(
            "dagster-daemon", [*own, "daemon"], answers=daemon_answers(ready), awaited=False,
            is_never_idle=True,
        ),
    ]  # fmt: skip
    supervisor = Supervisor(
        processes,
        lambda name, line: _note(f"{name:18}{line}"),
        folder,
        clean=lambda line: redact(logs.relayed(line)),
    )
    _end_on_signals(lambda *_: supervisor.request_stop())

    def ready_now() -> None:
        _note(f"\n  The API           {api}/api/jobs, documented at {api}/docs")
        _note(f"  The Dagster UI    {ui}")
        if show_key:
            # To the console alone; logs hide it like any other secret.
            _note(f"  The API key       {key.get_secret_value()}")
        _note("  Ctrl-C stops everything.\n")
        _first_run(ready, api, key)

    supervisor.run(ready_now)


def _first_run(settings: Settings, api: str, key: SecretStr) -> None:
    """Do not let a new installation wait for the schedule."""
    import httpx

    try:
        with database.connect(settings) as connection:
            published = connection.execute("select 1 from publishes limit 1").fetchone()
        if published is None:
            _start_first_run(api, key)
    except (ConfigurationError, psycopg.Error, httpx.HTTPError, ValueError) as error:
        # The schedule will start one.
        _note(f"  The first ingestion could not be started ({type(error).__name__})\n")


def _start_first_run(api: str, key: SecretStr) -> None:
    import httpx

    answer = httpx.post(
        f"{api}/api/jobs/ingest?wait=false",
        headers={"X-API-Key": key.get_secret_value()},
        timeout=60,
        trust_env=False,
    )
    if answer.status_code == httpx.codes.ACCEPTED:
        _note(f"  The first ingestion has started: run {answer.json()['run_id']}\n")
    else:
        _note(f"  The first ingestion could not be started: {answer.json().get('detail')}\n")


@app.command()
def serve() -> None:
    """The API alone."""
    settings = Settings.load()
    logs.configure(settings, "api")
    from serving.__main__ import serve as run

    with database.database(settings) as url:
        run(settings.model_copy(update={"database_url": SecretStr(url)}))


@app.command("migrate")
def migrate_command() -> None:
    """Bring the database to the schema of this version."""
    settings = Settings.load()
    with database.database(settings) as url:
        _prepare(settings, url)


@app.command("code-server")
def code_server() -> None:
    """Dagster's code location: loads the definitions and executes the runs."""
    settings = _dagster_process("code-server")
    import dagster as dg

    from pipeline.commands.ingest_once import end_lost_runs

    with dg.DagsterInstance.get() as instance:
        if lost := end_lost_runs(instance, foreground=False):
            _note(f"marked {lost} runs as failed whose process is gone")
    _become(
        "pipeline.orchestration.code_server", "api", "grpc", "--module-name", DEFINITIONS_MODULE,
        "--host", settings.dagster_code_bind, "--port", str(settings.dagster_code_port),
    )  # fmt: skip


@app.command()
def webserver() -> None:
    """The Dagster UI, with a guard before it."""
    settings = _dagster_process("dagster-webserver")
    logs.configure(settings, "dagster-webserver")
    # The imports take as long as the code server needs: side by side, an installation is back
    # sooner.
    from pipeline.orchestration.signs import wait_for_code_server
    from pipeline.orchestration.webserver import serve as run

    wait_for_code_server(settings)
    run(settings)


@app.command()
def daemon() -> None:
    """Dagster's daemon: the schedule, the queue of runs, monitoring."""
    settings = _dagster_process("dagster-daemon")
    import dagster as dg

    from pipeline.commands.ingest_once import end_lost_launches
    from pipeline.orchestration.signs import wait_for_code_server

    with dg.DagsterInstance.get() as instance:
        if lost := end_lost_launches(instance):
            _note(f"marked {lost} runs as failed whose launch was cut off")
    wait_for_code_server(settings)
    _become("dagster._daemon", "run", "--workspace", str(project_dir() / "workspace.yaml"))


def _dagster_process(name: str) -> Settings:
    settings = Settings.load()
    os.environ.update(dagster_environment(settings))
    with database.connect(settings) as connection:
        migrate(connection)
    return settings


def _become(module: str, *arguments: str) -> NoReturn:
    """Replace this process, so that signals reach Dagster itself."""
    console.flush()
    os.execv(  # noqa: S606 - a shell would stand between the signals and Dagster
        sys.executable, [sys.executable, "-m", module, *arguments]
    )


@app.command()
def rates() -> None:
    """Renew the exchange rates that pay is compared at, and print their day."""
    from pipeline.extract.exchange_rates import renewed
    from pipeline.transform.understanding.rates import RatesError

    settings = Settings.load()
    if settings.exchange_rates_url == "none":
        raise ConfigurationError(
            "EXCHANGE_RATES_URL is none: set it to the address of the ECB's rates, or remove it."
        )
    try:
        table = renewed(settings.data_dir, settings.exchange_rates_url)
    except RatesError as error:
        raise ConfigurationError(str(error)) from None
    print(f"The exchange rates are those of {table.day}.")  # noqa: T201


@app.command("understand")
def understand_command(
    file: Annotated[
        typer.FileBinaryRead,
        typer.Argument(metavar="FILE.ndjson", help="A posting a line; - for standard input."),
    ],
) -> None:
    """Print what is understood of postings in a file: a JSON object a line, with the evidence."""
    import orjson

    from pipeline.commands.understand import understood
    from pipeline.transform.understanding.rates import in_use

    for row in understood(file, in_use(Settings.load().data_dir)):
        sys.stdout.buffer.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


@app.command()
def doctor(
    ask: Annotated[
        bool, typer.Option(help="Ask each source one question, which counts against its quota.")
    ] = True,
) -> None:
    """What is configured, what the sources answer, what is missing, and what to do about each."""
    from pipeline.commands.doctor import examine

    colours = {"ok": "green", "missing": "yellow", "broken": "red"}
    table = Table("", "", "", show_header=False, box=None, pad_edge=False)
    broken = False
    for finding in examine(Settings.load(), ask=ask):
        broken |= finding.verdict == "broken"
        # Text is no markup: a detail may repeat words of a source.
        table.add_row(
            Text(finding.verdict, style=colours[finding.verdict]),
            finding.subject,
            Text(logs.harmless(finding.detail)),
        )
    rich.print(table)
    raise typer.Exit(1 if broken else 0)


def _guarded(run: Callable[[], Any]) -> int:
    """Run a command; what its user can mend is one sentence, not a traceback."""
    from pipeline.installation.supervisor import SupervisorError, end_with_supervisor

    end_with_supervisor()
    try:
        run()
    except (ConfigurationError, StagingError, SupervisorError) as error:
        _note(f"job-market: {error}")
        return 2
    except OSError as error:
        if error.errno not in _OF_THE_DISK or error.filename is None:
            raise
        _note(
            f"job-market: {error.filename} cannot be written ({error.strerror}). Correct its "
            "permissions or the disk, or name other folders in DATA_DIR and LOG_DIR."
        )
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED
    except IngestFailedError as error:
        _note(f"job-market: {error}")
        return 1
    return 0


def main() -> None:
    """The entry point."""
    sys.exit(_guarded(app))
