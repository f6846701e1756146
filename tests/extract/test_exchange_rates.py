"""Exchange rates: the bundled table, a later one, and what the ECB answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from pipeline.extract import exchange_rates
from pipeline.installation.settings import Settings
from pipeline.run.steps import version_of
from pipeline.transform.understanding import rates
from serving.models import Filters
from serving.search.parameters import asked

LATER = rates.bundled().day + timedelta(days=3)
XML = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
 xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<Cube><Cube time='{day}'><Cube currency='USD' rate='1.25'/><Cube currency="GBP" rate="0.8"/>
<Cube currency='XXX' rate='NaN'/><Cube currency='JPY' rate='-3'/></Cube></Cube></gesmes:Envelope>"""


def test_the_bundled_table_turns_currencies_into_one_another() -> None:
    table = rates.bundled()
    assert table.factor("EUR", "EUR") == 1
    assert table.factor("USD", "EUR") == pytest.approx(1 / table.per_euro["USD"])
    assert table.factor("AED", "USD") == pytest.approx(1 / 3.6725)
    assert table.factor("XXX", "USD") is None
    assert table.factor(None, "USD") is None
    assert {"GBP", "INR", "PLN", "BGN"} <= set(table.currencies())


def test_other_rates_are_another_version_of_the_transform(tmp_path: Path) -> None:
    settings = Settings.load(_env_file=None, data_dir=tmp_path)
    table = rates.bundled()
    later = rates.Rates(LATER, table.per_euro)
    assert version_of(settings, table) == version_of(settings, table)
    assert version_of(settings, later) != version_of(settings, table)


def test_a_query_compares_pay_at_the_rates_that_are_given() -> None:
    query = Filters.model_validate({"salary_min": 100, "salary_currency": "GBP"})
    paid = asked(query, rates.Rates(LATER, {"USD": 1.25, "GBP": 0.5})).conditions.paid
    assert paid is not None
    assert (paid.currency, paid.dollars) == ("GBP", 25_000)


def test_the_ecbs_answer_is_read() -> None:
    table = exchange_rates.of_ecb(XML.format(day="2026-11-03"))
    assert table == rates.Rates(date(2026, 11, 3), {"USD": 1.25, "GBP": 0.8})


@pytest.mark.parametrize(
    "text",
    [
        "", "<html>", "<Cube time='2026-11-03'>",
        "<Cube time='soon'><Cube currency='USD' rate='1'/>",
        "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><Cube time='&b;'/>",
        "<Cube " * 50_000, "<Cube time='2026-11-03'/><Cube currency='GBP' rate='0.8'/>",
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(rates.RatesError):
        exchange_rates.of_ecb(text)


class Server(HTTPServer):
    body = b""
    status = 200


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_port}/daily.xml"


def test_later_rates_are_kept_and_used(server: Server, tmp_path: Path) -> None:
    server.body = XML.format(day=LATER).encode()
    assert rates.in_use(tmp_path) == rates.bundled()
    renewed = exchange_rates.renewed(tmp_path / "data", url(server))
    assert (renewed.day, renewed.per_euro) == (LATER, {"USD": 1.25, "GBP": 0.8})
    assert rates.in_use(tmp_path / "data") == renewed
    assert [path.name for path in (tmp_path / "data").iterdir()] == [rates.FILE]


def test_earlier_rates_change_nothing(server: Server, tmp_path: Path) -> None:
    server.body = XML.format(day="2001-01-02").encode()
    assert exchange_rates.renewed(tmp_path, url(server)) == rates.bundled()
    assert not list(tmp_path.iterdir())


def test_rates_of_a_day_to_come_are_refused(server: Server, tmp_path: Path) -> None:
    server.body = XML.format(day="2199-01-02").encode()
    with pytest.raises(rates.RatesError, match="of a day to come"):
        exchange_rates.renewed(tmp_path, url(server))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("status", "body"), [(500, b""), (200, b"<html>"), (200, b"x" * 200_000)])
def test_a_failure_leaves_what_was_used(
    server: Server, tmp_path: Path, status: int, body: bytes
) -> None:
    server.status, server.body = status, body
    with pytest.raises(rates.RatesError):
        exchange_rates.renewed(tmp_path, url(server))
    assert rates.in_use(tmp_path) == rates.bundled()


def test_nobody_at_the_address_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(rates.RatesError, match="gave no exchange rates"):
        exchange_rates.renewed(tmp_path, "http://127.0.0.1:9/")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "date = 1",
        "date = 2026-11-20T10:00:00\n[per_euro]\nUSD = 1",
        "date = 2030-01-01\n[per_euro]\nGBP = 1",
        "\x00",
    ],
)
def test_a_broken_file_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / rates.FILE).write_text(text)
    assert rates.in_use(tmp_path) == rates.bundled()
