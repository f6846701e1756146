"""Who gets past the guard before the Dagster UI: its own pages and programs, and no other page.

The guard stands before a page that says yes to everything, behind a real server, and is asked by
plain sockets, so that each header is sent as it is written here.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import uvicorn
from pydantic import SecretStr
from starlette.types import Receive, Scope, Send
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from pipeline.installation.settings import ConfigurationError, Settings
from pipeline.orchestration.guard import Guard
from pipeline.orchestration.webserver import allowed_hosts, serve

KEY = "a key of the operator"
QUERY = json.dumps({"query": "{ version }"})
MUTATION = 'mutation { shutdownRepositoryLocation(repositoryLocationName: "x") { __typename } }'
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


class Ui:
    """Says yes to everything, as the Dagster UI does, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        self.asked.append(f"{scope.get('method', 'WEBSOCKET')} {scope['path']}")
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept", "subprotocol": "graphql-ws"})
            return
        headers = [(b"referrer-policy", b"unsafe-url"), (b"content-security-policy", b"base-uri *")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"yes"})


class Server:
    def __init__(self, port: int, ui: Ui) -> None:
        self.port = port
        self.ui = ui
        self.own = f"http://127.0.0.1:{port}"

    def ask(
        self, method: str, path: str, headers: Any = None, body: str = "", host: str | None = None
    ) -> http.client.HTTPResponse:
        """``headers`` is a mapping, or a list of pairs in which names may come again."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", f"127.0.0.1:{self.port}" if host is None else host)
        pairs = headers.items() if isinstance(headers, dict) else headers or []
        for name, value in pairs:
            connection.putheader(name, value.replace("{port}", str(self.port)))
        if body:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body.encode() or None)
        answer = connection.getresponse()
        answer.read()
        return answer

    def upgrade(self, host: str | None = None, **headers: str) -> None:
        """Open a WebSocket and close it."""
        given = {name.replace("_", "-"): value.replace("{port}", str(self.port))
                 for name, value in headers.items()}  # fmt: skip
        with connect(
            f"ws://{host or '127.0.0.1'}:{self.port}/graphql", additional_headers=given,
            subprotocols=["graphql-ws"], proxy=None,  # type: ignore[list-item]
            sock=socket.create_connection(("127.0.0.1", self.port)),
        ):  # fmt: skip
            pass


@contextmanager
def guarded(key: str | None = None) -> Iterator[Server]:
    ui = Ui()
    guard = Guard(ui, hosts={"ui.internal", "192.0.2.7"}, key=SecretStr(key) if key else None)
    config = uvicorn.Config(guard, port=0, log_config=None, proxy_headers=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield Server(server.servers[0].sockets[0].getsockname()[1], ui)
    finally:
        server.should_exit = True
        thread.join(15)


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with guarded() as server:
        yield server


@pytest.fixture
def server(running: Server) -> Server:
    running.ui.asked.clear()
    return running


@pytest.fixture(scope="module")
def running_with_key() -> Iterator[Server]:
    with guarded(KEY) as server:
        yield server


@pytest.fixture
def locked(running_with_key: Server) -> Server:
    running_with_key.ui.asked.clear()
    return running_with_key


OWN = {"Origin": "http://127.0.0.1:{port}", "Sec-Fetch-Site": "same-origin"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "body"),
    [
        ("GET", "/runs", {}, ""),
        ("GET", "/runs", {"Sec-Fetch-Site": "none", **NAVIGATION}, ""),
        ("GET", "/runs", {"Referer": "http://127.0.0.1:{port}/"}, ""),
        ("HEAD", "/", {}, ""),
        ("GET", "/graphql", {"Accept": "text/html"}, ""),
        ("POST", "/graphql", JSON | OWN, QUERY),
        ("POST", "/graphql", JSON, QUERY),
        ("POST", "/graphql", {"Content-Type": "Application/JSON ; charset=utf-8"} | OWN, QUERY),
        ("GET", "/server_info", {}, ""),
    ],
)
def test_the_own_page_and_programs_are_answered(
    server: Server, method: str, path: str, headers: dict[str, str], body: str
) -> None:
    assert server.ask(method, path, headers, body).status == 200
    assert server.ui.asked == [f"{method} {path}"]


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:80", "127.0.0.1", "127.8.9.1:3000", "[::1]", "[::1]:3000",
     "ui.internal", "UI.internal:8443", "192.0.2.7:3000"],
)  # fmt: skip
def test_own_names_are_answered(server: Server, host: str) -> None:
    assert server.ask("GET", "/", host=host).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "evil.example:3000",
     "localhost.", "localhost:evil", "localhost@evil.example", "evil.example#localhost",
     "localhost evil.example", "localhost,evil.example", "127.1", "2130706433", "0x7f.0.0.1",
     "0.0.0.0", "[::]", "[::1", "::1", "192.0.2.8", "xlocalhost", "ui.internal.evil.example",
     "\\localhost", "", "localhost/", "[localhost]", "localhost:", "127.0.0.1%00"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.trial("page", "A name is rebound to this machine")
def test_a_rebound_name_is_refused(server: Server, host: str, method: str) -> None:
    headers = {"Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"} | JSON
    assert server.ask(method, "/graphql", headers, QUERY, host=host).status in (400, 421)
    assert server.ask("GET", "/runs", host=host).status in (400, 421)
    assert server.ui.asked == []


def test_the_name_is_that_of_the_host_header_alone(server: Server) -> None:
    for name in ("X-Forwarded-Host", "X-Original-Host", "X-Host", "Forwarded"):
        headers = {name: "localhost"}
        assert server.ask("GET", "/runs", headers, host="evil.example").status == 421
    assert server.ask("GET", "/", [("Host", "evil.example")], host="localhost").status in (400, 421)
    assert server.ask("GET", "http://localhost/runs", host="evil.example").status == 421
    assert server.ui.asked == []


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:{port}"},
    {"Origin": "http://127.0.0.1"},
    {"Origin": "http://127.0.0.1:{port}.evil.example"},
    {"Origin": "http://127.0.0.1:{port}/"},
    {"Origin": "file://"},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": ""},
    {"Origin": "http://127.0.0.1:{port}", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    {"Referer": "https://evil.example/http://127.0.0.1:{port}/"},
    {"Referer": "http://127.0.0.1:{port}.evil.example/"},
    {"Origin": "https://evil.example", "Referer": "http://127.0.0.1:{port}/"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/graphql"), ("GET", "/runs"), ("GET", "/logs/x.err"), ("HEAD", "/favicon.png"),
     ("POST", "/report_asset_materialization/jobs"), ("GET", "/graphql?query=%7Bversion%7D")],
)  # fmt: skip
@pytest.mark.trial("page", "A page of another site asks")
def test_another_sites_page_is_refused(
    server: Server, method: str, path: str, headers: dict[str, str]
) -> None:
    body = QUERY if method == "POST" else ""
    assert server.ask(method, path, headers | JSON, body).status == 403
    assert server.ui.asked == []


@pytest.mark.trial("page", "Headers come twice")
def test_headers_that_come_twice_are_all_looked_at(server: Server) -> None:
    own, evil = ("Origin", "http://127.0.0.1:{port}"), ("Origin", "https://evil.example")
    json_type, text = ("Content-Type", "application/json"), ("Content-Type", "text/plain")
    for pairs in ([own, evil, json_type], [evil, own, json_type]):
        assert server.ask("POST", "/graphql", pairs, QUERY).status == 403
    for pairs in ([json_type, text], [text, json_type]):
        assert server.ask("POST", "/graphql", pairs, QUERY).status == 415
    assert server.ui.asked == []


def test_a_link_leads_to_a_page_and_to_nothing_else(server: Server) -> None:
    link = NAVIGATION | {"Sec-Fetch-Site": "cross-site", "Referer": "https://wiki.example/"}
    assert server.ask("GET", "/runs", link).status == 200
    server.ui.asked.clear()
    assert server.ask("GET", "/graphql", link).status == 403
    assert server.ask("POST", "/runs", link | JSON, QUERY).status == 403
    assert server.ask("GET", "/runs", link | {"Sec-Fetch-Dest": "iframe"}).status == 403
    assert server.ask("GET", "/runs", link | {"Sec-Fetch-Mode": "no-cors"}).status == 403
    assert server.ui.asked == []


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path",
    ["/graphql?query=", "/%67raphql?query=", "/graphql?a=1&query=", "/graphql?%71uery=",
     "/graphql?query=%7Bversion%7D&query="],
)  # fmt: skip
@pytest.mark.trial("page", "An image is a command")
def test_graphql_by_get_is_refused_even_to_the_own_page(
    server: Server, method: str, path: str
) -> None:
    same_origin = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "image"}
    for headers in ({}, same_origin):
        assert server.ask(method, path + quote(MUTATION), headers).status == 405
    assert server.ui.asked == []


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
     "text/plain; x=application/json", "application/graphql", "application/jsonx",
     "multipart/form-data; boundary=application/json", "application/json, text/plain", ""],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/graphql", "/graphql?query=x", "/report_asset_check/jobs", "/x"])
@pytest.mark.trial("page", "A form is a command")
def test_a_post_that_any_page_can_send_is_refused(
    server: Server, path: str, content_type: str
) -> None:
    for headers in (OWN, {}):
        answer = server.ask("POST", path, headers | {"Content-Type": content_type}, QUERY)
        assert answer.status == 415
    assert server.ask("POST", path, {}, QUERY).status == 415
    assert server.ui.asked == []


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "QUERY", "get"])
def test_other_methods_are_refused(server: Server, method: str) -> None:
    assert server.ask(method, "/graphql", JSON).status in (400, 405)
    assert server.ui.asked == []


def test_the_own_page_and_programs_may_subscribe(server: Server) -> None:
    server.upgrade(Origin="http://127.0.0.1:{port}", Sec_Fetch_Site="same-origin")
    server.upgrade()
    server.upgrade("ui.internal", Origin="https://ui.internal:{port}")
    assert server.ui.asked == ["WEBSOCKET /graphql"] * 3


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.trial("page", "A page of another site opens a WebSocket")
def test_another_sites_page_may_not_subscribe(server: Server, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        server.upgrade(**{name.replace("-", "_"): value for name, value in headers.items()})
    with pytest.raises(InvalidStatus, match="403"):
        server.upgrade("evil.example", Origin="http://evil.example:{port}")
    assert server.ui.asked == []


@pytest.mark.parametrize(
    ("path", "headers"), [("/", {}), ("/graphql?query=x", {}), ("/", {"Origin": "http://x"})]
)
@pytest.mark.trial("page", "A page frames the UI, or the UI would load from elsewhere")
def test_no_answer_can_be_framed_or_loads_from_elsewhere(
    server: Server, path: str, headers: dict[str, str]
) -> None:
    answer = server.ask("GET", path, headers)
    policies = answer.headers.get_all("Content-Security-Policy")
    assert policies is not None
    own = policies[-1]
    assert "frame-ancestors 'none'" in own
    assert "img-src 'self' data: blob:;" in own
    assert "default-src 'self'" in own
    assert "http" not in own
    assert answer.headers.get_all("Referrer-Policy") == ["same-origin"]
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {KEY}"},
     {"Authorization": f"Bearer {KEY}x"}, {"Authorization": "Bearer "}, {"X-API-Key": KEY},
     {"Cookie": "job_market_ui="}, {"Cookie": f"job_market_ui={KEY}"},
     {"Authorization": "Bearer cl\xe9"}],
    ids=str,
)  # fmt: skip
@pytest.mark.trial("key", "The Dagster UI is asked without its key")
def test_without_the_key_nothing_is_answered(locked: Server, headers: dict[str, str]) -> None:
    assert locked.ask("GET", "/runs", headers).status == 401
    assert locked.ask("GET", "/_next/static/x.js", headers).status == 401
    assert locked.ask("POST", "/graphql", headers | JSON, QUERY).status == 401
    with pytest.raises(InvalidStatus, match="403"):
        locked.upgrade(**headers)
    assert locked.ask("GET", "/server_info", headers).status == 200
    assert locked.ui.asked == []


def test_a_program_sends_the_key(locked: Server) -> None:
    headers = {"Authorization": f"bearer {KEY}"}
    assert locked.ask("POST", "/graphql", headers | JSON, QUERY).status == 200
    locked.upgrade(**headers)
    assert locked.ui.asked == ["POST /graphql", "WEBSOCKET /graphql"]


def test_a_browser_logs_in(locked: Server) -> None:
    page = locked.ask("GET", "/runs", {"Accept": "text/html", **NAVIGATION})
    assert page.status == 401
    assert page.headers["Content-Type"].startswith("text/html")
    answer = locked.ask("POST", "/login", FORM | OWN, urlencode({"key": KEY}))
    assert answer.status == 303
    assert answer.headers["Location"] == "/"
    cookie, *attributes = answer.headers["Set-Cookie"].split("; ")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(attributes)
    assert KEY not in cookie
    assert locked.ask("GET", "/runs", {"Cookie": f"a=b; {cookie}"}).status == 200
    assert locked.ask("POST", "/graphql", JSON | OWN | {"Cookie": cookie}, QUERY).status == 200
    locked.upgrade(Cookie=cookie, Origin="http://127.0.0.1:{port}")
    # The cookie is no way around the rest.
    foreign = {"Cookie": cookie, "Origin": "https://evil.example"}
    assert locked.ask("POST", "/graphql", JSON | foreign, QUERY).status == 403
    assert locked.ask("GET", f"/graphql?query={quote(MUTATION)}", {"Cookie": cookie}).status == 405


@pytest.mark.parametrize(
    "body", ["key=wrong", "", "key=", "key[]=x", "=", "%", "key=" + "x" * 100_000, "key=%ff"]
)
def test_another_key_does_not_log_in(locked: Server, body: str) -> None:
    answer = locked.ask("POST", "/login", FORM | OWN, body)
    assert answer.status in (401, 413)
    assert "Set-Cookie" not in answer.headers


@pytest.mark.trial("page", "A page of another site tries keys")
def test_another_sites_page_cannot_log_in(locked: Server) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = locked.ask("POST", "/login", FORM | headers, urlencode({"key": KEY}))
        assert answer.status == 403


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "ui.internal", ""])
@pytest.mark.trial("key", "The Dagster UI is to listen beyond this machine without a key")
def test_beyond_this_machine_it_does_not_start_without_a_key(host: str) -> None:
    with pytest.raises(ConfigurationError, match="DAGSTER_KEY is not set"):
        serve(Settings(_env_file=None, dagster_host=host))


def test_the_names_are_those_of_the_configuration() -> None:
    settings = Settings(
        _env_file=None, dagster_host="0.0.0.0", dagster_url="http://dagster-webserver:3000",
        dagster_allowed_hosts="UI.internal, 192.0.2.7",
    )  # fmt: skip
    assert allowed_hosts(settings) == {"dagster-webserver", "ui.internal", "192.0.2.7"}
    assert allowed_hosts(Settings(_env_file=None)) == {"127.0.0.1"}
