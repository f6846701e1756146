"""The signs of life of Dagster's processes without a web page, for the supervisor."""

from __future__ import annotations

import time

import grpc
import psycopg
from grpc_health.v1 import health_pb2, health_pb2_grpc

from pipeline.installation import database, liveness
from pipeline.installation.settings import ConfigurationError, Settings
from pipeline.installation.supervisor import Sign

HEARTBEAT_SECONDS = 90.0
"""The daemon writes a heartbeat every 30 s."""

CODE_SERVER_SECONDS = 60.0
"""How long Dagster's other processes wait for the code server before they start without it."""


def wait_for_code_server(settings: Settings) -> None:
    """Wait until the code server answers, but no longer than :data:`CODE_SERVER_SECONDS`. Who
    starts before it shows no definitions until it asks again."""
    answers = code_server_answers(settings.dagster_code_port, settings.dagster_code_host)
    latest = time.monotonic() + CODE_SERVER_SECONDS
    while not answers(0) and time.monotonic() <= latest:
        time.sleep(0.2)


def code_server_answers(port: int, host: str = "127.0.0.1") -> Sign:
    """The code server answers the health check of gRPC."""

    def answers(started: float) -> bool:
        asked = health_pb2.HealthCheckRequest(service="DagsterApi")
        with grpc.insecure_channel(f"{host}:{port}") as channel:
            try:
                answer = health_pb2_grpc.HealthStub(channel).Check(
                    asked, timeout=liveness.PROBE_SECONDS
                )
            except grpc.RpcError:
                return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    return answers


def daemon_answers(settings: Settings) -> Sign:
    """The daemon has written a heartbeat of late. Where the database is away or the daemon has
    only just started, that cannot be told."""

    def answers(started: float) -> bool | None:
        try:
            with database.connect(settings) as connection:
                row = connection.execute(
                    "select extract(epoch from max(timestamp)) from dagster.daemon_heartbeats"
                ).fetchone()
        except (ConfigurationError, psycopg.Error):
            return None
        last = float(row[0]) if row and row[0] is not None else 0.0
        if last < started:
            # The heartbeat of the process before.
            return False
        return time.time() - last < HEARTBEAT_SECONDS

    return answers
