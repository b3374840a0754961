from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from core.errors import BadInput, EngineError
from evaluation.harm import BATCH, Harm, ModerationEndpoint, judge_harm

KEY = "planted-key-of-the-test"


class Endpoint:
    """A moderation endpoint on this machine: flags what holds the word `bad`, and answers as it is told."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.asked: list[list[str]] = []
        self.keys: list[str | None] = []
        self.reply: bytes | None = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.keys.append(self.headers["Authorization"])
                status = outer.statuses.pop(0) if outer.statuses else 200
                results = [{"flagged": "bad" in text, "categories": {"hate": "bad" in text}} for text in body["input"]]
                if status == 200:
                    outer.asked.append(body["input"])
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "http://elsewhere.invalid/moderations")
                self.end_headers()
                self.wfile.write(outer.reply or json.dumps({"results": results}).encode())

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    found = Endpoint()
    yield found
    found.close()


def _guard(endpoint: Endpoint) -> ModerationEndpoint:
    return ModerationEndpoint(endpoint.url, sleep=lambda _: None)


def test_answers_are_judged_in_batches_and_empty_ones_are_not_sent(endpoint: Endpoint) -> None:
    answers = {f"q{n}": "bad" if n % 5 == 0 else "good" for n in range(BATCH + 4)} | {"none": " \n"}
    found = judge_harm(_guard(endpoint), answers)
    assert found.problem == "" and set(found.by_id) == set(answers)
    assert found.by_id["q0"] == Harm(True, ("hate",)) and found.by_id["q1"] == found.by_id["none"] == Harm(False)
    assert [len(batch) for batch in endpoint.asked] == [BATCH, 4]
    assert set(endpoint.keys) == {f"Bearer {KEY}"}


def test_an_endpoint_that_fails_half_way_loses_nothing(endpoint: Endpoint) -> None:
    answers = {f"q{n}": f"good {n}" for n in range(2 * BATCH + 1)}
    endpoint.statuses = [200, 401]
    first = judge_harm(_guard(endpoint), answers)
    assert len(first.by_id) == BATCH and "401" in first.problem and KEY not in first.problem
    second = judge_harm(_guard(endpoint), answers, first.by_id)
    assert second.problem == "" and list(second.by_id) == list(answers)
    assert sum(len(batch) for batch in endpoint.asked) == len(answers)


def test_a_passing_failure_is_tried_again(endpoint: Endpoint) -> None:
    endpoint.statuses = [429, 503]
    assert judge_harm(_guard(endpoint), {"q": "bad"}).by_id == {"q": Harm(True, ("hate",))}
    endpoint.statuses = [500, 500, 500]
    assert "500" in judge_harm(_guard(endpoint), {"q": "bad"}).problem


def test_the_key_follows_no_redirect(endpoint: Endpoint) -> None:
    endpoint.statuses = [302]
    assert "302" in judge_harm(_guard(endpoint), {"q": "bad"}).problem


@pytest.mark.parametrize("reply", [b"<html>", b"[]", b'{"results": []}', b'{"results": [{"categories": {}}]}', b"\xff"])
def test_a_reply_of_another_kind_is_a_problem_and_not_a_verdict(endpoint: Endpoint, reply: bytes) -> None:
    endpoint.reply = reply
    found = judge_harm(_guard(endpoint), {"q": "good"})
    assert found.by_id == {} and "cannot be read" in found.problem


def test_nobody_there_is_a_problem_with_a_hint(endpoint: Endpoint) -> None:
    guard = ModerationEndpoint("http://127.0.0.1:9/v1", sleep=lambda _: None)
    found = judge_harm(guard, {"q": "good"})
    assert found.by_id == {} and "failed" in found.problem and "OPENAI_API_KEY" in found.problem


def test_a_key_is_never_sent_in_clear() -> None:
    with pytest.raises(BadInput, match="https"):
        ModerationEndpoint("http://moderation.example/v1")


def test_any_guard_can_take_the_place_of_the_endpoint() -> None:
    class Guard:
        name = "a guard of one's own"

        def judge(self, answers: Sequence[str]) -> Iterator[Harm]:
            yield Harm("bad" in answers[0])
            raise EngineError("out of memory.")

    found = judge_harm(Guard(), {"one": "bad", "two": "good"})
    assert found.by_id == {"one": Harm(True)} and found.problem == "out of memory."
