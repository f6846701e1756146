"""The signs by which the supervisor tells that Dagster's processes work."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from pipeline.installation import database, liveness
from pipeline.installation.settings import Settings
from pipeline.orchestration.signs import HEARTBEAT_SECONDS, code_server_answers, daemon_answers


@pytest.mark.trial("processes", "The code server is not ready, or hangs")
def test_the_code_server_answers_when_it_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "PROBE_SECONDS", 2.0)
    server = grpc.server(ThreadPoolExecutor(1))
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    answers = code_server_answers(port)
    assert answers(0) is False, "it has not loaded the definitions yet"
    servicer.set("DagsterApi", health_pb2.HealthCheckResponse.SERVING)
    assert answers(0) is True
    server.stop(None).wait()
    assert answers(0) is False
    with socket.create_server(("127.0.0.1", 0)) as silent:
        # As the kernel does for a process that is stopped.
        assert code_server_answers(silent.getsockname()[1])(0) is False


@pytest.mark.trial("processes", "The daemon hangs")
def test_the_daemon_answers_by_its_heartbeats(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path)
    with database.database(settings) as url:
        answers = daemon_answers(Settings(_env_file=None, database_url=url))
        started = time.time() - 1_000
        assert answers(started) is None, "Dagster has made no tables yet"
        with database.connect(Settings(_env_file=None, database_url=url)) as connection:
            connection.execute("create schema dagster")
            connection.execute("create table dagster.daemon_heartbeats (timestamp timestamp)")
            assert answers(started) is False

            def beat(seconds_ago: float) -> None:
                connection.execute("delete from dagster.daemon_heartbeats")
                connection.execute(
                    "insert into dagster.daemon_heartbeats"
                    " select to_timestamp(%s) at time zone 'UTC'",
                    (time.time() - seconds_ago,),
                )

            beat(5)
            assert answers(started) is True
            assert answers(time.time()) is False, "the heartbeat of the process before"
            beat(HEARTBEAT_SECONDS + 5)
            assert answers(started) is False
    assert answers(started) is None, "without a database it cannot be told"
