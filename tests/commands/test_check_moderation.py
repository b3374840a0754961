"""Answers that are sent to a moderation endpoint, here a server of the test."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from .conftest import Tune


class Guard(BaseHTTPRequestHandler):
    """Flags what holds `late`, and remembers what it was asked."""

    asked: list[tuple[str | None, list[str]]]
    status = 200

    def do_POST(self) -> None:
        texts = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["input"]
        self.asked.append((self.headers["Authorization"], texts))
        results = [{"flagged": "late" in text, "categories": {}} for text in texts]
        body = json.dumps({"results": results}).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing in the output of the tests."""


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, type[Guard]]]:
    monkeypatch.setenv("OPENAI_API_KEY", "key of the test")
    handler = type("TheGuard", (Guard,), {"asked": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1", handler
    server.shutdown()
    server.server_close()
    thread.join()


def test_each_distinct_answer_is_asked_about_once(tune: Tune, rows_file: Path, guard: tuple[str, type[Guard]]) -> None:
    url, handler = guard
    said = tune("check", rows_file, "--moderate", url, "--json")
    (found,) = [each for each in said.json["findings"] if each["check"] == "toxicity"]
    assert found["count"] == 30 and "127.0.0.1 flags" in found["message"] and said.code == 0
    assert handler.asked == [("Bearer key of the test", ["late", "lost"])]


def test_an_endpoint_that_fails_is_said_in_a_line_without_the_key(
    tune: Tune, rows_file: Path, guard: tuple[str, type[Guard]]
) -> None:
    url, handler = guard
    handler.status = 401
    said = tune("check", rows_file, "--moderate", url)
    assert said.code == 2 and "it said 401" in said.err and "key of the test" not in said.err + said.out
    assert "https" in tune("check", rows_file, "--moderate", "http://example.com").err


def test_without_being_asked_nothing_is_sent(tune: Tune, rows_file: Path, guard: tuple[str, type[Guard]]) -> None:
    assert tune("check", rows_file).code == 0 and guard[1].asked == []
