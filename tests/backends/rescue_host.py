"""A host in this process that keeps tuned models: OpenAI's paths behind the SDK's own client, faults on demand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2

from backends.rescue.host import SdkHost, open_host

KEY = "sk-canary-7f3a9b1c5d2e8f60"
MINI = "ft:gpt-4.1-mini-2025-04-14:acme:tickets:AbC123"
OLD = "ft:gpt-3.5-turbo-0125:acme::Zz9"
UNKNOWN = "ft:a-model-of-next-year:acme::Yy8"
GONE = "ft:gpt-4o-2024-08-06:acme::Xx7"


class FakeHost:
    """Answers `models`, `fine_tuning/jobs` (two pages) and `chat/completions`."""

    def __init__(self, said: Callable[[str], str] = lambda text: text.upper()) -> None:
        self.said = said
        self.asked: list[str] = []
        """User texts that were answered."""
        self.bodies: list[dict[str, Any]] = []
        self.fails_on: set[str] = set()
        self.against_the_rules: set[str] = set()
        self.refuses: set[str] = set()
        """Settings that this host does not take."""
        self.jobs_are_closed = False
        self.shutdown: dict[str, str] = {}
        self.counts_tokens = True
        self.answer_tokens = 5

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        assert request.headers["authorization"] == f"Bearer {KEY}"
        path = request.url.path.removeprefix("/v1")
        if path == "/models":
            names = ["gpt-4.1-mini", MINI, OLD, UNKNOWN]
            return _json(200, {"object": "list", "data": [self._model(name) for name in names]})
        if path == "/fine_tuning/jobs":
            return self._jobs(request)
        assert path == "/chat/completions", path
        return self._chat(json.loads(request.content))

    def host(self) -> SdkHost:
        """The host as the code opens it, with this one in the place of the network."""
        return open_host("openai", transport=httpx2.MockTransport(self))

    def _model(self, name: str) -> dict[str, Any]:
        told = {"id": name, "object": "model", "created": 1_750_000_000, "owned_by": "acme"}
        return told | ({"shutdown_date": self.shutdown[name]} if name in self.shutdown else {})

    def _jobs(self, request: httpx2.Request) -> httpx2.Response:
        if self.jobs_are_closed:
            return _json(403, {"error": {"message": "not allowed", "code": None, "type": "x", "param": None}})
        second = request.url.params.get("after")
        made = [("ftjob-2", None, "gpt-4o-2024-08-06"), ("ftjob-1", GONE, "gpt-4o-2024-08-06")]
        if not second:
            made = [("ftjob-3", MINI, "gpt-4.1-mini-2025-04-14")]
        data = [
            {"id": name, "object": "fine_tuning.job", "model": base, "fine_tuned_model": model, "trained_tokens": 1700,
             "created_at": 1_740_000_000, "status": "succeeded"}
            for name, model, base in made
        ]  # fmt: skip
        return _json(200, {"object": "list", "data": data, "has_more": not second})

    def _chat(self, body: dict[str, Any]) -> httpx2.Response:
        self.bodies.append(body)
        for setting in self.refuses & body.keys():
            error = {"message": f"no {setting}", "type": "invalid_request_error", "param": setting, "code": "no"}
            return _json(400, {"error": error})
        text = body["messages"][-1]["content"]
        if text in self.against_the_rules:
            error = {"message": "flagged", "type": "invalid_request_error", "param": "prompt", "code": "content_filter"}
            return _json(400, {"error": error})
        if text in self.fails_on:
            return _json(401, {"error": {"message": f"bad key {KEY}", "type": "x", "param": None, "code": "invalid"}})
        self.asked.append(text)
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": self.said(text)}}
        reply = {"id": "c", "object": "chat.completion", "created": 1, "model": body["model"], "choices": [choice]}
        usage = {"prompt_tokens": 10, "completion_tokens": self.answer_tokens, "total_tokens": 10 + self.answer_tokens}
        return _json(200, reply | ({"usage": usage} if self.counts_tokens else {}))


def _json(status: int, value: dict[str, Any]) -> httpx2.Response:
    return httpx2.Response(status, json=value)
