"""One request of a source over real HTTP: what is retried, refused, bounded and kept secret."""

from __future__ import annotations

import gzip
import json
import logging
import socket
import threading
import time
import traceback
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict
from requests import Request as PlainRequest

from pipeline.extract.client import Client
from pipeline.extract.errors import (
    AuthenticationError,
    EndpointMissingError,
    FetchError,
    FetchLimitError,
    InvalidResponseError,
    QuotaExhaustedError,
    RateLimitedError,
    SourceUnavailableError,
)
from pipeline.extract.quota import Quota
from pipeline.extract.redirects import origin
from pipeline.installation.settings import SourceSettings
from pipeline.simulator.faults import (
    Fault,
    dropped_connection,
    hang,
    html_instead_of_json,
    rate_limited,
    server_error,
    slow_drip,
    truncated_json,
)
from pipeline.simulator.messages import Response
from pipeline.simulator.server import Simulator

SECRET = "s3cr3t/+key"
PATH = "/v1/api/jobs/gb/search/1"


class Settings(SourceSettings):
    model_config = SettingsConfigDict(env_prefix="ADZUNA_", env_file=None)
    api_key: Annotated[SecretStr, Field(validation_alias="ADZUNA_API_KEY")] = SecretStr(SECRET)
    pages_per_query: int = 10

    @property
    def pages_per_fetch(self) -> int:
        return self.pages_per_query


@pytest.fixture
def server() -> Iterator[Simulator]:
    with Simulator() as server:
        server.give("adzuna", {"results": [1]})
        yield server


Make = Callable[..., Client]


@pytest.fixture
def make(server: Simulator, tmp_path: Path) -> Make:
    def make(**overrides: Any) -> Client:
        values = {
            "base_url": server.base_url("adzuna"),
            "max_seconds": 5,
            "timeout_seconds": 1,
            "max_attempts": 3,
            "max_retry_delay_seconds": 0.05,
        }
        settings = Settings(**(values | overrides))
        return Client("adzuna", settings, Quota("adzuna", settings, tmp_path))

    return make


def ask(client: Client) -> Any:
    return client.get_json(PATH, {"app_key": SecretStr(SECRET), "page": 1})


def reply(body: bytes, status: int = 200, **headers: str) -> Fault:
    return Fault(lambda _: Response(status, headers, body), times=None)


def test_a_request_carries_its_parameters_and_says_who_asks(server: Simulator, make: Make) -> None:
    client = make()
    answer = client.get_json(
        PATH, {"app_key": SecretStr(f" {SECRET}\n")}, {"X-Key": SecretStr(SECRET)}
    )
    assert answer == {"results": [1]}
    (request,) = server.requests
    assert request.query == {"app_key": SECRET}
    assert request.headers["x-key"] == SECRET
    assert request.headers["user-agent"].startswith("job-market-pipeline")


@pytest.mark.parametrize(
    "fault",
    [
        rate_limited(retry_after=0, times=2),
        rate_limited(retry_after=None, times=2),
        server_error(2, 500),
        server_error(2, 503),
        dropped_connection(2),
        truncated_json(2, announce_whole=True),
        hang(10, 2),
    ],
    ids=["429", "429 without pause", "500", "503", "dropped", "broke off", "silent"],
)
def test_a_passing_fault_is_asked_again(server: Simulator, make: Make, fault: Fault) -> None:
    server.fault("adzuna", fault)
    client = make(timeout_seconds=0.2)
    assert ask(client) == {"results": [1]}
    assert client.requests == len(server.requests) == 3


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (server_error(None, 500), SourceUnavailableError, "HTTP 500"),
        (rate_limited(retry_after=None, times=None), RateLimitedError, "HTTP 429"),
        (dropped_connection(None), SourceUnavailableError, "closed without an answer"),
        (truncated_json(None, announce_whole=True), SourceUnavailableError, "broke off"),
        (hang(10, None), SourceUnavailableError, "no answer within 0.2 s"),
    ],
)
def test_a_lasting_fault_ends_after_the_attempts(
    server: Simulator, make: Make, fault: Fault, error: type[FetchError], words: str
) -> None:
    server.fault("adzuna", fault)
    client = make(timeout_seconds=0.2)
    with pytest.raises(error, match=words):
        ask(client)
    assert client.requests == 3


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (truncated_json(None), InvalidResponseError, "broken JSON"),
        (html_instead_of_json(None), InvalidResponseError, "HTML in place of JSON"),
        (reply(b""), InvalidResponseError, "nothing in place of JSON"),
        (reply(b"[" * 200_000), InvalidResponseError, "broken JSON"),
        (
            reply(b"[" + b"[]," * 2_000_000 + b"[]]"),
            InvalidResponseError,
            "3,000,000 values at once",
        ),
        (
            reply(b'{"results": [' + b"{}," * 100_001 + b"{}]}"),
            InvalidResponseError,
            "100,000 postings at once",
        ),
        (
            reply(b"no gzip at all", **{"Content-Encoding": "gzip"}),
            SourceUnavailableError,
            "compression",
        ),
        (html_instead_of_json(None, 403), AuthenticationError, "Check ADZUNA_API_KEY"),
        (reply(b'{"display": "no such <b>page</b>."}', 404), EndpointMissingError, "no such page"),
        (reply(b"{}", 302, Location="/elsewhere"), EndpointMissingError, "HTTP 404"),
        (reply(b"", 302, Location="//[bad"), InvalidResponseError, "another address"),
    ],
)
def test_an_answer_that_asking_again_would_not_change_is_asked_for_once(
    server: Simulator, make: Make, fault: Fault, error: type[FetchError], words: str
) -> None:
    server.fault("adzuna", fault)
    with pytest.raises(error, match=words):
        ask(make())
    assert len(server.requests_to("adzuna")) == 1


@pytest.mark.trial("sources", "It limits the rate for a moment")
def test_the_pause_of_retry_after_is_kept(server: Simulator, make: Make) -> None:
    server.fault("adzuna", rate_limited(retry_after=1))
    assert ask(make(max_retry_delay_seconds=2)) == {"results": [1]}
    first, second = server.requests
    assert second.received_at - first.received_at >= 0.99


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
@pytest.mark.trial("sources", "It asks for a pause longer than a fetch")
def test_a_long_pause_ends_the_fetch_and_outlives_it(
    server: Simulator, make: Make, status: int, form: str
) -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    asked = "3600" if form == "seconds" else format_datetime(at, usegmt=True)
    server.fault("adzuna", reply(b"{}", status, **{"Retry-After": asked}))
    with pytest.raises(RateLimitedError, match="asked again after 20") as caught:
        ask(make())
    assert caught.value.retry_at is not None
    assert abs(caught.value.retry_at - at) < timedelta(seconds=5)
    server.heal("adzuna")
    with pytest.raises(QuotaExhaustedError, match="asked for a pause"):
        ask(make())
    assert len(server.requests) == 1


def test_a_pause_beyond_the_time_left_is_not_waited_for(server: Simulator, make: Make) -> None:
    server.fault("adzuna", rate_limited(retry_after=2))
    started = time.monotonic()
    with pytest.raises(RateLimitedError):
        ask(make(max_seconds=1, max_retry_delay_seconds=30))
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("status", [200, 429])
@pytest.mark.parametrize("form", ["seconds", "unix time"])
@pytest.mark.trial("sources", "The plan has no requests left")
def test_no_request_is_sent_once_rapidapi_has_none_left(
    server: Simulator, make: Make, status: int, form: str
) -> None:
    reset = "7200" if form == "seconds" else str(round(time.time()) + 7200)
    headers = {"X-RateLimit-Requests-Remaining": "0", "X-RateLimit-Requests-Reset": reset}
    server.fault("adzuna", reply(b"{}", status, **headers))
    if status == 200:
        assert ask(make()) == {}
    else:
        with pytest.raises(RateLimitedError, match="asked again after"):
            ask(make())
    with pytest.raises(QuotaExhaustedError) as caught:
        ask(make())
    assert caught.value.retry_at is not None
    assert caught.value.retry_at > datetime.now(UTC) + timedelta(minutes=119)
    assert len(server.requests) == 1


def test_retries_are_taken_from_the_quota(server: Simulator, make: Make) -> None:
    server.fault("adzuna", server_error(None))
    client = make(quota_per_day=2, max_attempts=5)
    with pytest.raises(QuotaExhaustedError, match="2 requests a day"):
        ask(client)
    assert len(server.requests) == client.requests == 2


@pytest.mark.trial("sources", "Its pages do not end")
def test_pages_are_bounded(server: Simulator, make: Make) -> None:
    client = make(pages_per_query=2)
    ask(client), ask(client)
    with pytest.raises(FetchLimitError, match="raise ADZUNA_PAGES_PER_QUERY"):
        ask(client)
    assert len(server.requests) == 2


@pytest.mark.trial("sources", "Its body drips, whatever it is to be")
def test_a_drip_never_exceeds_the_time(server: Simulator, make: Make) -> None:
    server.give("adzuna", b" " * 1_000_000)
    server.fault("adzuna", slow_drip(100))
    started = time.monotonic()
    with pytest.raises(FetchLimitError, match="raise ADZUNA_MAX_SECONDS"):
        ask(make(max_seconds=0.5))
    assert time.monotonic() - started < 2


def test_a_body_that_stalls_is_no_answer_in_time(server: Simulator, make: Make) -> None:
    server.give("adzuna", b" " * 1_000)
    server.fault("adzuna", slow_drip(0.5, times=None))
    with pytest.raises(SourceUnavailableError, match=r"no answer within 0\.2 s"):
        ask(make(timeout_seconds=0.2, max_attempts=2))
    assert len(server.requests) == 2


@pytest.mark.trial("sources", "Its headers drip")
def test_headers_that_drip_never_exceed_the_time(make: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not over.wait(0.1):
                    try:
                        connection.sendall(b"X-More: 1\r\n")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        started = time.monotonic()
        port = listener.getsockname()[1]
        with pytest.raises(FetchLimitError, match="MAX_SECONDS"):
            ask(make(base_url=f"http://127.0.0.1:{port}", max_seconds=0.5))
        assert time.monotonic() - started < 2
        over.set()
        thread.join()


BOMB = gzip.compress(b" " * 100_000_000)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(lambda _: Response(200, {}, b"1" * 2_000_000)),
        Fault(lambda _: Response(200, {}, b"[]", announced_length=10**12)),
        Fault(lambda _: Response(200, {"Content-Encoding": "gzip"}, BOMB)),
        Fault(lambda _: Response(302, {"Content-Encoding": "gzip", "Location": "/x"}, BOMB)),
        Fault(lambda _: Response(500, {"Content-Encoding": "gzip"}, BOMB)),
    ],
    ids=["large", "announced", "compressed", "compressed redirect", "compressed error"],
)
@pytest.mark.trial(
    "sources",
    "Its answer is huge, is announced as huge, or unpacks to something huge",
)
def test_bytes_are_bounded(server: Simulator, make: Make, fault: Fault) -> None:
    server.fault("adzuna", fault)
    client = make(max_megabytes=1)
    tracemalloc.start()
    try:
        with pytest.raises(FetchLimitError, match="raise ADZUNA_MAX_MEGABYTES"):
            ask(client)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    assert len(server.requests) == 1


@pytest.mark.trial("sources", "Its pages are huge together")
def test_the_bytes_of_all_pages_count_together(server: Simulator, make: Make) -> None:
    server.give("adzuna", json.dumps("x" * 700_000).encode())
    client = make(max_megabytes=1)
    ask(client)
    with pytest.raises(FetchLimitError):
        ask(client)


@pytest.mark.trial("sources", "Its JSON holds NUL, lone surrogates, NaN or endless numbers")
def test_what_json_should_not_hold_is_read_all_the_same(server: Simulator, make: Make) -> None:
    body = rb'{"a": NaN, "b": -Infinity, "c": "\u0000x", "d": "\ud800", "e": 123456789012345678901'
    server.give("adzuna", b"\xef\xbb\xbf" + body + b', "f": ' + b"9" * 5000 + b', "g": "\xff"}')
    assert ask(make()) == {
        "a": None, "b": None, "c": "\0x", "d": "\ud800", "e": 123456789012345678901,
        "f": "9" * 5000, "g": "�",
    }  # fmt: skip


def test_a_compressed_and_a_chunked_answer_are_read(server: Simulator, make: Make) -> None:
    packed = gzip.compress(json.dumps(["x"] * 50_000).encode())
    server.give("adzuna", packed, headers={"Content-Encoding": "gzip"})
    assert len(ask(make())) == 50_000


def test_a_redirect_within_the_origin_is_followed(server: Simulator, make: Make) -> None:
    target = f"/adzuna{PATH}?moved=1"
    server.fault("adzuna", Fault(lambda _: Response(308, {"Location": target}, b"")))
    client = make()
    assert ask(client) == {"results": [1]}
    assert server.requests[1].query == {"moved": "1"}
    assert client.requests == 2


@pytest.mark.trial("sources", "Its redirects go in a circle")
def test_redirects_in_a_circle_end(server: Simulator, make: Make) -> None:
    server.fault("adzuna", reply(b"", 302, Location=f"/adzuna{PATH}"))
    with pytest.raises(InvalidResponseError, match="in a circle"):
        ask(make())


@pytest.mark.trial("key", "A redirect would carry a key of a source elsewhere")
def test_keys_do_not_follow_a_redirect_to_another_host(server: Simulator, make: Make) -> None:
    with Simulator() as other:
        location = f"{other.base_url('adzuna')}{PATH}?app_key={SECRET}"
        server.fault("adzuna", reply(b"", 302, Location=location))
        with pytest.raises(InvalidResponseError, match="another address"):
            ask(make())
        assert other.requests == []


@pytest.mark.parametrize(
    "location",
    [
        r"//{other}\@{own}/x",
        r"http://{other}\@{own}/x",
        r"\\{other}/x",
        r"/\{other}/x",
        "//{own}@{other}/x",
        "//user:pass@{own}/x",
        "//{other}#@{own}/x",
        "//{other}?@{own}/x",
        "//{other}%40{own}/x",
        "//{other}%2f@{own}/x",
        "//{other}\t@{own}/x",
        "/\t/{other}/x",
        " //{other}/x",
        "//{own}\x0b.{other}/x",
        "//{own_host}:{other_port}/x",
        "//{own_host}/x",
        "//{own_host}.:{own_port}/x",
        "//{own_host}%2e:{own_port}/x",
        "//127\u30020\u30020\u30021:{own_port}/x",
        "//127\uff0e0\uff0e0\uff0e1:{own_port}/x",
        "//\u24d627.0.0.1:{own_port}/x",
        "//loc\u0430lhost:{own_port}/x",
        "//localhost:{own_port}/x",
        "//2130706433:{own_port}/x",
        "//[::1]:{own_port}/x",
        "//[::ffff:127.0.0.1]:{own_port}/x",
        "//[fe80::1%25lo]:{own_port}/x",
        "//[::1/x",
        "//{own}:{own_port}/x",
        "//{own_host}:99999/x",
        "https://{own}/x",
        "ftp://{own}/x",
        "javascript:alert(1)",
        "file:///etc/passwd",
    ],
    ids=ascii,
)
@pytest.mark.trial("text", "A redirect leads to another host, however spelled")
def test_no_spelling_of_another_host_is_followed(
    server: Simulator, make: Make, location: str
) -> None:
    with Simulator() as other:
        own = server.url.removeprefix("http://")
        host, _, port = own.partition(":")
        location = location.format(
            own=own, own_host=host, own_port=port,
            other=other.url.removeprefix("http://"), other_port=other.url.rpartition(":")[2],
        )  # fmt: skip
        # A header is sent as Latin-1; this is what UTF-8 in it is read as.
        sent = location.encode().decode("latin-1")
        server.fault("adzuna", Fault(lambda _: Response(302, {"Location": sent}, b""), times=None))
        with pytest.raises(FetchError):
            ask(make())
        assert other.requests == []
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "location", ["///{other}/x", "////{other}/x", "http:///{other}/x", "http:{other}/x"]
)
def test_a_path_that_others_read_as_a_host_stays_here(
    server: Simulator, make: Make, location: str
) -> None:
    with Simulator() as other:
        target = location.format(other=other.url.removeprefix("http://"))
        server.fault("adzuna", Fault(lambda _: Response(302, {"Location": target}, b"")))
        with pytest.raises((InvalidResponseError, EndpointMissingError)):
            ask(make())
        assert other.requests == []


@pytest.mark.parametrize(
    "location",
    ["HTTP://{own}/adzuna{path}?moved=1", "//{own}/adzuna{path}?moved=1", "?moved=1",
     "./1?moved=1#top", "../search/1?moved=1"],
)  # fmt: skip
def test_the_own_origin_is_followed_in_every_spelling(
    server: Simulator, make: Make, location: str
) -> None:
    target = location.format(own=server.url.removeprefix("http://"), path=PATH)
    server.fault("adzuna", Fault(lambda _: Response(307, {"Location": target}, b"")))
    assert ask(make()) == {"results": [1]}
    assert server.requests[1].path == f"/adzuna{PATH}"
    assert server.requests[1].query == {"moved": "1"}


@pytest.mark.parametrize(
    ("here", "there", "same"),
    [
        ("https://API.good.example/a", "https://api.good.example:443/b", True),
        ("http://good.example:80/a", "http://GOOD.example/b", True),
        ("https://good.example/a", "http://good.example:443/b", False),
        ("https://good.example/a", "https://good.example:8443/b", False),
        ("https://good.example/a", "https://good.example./b", False),
        ("https://good.example/a", "https://good.example.evil.example/b", False),
        ("https://user:pass@good.example/a", "https://good.example/b", False),
        ("https://bücher.example/a", "https://xn--bcher-kva.example/b", True),
    ],
)
def test_an_origin_is_what_the_request_goes_to(here: str, there: str, same: bool) -> None:
    one, other = (origin(PlainRequest("GET", url).prepare()) for url in (here, there))
    assert (one == other) is same


def _everything(error: BaseException | None) -> str:
    text = ""
    while error is not None:
        text += "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
        frames = error.__traceback__
        while frames is not None:
            if "/tests/" not in frames.tb_frame.f_code.co_filename:
                text += repr(frames.tb_frame.f_locals)
            frames = frames.tb_next
        assert error.__suppress_context__ is False or error.__context__ is None
        error = error.__cause__ or error.__context__
    return text


@pytest.mark.parametrize(
    "fault",
    [
        server_error(None),
        rate_limited(retry_after=99, times=None),
        dropped_connection(None),
        hang(5, None),
        slow_drip(2, None),
        truncated_json(None),
        truncated_json(None, announce_whole=True),
        html_instead_of_json(None),
        reply(json.dumps({"display": f"app_key {SECRET} is not known"}).encode(), 401),
        reply(b"", 302, Location=f"http://example.invalid/?app_key={SECRET}"),
        reply(b"", 302, Location=f"http://[::bad/?app_key={SECRET}"),
        reply(b"[]", 200, **{"Content-Length-X": SECRET, "Content-Encoding": "gzip"}),
    ],
)
@pytest.mark.trial("key", "A request that carries a key fails")
def test_no_error_and_no_log_holds_the_key(
    server: Simulator, make: Make, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    server.fault("adzuna", fault)
    with caplog.at_level(logging.DEBUG), pytest.raises(FetchError) as caught:
        ask(make(timeout_seconds=0.2, max_seconds=1))
    text = _everything(caught.value) + caplog.text
    assert "s3cr3t" not in text
    assert any(record.name == "urllib3.connectionpool" for record in caplog.records)


def test_no_key_shows_where_nothing_listens_or_the_quota_is_used_up(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        with pytest.raises(SourceUnavailableError) as refused:
            ask(make(base_url="http://127.0.0.1:9"))
        with pytest.raises(QuotaExhaustedError) as exhausted:
            ask(make(quota_per_month=0))
    assert "s3cr3t" not in _everything(refused.value) + _everything(exhausted.value) + caplog.text
