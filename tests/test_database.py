"""Connecting to real servers, good and bad, and sharing the embedded one."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import sqlalchemy
import trustme
from psycopg.conninfo import conninfo_to_dict

from pipeline.installation import liveness
from pipeline.installation.database import connect, database
from pipeline.installation.settings import ConfigurationError, Settings
from pipeline.publish.migrate import migrate


def settings(url: str | None, **values: object) -> Settings:
    return Settings(_env_file=None, database_url=url, **values)


def reach(of: Settings, way: Any = connect) -> None:
    with way(of):
        pass


@pytest.fixture(scope="module")
def server(postgres: Any) -> str:
    return str(postgres.get_uri())


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _serve(listener: socket.socket, backend: str, context: ssl.SSLContext | None) -> None:
    def one(client: socket.socket) -> None:
        if context is not None:
            assert client.recv(8)[4:] == bytes.fromhex("04d2162f"), "not a request for SSL"
            client.sendall(b"S")
            try:
                client = context.wrap_socket(client, server_side=True)
            except (ssl.SSLError, OSError):
                return
        upstream = socket.socket(socket.AF_UNIX)
        upstream.connect(backend)
        threading.Thread(target=_pump, args=(upstream, client), daemon=True).start()
        _pump(client, upstream)

    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=one, args=(client,), daemon=True).start()


@contextlib.contextmanager
def _listening(server: str, context: ssl.SSLContext | None) -> Iterator[int]:
    backend = f"{conninfo_to_dict(server)['host']}/.s.PGSQL.5432"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, backend, context), daemon=True).start()
        yield listener.getsockname()[1]


AUTHORITY = trustme.CA()


@pytest.fixture(scope="module")
def tls_port(server: str) -> Iterator[int]:
    """The server behind TLS, which its embedded build lacks, with a certificate nobody knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("localhost").configure_cert(context)
    with _listening(server, context) as port:
        yield port


@pytest.fixture(scope="module")
def plain_port(server: str) -> Iterator[int]:
    with _listening(server, None) as port:
        yield port


@pytest.fixture
def another_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home whose ``root.crt`` does not know the server, for which libpq looks by itself."""
    (tmp_path / ".postgresql").mkdir()
    trustme.CA().cert_pem.write_to_path(str(tmp_path / ".postgresql/root.crt"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PGSSLROOTCERT", str(tmp_path / ".postgresql/root.crt"))


@pytest.mark.usefixtures("another_root")
@pytest.mark.trial("PostgreSQL", "Its certificate is of an unknown authority")
def test_ssl_without_verification_works_in_every_client(tls_port: int) -> None:
    url = f"postgres://postgres:p%40ss@localhost:{tls_port}/postgres?sslmode=require"
    with pytest.raises(ConfigurationError, match=r"not trusted.*ssl_no_verify=true"):
        reach(settings(url))
    ready = settings(f"{url}&ssl_no_verify=true")
    with connect(ready) as connection:
        assert connection.pgconn.ssl_in_use
        connection.execute("create schema if not exists dagster")
    assert ready.dagster_database_url is not None
    engine = sqlalchemy.create_engine(ready.dagster_database_url.get_secret_value())
    with engine.connect() as alchemy:
        assert alchemy.execute(sqlalchemy.text("select current_schema()")).scalar() == "dagster"
    engine.dispose()


@pytest.mark.trial("PostgreSQL", "It offers no TLS where TLS is asked for")
def test_an_ssl_failure_says_what_to_do(tls_port: int, plain_port: int) -> None:
    base = "postgresql://postgres@localhost"
    with pytest.raises(ConfigurationError, match=r"does not offer SSL.*sslmode=disable"):
        reach(settings(f"{base}:{plain_port}/postgres?sslmode=require"))
    with pytest.raises(ConfigurationError, match=r"not trusted"):
        reach(settings(f"{base}:{tls_port}/postgres?sslmode=verify-full&sslrootcert=system"))


@pytest.mark.trial("PostgreSQL", "Its certificate is of another host")
def test_a_certificate_of_another_host_says_what_to_do(tls_port: int, tmp_path: Path) -> None:
    root = tmp_path / "root.crt"
    AUTHORITY.cert_pem.write_to_path(str(root))
    url = f"postgresql://postgres@{{}}:{tls_port}/postgres?sslmode=verify-full&sslrootcert={root}"
    with connect(settings(url.format("localhost"))) as connection:
        assert connection.pgconn.ssl_in_use
    with pytest.raises(ConfigurationError, match=r"certificate of 127\.0\.0\.1.* is not trusted"):
        reach(settings(url.format("127.0.0.1")))


@pytest.mark.trial("PostgreSQL", "The password is wrong or missing")
def test_a_wrong_password_says_what_to_do(server: str) -> None:
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute("create role keeper login password 'right'")
        row = admin.execute("show hba_file").fetchone()
        assert row is not None
        rules = Path(row[0])
        before = rules.read_text()
        rules.write_text(f"local all keeper scram-sha-256\n{before}")
        try:
            admin.execute("select pg_reload_conf()")
            url = server.replace("//postgres:", "//keeper:{}")
            reach(settings(url.format("right")))
            for password in ("s3cret", ""):
                with pytest.raises(ConfigurationError, match='the user "keeper" with this') as told:
                    reach(settings(url.format(password)), database)
                assert "s3cret" not in str(told.value)
        finally:
            rules.write_text(before)
            admin.execute("select pg_reload_conf()")


@pytest.mark.trial("PostgreSQL", "The address, the database or the user is wrong")
def test_a_wrong_address_or_name_says_what_to_do(server: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        cases = {
            server.replace("/postgres?", "/jobz?"): 'no database "jobz".*createdb',
            server.replace("//postgres:", "//nobody:"): 'does not accept the user "nobody"',
            f"postgresql://u:secret@127.0.0.1:{port}/db": "nothing listens at 127.0.0.1",
            "postgresql://u:secret@no-such-host.invalid/db": 'no-such-host.invalid" is unknown',
            "postgresql://u:secret@/db?host=/nowhere": "nothing listens at /nowhere",
        }
        for url, expected in cases.items():
            with pytest.raises(ConfigurationError, match=expected) as caught:
                reach(settings(url), database)
            assert str(caught.value).startswith("DATABASE_URL is not usable: ")
            assert "secret" not in str(caught.value)


@pytest.mark.trial("PostgreSQL", "It does not answer")
def test_a_silent_server_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.installation.database.CONNECT_SECONDS", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(ConfigurationError, match=r"does not answer"):
            reach(settings(f"postgresql://u@127.0.0.1:{port}/db"))


def test_a_server_that_is_starting_is_waited_for(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = ["FATAL:  the database system is starting up", "FATAL:  not yet accepting connections"]
    reach_it = psycopg.connect

    def starting(*arguments: Any, **options: Any) -> Any:
        if said:
            raise psycopg.OperationalError(said.pop())
        return reach_it(*arguments, **options)

    monkeypatch.setattr(psycopg, "connect", starting)
    reach(settings(server))
    assert said == []
    monkeypatch.setattr("pipeline.installation.database.RESTART_SECONDS", 0.0)
    said.extend(["FATAL:  the database system is shutting down"] * 9)
    with pytest.raises(ConfigurationError, match="is starting or stopping"):
        reach(settings(server))


@pytest.mark.trial("PostgreSQL", "It has no free connection")
def test_too_many_connections_say_what_to_do(server: str) -> None:
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute("create role narrow login connection limit 1")
    url = server.replace("//postgres:", "//narrow:")
    with connect(settings(url)), pytest.raises(ConfigurationError, match="no free connection"):
        reach(settings(url))


_HOLD = """
import sys, time
from pipeline.installation.database import database
from pipeline.installation.settings import Settings
with database(Settings(_env_file=None, data_dir=sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


def _hold(folder: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
    )  # fmt: skip
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def _is_up(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.mark.trial("processes", "Processes that share the embedded PostgreSQL are killed")
def test_the_embedded_server_is_shared_and_survives_kills(tmp_path: Path) -> None:
    first, url = _hold(tmp_path)
    second, same_url = _hold(tmp_path)
    assert url == same_url
    assert _is_up(url)
    with connect(settings(url)) as connection:
        assert migrate(connection) != []
    first.communicate()
    assert _is_up(url), "one process holds it still"
    second.send_signal(signal.SIGKILL)
    second.communicate()
    assert _is_up(url), "nobody was left to stop it"

    pid = int((tmp_path / "postgres/postmaster.pid").read_text().splitlines()[0])
    with database(settings(None, data_dir=tmp_path)) as again, connect(settings(again)) as found:
        assert migrate(found) == []
    assert not _is_up(url), "the last one stops it"

    # A killed server whose process id belongs to another program by now.
    with database(settings(None, data_dir=tmp_path)):
        pid = int((tmp_path / "postgres/postmaster.pid").read_text().splitlines()[0])
        lines = (tmp_path / "postgres/postmaster.pid").read_text().splitlines()
        os.kill(pid, signal.SIGKILL)
    lines[0] = str(os.getpid())
    (tmp_path / "postgres/postmaster.pid").write_text("\n".join(lines) + "\n")
    with database(settings(None, data_dir=tmp_path)) as after:
        assert _is_up(after)
    assert not _is_up(url)


@pytest.mark.trial("processes", "Processes that share the embedded PostgreSQL start at once")
def test_processes_that_start_at_once_share_one_server(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as threads:
        held = list(threads.map(_hold, [tmp_path] * 4))
    (url,) = {url for _, url in held}
    assert _is_up(url)
    for process, _ in held:
        process.communicate()
    assert not _is_up(url)


def _server(folder: Path) -> psutil.Process:
    return psutil.Process(int((folder / "postgres/postmaster.pid").read_text().splitlines()[0]))


def _wait_until_up(url: str) -> None:
    deadline = time.monotonic() + 60
    while not _is_up(url):
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.trial("PostgreSQL", "The embedded one is killed")
def test_a_killed_server_is_started_again_with_all_its_data(tmp_path: Path) -> None:
    with database(settings(None, data_dir=tmp_path)) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("create table kept as select 1 as number")
        # The second time with a helper that is busy and does not notice.
        for frozen in (False, True):
            server = _server(tmp_path)
            helpers = server.children()
            if frozen:
                helpers[0].suspend()
            server.kill()
            psutil.wait_procs([server], 10)
            _wait_until_up(url)
            assert _server(tmp_path) != server
            assert not any(
                one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in helpers
            )
            with psycopg.connect(url) as connection:
                assert connection.execute("select number from kept").fetchone() == (1,)
    assert not _is_up(url)


@pytest.mark.trial("PostgreSQL", "The embedded one hangs")
def test_a_server_that_hangs_is_restarted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "PROBE_SECONDS", 2.0)
    monkeypatch.setattr(liveness, "SILENT_SECONDS", 1.0)
    monkeypatch.setattr(liveness, "BUSY_FACTOR", 1.0)
    with database(settings(None, data_dir=tmp_path)) as url:
        time.sleep(4)
        server = _server(tmp_path)
        server.suspend()
        psutil.wait_procs([server], 60)
        _wait_until_up(url)
        assert _server(tmp_path) != server


def test_a_server_that_hangs_when_it_is_found_is_restarted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.installation.embedded_database.TAKE_OVER_SECONDS", 1.0)
    holder, _ = _hold(tmp_path)
    holder.kill()
    holder.communicate()
    server = _server(tmp_path)
    server.suspend()
    with database(settings(None, data_dir=tmp_path)) as url:
        assert _is_up(url)
        assert _server(tmp_path) != server
    assert not _is_up(url)


def test_a_connection_whose_server_process_hangs_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(liveness, "PROBE_SECONDS", 1.0)
    monkeypatch.setattr(liveness, "STOPPED_SECONDS", 1.0)
    with database(settings(None, data_dir=tmp_path)) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            hanging = psutil.Process(connection.info.backend_pid)
            hanging.suspend()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("select 1")
        _wait_until_up(url)
        assert hanging not in _server(tmp_path).children()


@pytest.mark.trial("PostgreSQL", "The embedded one left a process id that is another's now")
def test_another_server_with_the_same_process_id_is_not_taken_for_ours(
    server: str, tmp_path: Path
) -> None:
    with database(settings(None, data_dir=tmp_path)):
        kept = (tmp_path / "postgres/postmaster.pid").read_text().splitlines()
    with psycopg.connect(server) as connection:
        row = connection.execute("select pg_backend_pid()").fetchone()
        assert row is not None
        kept[0] = str(row[0])
        (tmp_path / "postgres/postmaster.pid").write_text("\n".join(kept) + "\n")
        with database(settings(None, data_dir=tmp_path)) as url:
            assert _is_up(url)
