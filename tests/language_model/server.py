"""A local server that speaks the protocols of OpenAI and Anthropic, and answers as it is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answering:
    """What it answers, and what it was asked.

    Attributes:
        content: the answer to a message, as an object or as the text that stands for it.
        status: of every response.
        delay: seconds before it.
        body: the whole body instead.
        knows_schemas: whether it takes a ``response_format``.
    """

    content: Callable[[dict[str, Any]], Any] = lambda message: {"value": None, "quote": None}
    status: int = 200
    delay: float = 0.0
    body: bytes | None = None
    knows_schemas: bool = True
    tokens: int = 500
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def respond(self, path: str, request: dict[str, Any]) -> tuple[int, bytes]:
        time.sleep(self.delay)
        if self.status != 200:
            error = {"type": "error", "message": "no, as sk-secret-key asked: " + str(request)}
            return self.status, json.dumps({"error": error}).encode()
        if self.body is not None:
            return 200, self.body
        if "response_format" in request and not self.knows_schemas:
            return 400, b'{"error": {"message": "unknown field response_format"}}'
        content = self.content(json.loads(request["messages"][-1]["content"]))
        answer = _anthropic if path.endswith("/messages") else _openai
        return 200, json.dumps(answer(content, self.tokens)).encode()


def _openai(content: Any, tokens: int) -> dict[str, Any]:
    text = content if isinstance(content, str) or content is None else json.dumps(content)
    message = {"role": "assistant", "content": text}
    return {
        "id": "1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"prompt_tokens": tokens, "completion_tokens": 0, "total_tokens": tokens},
    }  # fmt: skip


def _anthropic(content: Any, tokens: int) -> dict[str, Any]:
    block = (
        {"type": "text", "text": content or ""}
        if isinstance(content, str) or content is None
        else {"type": "tool_use", "id": "1", "name": "answer", "input": content}
    )
    return {
        "id": "1", "type": "message", "role": "assistant", "model": "m", "content": [block],
        "stop_reason": "tool_use", "stop_sequence": None,
        "usage": {"input_tokens": tokens, "output_tokens": 0},
    }  # fmt: skip


@contextmanager
def serving() -> Iterator[Answering]:
    """The server, until the end of the block."""
    answering = Answering()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            answering.requests.append(request)
            answering.headers.append({name.lower(): value for name, value in self.headers.items()})
            status, body = answering.respond(self.path, request)
            try:
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                pass  # The client did not wait.

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    answering.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield answering
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
