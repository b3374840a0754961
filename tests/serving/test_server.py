from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import EngineError
from serving.client import chat, stream
from serving.endpoint import Address, Endpoint
from serving.protocol import MAX_BODY_BYTES

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")

HELLO = [{"role": "user", "content": "hello"}]


@pytest.fixture(scope="module")
def server(base: Path, adapters: dict[str, Path]) -> Iterator[Any]:
    from dataset.render import Renderer
    from serving.chat_http import ChatServer
    from serving.model import ChatModel

    running = ChatServer(ChatModel.load(base, adapters), Renderer.from_folder(base))
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def endpoint(server: Any, tmp_path: Path) -> Endpoint:
    address = Address(host="127.0.0.1", port=server.server_port, token=server.token, pid=1, models=server.names)
    return Endpoint(id="x", folder=tmp_path, base_model="tiny", adapters={}, state="ready", address=address)


def ask(server: Any, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    given = {"Authorization": f"Bearer {server.token}"} | {
        name.replace("_", "-"): text for name, text in headers.items()
    }
    try:
        connection.request(method, path, body, {name: text for name, text in given.items() if text})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def body_of(**fields: Any) -> bytes:
    return json.dumps({"model": "base", "messages": HELLO, "max_tokens": 5} | fields).encode()


def test_base_and_adapters_answer_side_by_side(endpoint: Endpoint) -> None:
    answers = {name: chat(endpoint, name, HELLO, max_tokens=12) for name in ("base", "first", "second")}
    assert len(set(answers.values())) == 3
    assert answers == {name: chat(endpoint, name, HELLO, max_tokens=12) for name in answers}


def test_a_stream_brings_the_same_answer_in_pieces(endpoint: Endpoint) -> None:
    pieces = list(stream(endpoint, "first", HELLO, max_tokens=12))
    assert len(pieces) > 1
    assert "".join(pieces) == chat(endpoint, "first", HELLO, max_tokens=12)


def test_a_reader_that_leaves_early_leaves_the_model_usable(endpoint: Endpoint) -> None:
    whole = chat(endpoint, "base", HELLO, max_tokens=12)
    reader = stream(endpoint, "first", HELLO, max_tokens=100)
    next(reader)
    reader.close()
    assert chat(endpoint, "base", HELLO, max_tokens=12) == whole


def test_the_answer_has_the_protocols_form(server: Any) -> None:
    status, answer = ask(server, "POST", "/v1/chat/completions", body_of())
    assert status == 200
    assert answer["object"] == "chat.completion"
    assert answer["choices"][0]["message"]["role"] == "assistant"
    assert answer["choices"][0]["finish_reason"] in ("stop", "length")
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > usage["prompt_tokens"] > 0


def test_models_and_health_are_told(server: Any) -> None:
    assert [item["id"] for item in ask(server, "GET", "/v1/models")[1]["data"]] == ["base", "first", "second"]
    assert ask(server, "GET", "/health")[1]["status"] == "ok"


def test_openais_own_client_is_understood(server: Any) -> None:
    openai = pytest.importorskip("openai")
    with openai.OpenAI(base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key=server.token) as client:
        whole = client.chat.completions.create(model="first", messages=HELLO, max_tokens=8)
        pieces = client.chat.completions.create(model="first", messages=HELLO, max_tokens=8, stream=True)
        text = "".join(piece.choices[0].delta.content or "" for piece in pieces)
    assert text == whole.choices[0].message.content


@pytest.mark.parametrize("token", ["", "Bearer wrong", "Bearer \u00e9", "Basic {}", "Bearer"])
@pytest.mark.parametrize(("method", "path"), [("GET", "/health"), ("POST", "/v1/chat/completions")])
def test_without_the_token_nothing_is_answered(server: Any, token: str, method: str, path: str) -> None:
    body = body_of() if method == "POST" else None
    status, answer = ask(server, method, path, body, Authorization=token.format(server.token))
    assert status == 401
    assert server.token not in json.dumps(answer)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost:1", "127.0.0.1.evil.example:{}"])
def test_a_page_that_calls_us_by_another_name_is_refused(server: Any, host: str) -> None:
    assert ask(server, "GET", "/health", Host=host.format(server.server_port))[0] == 403


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "JSON"),
        (b"{", 400, "JSON"),
        (b"[]", 400, "object"),
        (body_of(messages=[]), 400, "messages"),
        (body_of(messages=[{"role": "wizard", "content": "x"}]), 400, "role"),
        (body_of(temperature=0.7), 400, "temperature"),
        (body_of(tools=[]), 400, "`tools` is not a known field"),
        (body_of(max_tokens=0), 400, "max_tokens"),
        (body_of(model="third"), 404, "no model `third`"),
        (body_of(messages=[{"role": "user", "content": "x " * 400}]), 400, "256 fit"),
        (b"x" * (MAX_BODY_BYTES + 1), 413, "the most"),
    ],
)
def test_bad_requests_get_one_clear_answer(server: Any, body: bytes, status: int, words: str) -> None:
    found, answer = ask(server, "POST", "/v1/chat/completions", body)
    assert found == status
    assert words in answer["error"]["message"]
    assert ask(server, "GET", "/health")[0] == 200


def test_a_long_question_without_the_token_is_answered_too(server: Any) -> None:
    status, answer = ask(server, "POST", "/v1/chat/completions", b"x" * MAX_BODY_BYTES * 2, Authorization="Bearer no")
    assert status == 401 and "token" in answer["error"]["message"]


def test_unknown_paths_and_broken_requests_do_no_harm(server: Any) -> None:
    assert ask(server, "GET", "/etc/passwd")[0] == 404
    assert ask(server, "POST", "/v1/embeddings", body_of())[0] == 404
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as raw:
        raw.sendall(b"\x00\xff garbage\r\n\r\n")
        assert b"400" in raw.recv(200)
    assert ask(server, "GET", "/health")[0] == 200


def test_the_client_passes_on_the_workers_words(endpoint: Endpoint) -> None:
    with pytest.raises(EngineError, match="no model `third`"):
        chat(endpoint, "third", HELLO)
    with pytest.raises(EngineError, match="256 fit"):
        list(stream(endpoint, "base", [{"role": "user", "content": "x " * 400}]))


def test_a_worker_that_is_gone_is_one_clear_error(endpoint: Endpoint) -> None:
    assert endpoint.address is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    gone = endpoint.model_copy(update={"address": endpoint.address.model_copy(update={"port": port})})
    with pytest.raises(EngineError, match="does not answer"):
        chat(gone, "base", HELLO)


def test_the_token_is_never_printed(endpoint: Endpoint, server: Any) -> None:
    assert server.token not in repr(endpoint)


def test_several_asking_at_once_are_answered_one_after_the_other(endpoint: Endpoint) -> None:
    alone = {name: chat(endpoint, name, HELLO, max_tokens=10) for name in ("base", "first", "second")}
    found: list[tuple[str, str]] = []

    def one(name: str) -> None:
        found.append((name, chat(endpoint, name, HELLO, max_tokens=10)))

    threads = [threading.Thread(target=one, args=(name,)) for name in list(alone) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 9
    assert all(answer == alone[name] for name, answer in found)
