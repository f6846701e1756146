"""What may be read of an answer, whatever its size."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pipeline.extract.responses import (
    MAX_POSTINGS,
    MAX_VALUES,
    ExcessiveResponseError,
    Parsed,
    parse,
)


@pytest.mark.parametrize("element", [b"0", b"[]", b"{}", b'"abc"', b"[[0]]", b"null", b"1e5"])
@pytest.mark.trial("sources", "Its answer is a bomb of small values")
def test_an_answer_of_more_values_than_are_read_is_refused(element: bytes) -> None:
    body = b"[" + (element + b",") * MAX_VALUES + element + b"]"
    with pytest.raises(ExcessiveResponseError, match="more than 3,000,000 values"):
        parse(body)


@pytest.mark.parametrize("around", [b"%b", b'{"data": %b}'])
@pytest.mark.trial("sources", "Its list holds too many postings")
def test_a_list_of_more_postings_than_are_read_is_refused(around: bytes) -> None:
    at_most = b"[" + b"{}," * (MAX_POSTINGS - 1) + b"{}]"
    assert parse(around % at_most) is not None
    with pytest.raises(ExcessiveResponseError, match="more than 100,000 postings"):
        parse(around % at_most.replace(b"[", b"[0,"))


def test_a_large_answer_of_text_is_read() -> None:
    text = "We build platforms, ship services and, at times, rest. " * 20_000
    assert parse(b'[{"description": "' + text.encode() + b'"}]') == Parsed([{"description": text}])


def test_refusing_takes_little_more_memory_than_the_body() -> None:
    script = (
        "import resource; from pipeline.extract.responses import *\n"
        "body = b'[' + b'[],' * 20_000_000 + b'0]'\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: parse(body)\n"
        "except ExcessiveResponseError: pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    kilobytes = int(done.stdout) / (1_000 if sys.platform == "darwin" else 1)
    assert kilobytes < 50_000
