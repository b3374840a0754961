"""The chat worker's door: the OpenAI protocol on loopback, for whoever has the token."""

from __future__ import annotations

import hmac
import json
import secrets
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from core.errors import TuneworthyError, problems_of
from dataset.row import Message
from serving.endpoint import BASE
from serving.protocol import MAX_BODY_BYTES, ChatRequest, answer_body, chunk_body, error_body

if TYPE_CHECKING:
    from dataset.render import Renderer
    from serving.model import ChatModel

HOST = "127.0.0.1"
SOCKET_TIMEOUT_SECONDS = 30.0
MAX_DRAINED_BYTES = 16 * MAX_BODY_BYTES


class ChatServer(ThreadingHTTPServer):
    """Holds the model; one answer is written at a time."""

    daemon_threads = True

    def __init__(self, model: ChatModel, renderer: Renderer) -> None:
        super().__init__((HOST, 0), ChatHandler)
        self.model = model
        self.renderer = renderer
        self.token = secrets.token_urlsafe(32)
        self.turn = threading.Lock()
        self.last_used = time.monotonic()

    @property
    def names(self) -> list[str]:
        """Names to ask for."""
        return [BASE, *self.model.adapters]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error worth a traceback."""
        say(f"a request ended early: {type(sys.exception()).__name__}")


class ChatHandler(BaseHTTPRequestHandler):
    """One connection."""

    server: ChatServer
    protocol_version = "HTTP/1.1"
    server_version = "Tuneworthy"
    sys_version = ""
    timeout = SOCKET_TIMEOUT_SECONDS
    _body_read = False

    def do_GET(self) -> None:
        """/health and /v1/models."""
        self._body_read = False
        if not self._allowed():
            return
        if self.path == "/health":
            self._send(200, {"status": "ok", "busy": self.server.turn.locked(), "models": self.server.names})
        elif self.path == "/v1/models":
            data = [{"id": name, "object": "model", "owned_by": "tuneworthy"} for name in self.server.names]
            self._send(200, {"object": "list", "data": data})
        else:
            self._fail(404, f"there is nothing at {self.path[:100]}.")

    def do_POST(self) -> None:
        """/v1/chat/completions."""
        self._body_read = False
        if not self._allowed():
            return
        if self.path != "/v1/chat/completions":
            self._fail(404, f"there is nothing at {self.path[:100]}.")
            return
        request = self._request()
        if request is None:
            return
        self.server.last_used = time.monotonic()
        request_id = f"chatcmpl-{secrets.token_hex(8)}"
        try:
            messages = [Message(turn.role, turn.content) for turn in request.messages]
            prompt_ids = self.server.renderer.encode_prompt(messages, add_generation_prompt=True)
            if len(prompt_ids) >= self.server.model.context:
                self._fail(400, f"the conversation is {len(prompt_ids)} tokens long; {self.server.model.context} fit.")
            elif request.stream:
                self._stream(request, request_id, prompt_ids)
            else:
                with self.server.turn:
                    answer = self.server.model.generate(
                        [prompt_ids], adapter=_adapter(request.model), max_new_tokens=request.limit
                    )[0]
                self._send(200, answer_body(request, request_id, answer, len(prompt_ids)))
        except TuneworthyError as error:
            self._fail(400, str(error))
        finally:
            self.server.last_used = time.monotonic()

    def _stream(self, request: ChatRequest, request_id: str, prompt_ids: list[int]) -> None:
        with self.server.turn:
            pieces = self.server.model.stream(prompt_ids, adapter=_adapter(request.model), max_new_tokens=request.limit)
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Cache-Control", "no-store")
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            try:
                for event in _events(request, request_id, pieces):
                    self.wfile.write(f"data: {event}\n\n".encode())
                    self.wfile.flush()
                    self.server.last_used = time.monotonic()
            except TuneworthyError as error:
                # The answer has begun: the status can no longer say so, the stream itself does.
                self.wfile.write(f"data: {json.dumps(error_body(str(error), 'server_error'))}\n\n".encode())
            finally:
                # A reader that goes away must not leave the model's adapter switched.
                pieces.close()

    def _allowed(self) -> bool:
        """Loopback names and the right token only: a web page that guesses the port gets nothing."""
        port = self.server.server_port
        if self.headers.get("Host", "") not in {f"{HOST}:{port}", f"localhost:{port}"}:
            return self._fail(403, "only 127.0.0.1 and localhost are answered.")
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        given = token.strip().encode("utf-8", "replace")
        if kind.lower() != "bearer" or not hmac.compare_digest(given, self.server.token.encode()):
            return self._fail(401, "the token is missing or wrong; it stands in endpoint.json.")
        return True

    def _request(self) -> ChatRequest | None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            self._fail(411, "Content-Length is needed.")
            return None
        if int(length) > MAX_BODY_BYTES:
            self._fail(413, f"the body is {length} bytes; {MAX_BODY_BYTES} is the most.")
            return None
        try:
            self._body_read = True
            request = ChatRequest.model_validate_json(self.rfile.read(int(length)))
        except ValidationError as error:
            self._fail(400, "; ".join(str(problem) for problem in problems_of(error)), close=False)
            return None
        if request.model not in self.server.names:
            self._fail(404, f"no model `{request.model[:60]}`; there are {', '.join(self.server.names)}.", close=False)
            return None
        return request

    def _fail(self, status: int, message: str, *, close: bool = True) -> bool:
        # A body that was not read would be taken for the next request: the connection ends here.
        if close:
            self._drain()
        self.close_connection = self.close_connection or close
        self._send(status, error_body(message, "server_error" if status >= 500 else "invalid_request_error"))
        return False

    def _drain(self) -> None:
        """Read what the client still sends, within reason: hung up on, it would never see the answer."""
        length = self.headers.get("Content-Length", "")
        left = min(int(length), MAX_DRAINED_BYTES) if length.isdigit() and not self._body_read else 0
        self._body_read = True
        while left > 0 and (piece := self.rfile.read(min(left, 1 << 16))):
            left -= len(piece)

    def _send(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Connection", "close" if self.close_connection else "keep-alive")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Method, path and status; never what was asked or answered."""
        say(f"{self.command or '-'} {(self.path if self.command else '')[:80]} {args[1] if len(args) > 1 else ''}")


def _events(request: ChatRequest, request_id: str, pieces: Any) -> Iterator[str]:
    yield json.dumps(chunk_body(request, request_id, {"role": "assistant", "content": ""}, None))
    truncated = False
    while True:
        try:
            piece = next(pieces)
        except StopIteration as end:
            truncated = bool(end.value)
            break
        yield json.dumps(chunk_body(request, request_id, {"content": piece}, None))
    yield json.dumps(chunk_body(request, request_id, {}, "length" if truncated else "stop"))
    yield "[DONE]"


def _adapter(model: str) -> str | None:
    return None if model == BASE else model


def say(line: str) -> None:
    """A line of the worker's log."""
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)
