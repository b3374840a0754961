"""A host of chat models on this machine that answers by a rule, and fails as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Rule = Callable[[dict[str, Any]], str]
"""Body of a request -> text of the answer."""


class ChatHost:
    def __init__(self, rule: Rule = lambda body: f"you said {body['messages'][-1]['content']}") -> None:
        self.rule = rule
        self.bodies: list[dict[str, Any]] = []
        """Requests that were answered."""
        self.keys: list[str | None] = []
        self.fail: Callable[[int, dict[str, Any]], tuple[int, dict[str, str], bytes] | None] = lambda number, body: None
        """(1-based number of the request, body) -> status, headers and body of a failure, or None to answer."""
        self.calls = 0
        self.raw: bytes | None = None
        lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    outer.calls += 1
                    outer.keys.append(self.headers["Authorization"])
                    failure = outer.fail(outer.calls, body)
                    if failure is None:
                        outer.bodies.append(body)
                status, headers, content = failure or (200, {}, outer.raw or outer.answer(body))
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def answer(self, body: dict[str, Any]) -> bytes:
        text = self.rule(body)
        asked = sum(len(turn["content"]) for turn in body["messages"])
        most = body.get("max_tokens") or body.get("max_completion_tokens") or 10**6
        choice = {
            "message": {"role": "assistant", "content": text[:most]},
            "finish_reason": "length" if len(text) > most else "stop",
        }
        usage = {"prompt_tokens": asked, "completion_tokens": min(len(text), most)}
        return json.dumps({"choices": [choice], "usage": usage}).encode()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
