from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from core.endpoint_address import EndpointAddress
from core.errors import EngineError
from dataset.row import Message
from evaluation.cache import answers_dir
from evaluation.endpoint import Endpoint, SchemaRefused, can_be_strict

from .chat_host import ChatHost

KEY = "planted-key-of-the-test"
TURNS = [[Message("system", "Be brief."), Message("user", f"question {number}")] for number in range(12)]


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatHost]:
    monkeypatch.setenv("CHAT_TEST_KEY", KEY)
    found = ChatHost()
    yield found
    found.close()


def _endpoint(host: ChatHost, waits: list[float] | None = None, concurrency: int = 1) -> Endpoint:
    address = EndpointAddress.parse(f"{host.url}?key=CHAT_TEST_KEY#house/small")
    slept = waits if waits is not None else []
    return Endpoint(address, concurrency=concurrency, tries=3, timeout_seconds=5, sleep=slept.append)


def test_answers_come_in_the_order_of_the_questions_with_their_tokens(host: ChatHost) -> None:
    replies = _endpoint(host, concurrency=4).ask(TURNS, max_new_tokens=64)
    assert [reply.text for reply in replies] == [f"you said question {number}" for number in range(12)]
    assert replies[0].prompt_tokens == len("Be brief.question 0") and replies[0].answer_tokens == len(replies[0].text)
    assert all(body["temperature"] == 0 and body["model"] == "house/small" for body in host.bodies)
    assert set(host.keys) == {f"Bearer {KEY}"}


def test_a_host_that_fails_at_the_fifth_call_is_asked_only_for_the_rest_later(host: ChatHost) -> None:
    host.fail = lambda number, body: (401, {}, f'{{"error": "{KEY}"}}'.encode()) if number == 5 else None
    with pytest.raises(EngineError, match="401") as failed:
        _endpoint(host).ask(TURNS, max_new_tokens=64)
    assert KEY not in str(failed.value) and "resume" in failed.value.hint and len(host.bodies) == 4
    host.fail = lambda number, body: None
    replies = _endpoint(host).ask(TURNS, max_new_tokens=64)
    asked = [body["messages"][-1]["content"] for body in host.bodies]
    assert len(replies) == 12 and len(asked) == len(set(asked)) == 12
    assert _endpoint(host).ask(TURNS, max_new_tokens=64) == replies and len(host.bodies) == 12


def test_the_key_and_the_questions_stand_in_no_file(host: ChatHost) -> None:
    _endpoint(host).ask(TURNS, max_new_tokens=64)
    kept = b"".join(path.read_bytes() for path in answers_dir().iterdir())
    assert b"you said question 3" in kept and KEY.encode() not in kept and b"Be brief." not in kept


def test_a_busy_host_is_asked_again_when_it_says(host: ChatHost) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    busy = [(429, {"Retry-After": "7"}, b""), (503, {"Retry-After": later}, b"")]
    host.fail = lambda number, body: busy.pop(0) if busy else None
    waits: list[float] = []
    assert _endpoint(host, waits).ask(TURNS[:1], max_new_tokens=64)[0].text == "you said question 0"
    assert waits[0] == 7 and 25 < waits[1] <= 31


def test_a_host_that_wants_a_long_rest_or_never_recovers_has_failed(host: ChatHost) -> None:
    host.fail = lambda number, body: (429, {"Retry-After": "3600"}, b"")
    with pytest.raises(EngineError, match="3,600 seconds"):
        _endpoint(host).ask(TURNS[:1], max_new_tokens=64)
    host.fail = lambda number, body: (502, {}, b"")
    waits: list[float] = []
    before = host.calls
    with pytest.raises(EngineError, match="502"):
        _endpoint(host, waits).ask(TURNS[:1], max_new_tokens=64)
    assert host.calls - before == 3 and waits == [1.0, 2.0]


def test_a_redirect_is_not_followed(host: ChatHost) -> None:
    host.fail = lambda number, body: (307, {"Location": f"{host.url}/elsewhere"}, b"")
    with pytest.raises(EngineError, match="307"):
        _endpoint(host).ask(TURNS[:1], max_new_tokens=64)
    assert host.calls == 1


def test_a_host_with_other_settings_is_asked_in_its_own_way(host: ChatHost) -> None:
    def picky(number: int, body: dict[str, object]) -> tuple[int, dict[str, str], bytes] | None:
        for name in ("max_tokens", "temperature"):
            if name in body:
                return 400, {}, json.dumps({"error": {"param": name, "code": "unsupported"}}).encode()
        return None

    host.fail = picky
    endpoint = _endpoint(host, concurrency=3)
    replies = endpoint.ask(TURNS, max_new_tokens=9)
    assert {reply.text for reply in replies} == {"you said "} and all(reply.truncated for reply in replies)
    assert endpoint.not_greedy and all(body["max_completion_tokens"] == 9 for body in host.bodies)


def test_a_schema_is_passed_on_and_one_that_is_refused_is_told_apart(host: ChatHost) -> None:
    schema = {"type": "object", "properties": {"queue": {"type": "string"}}, "required": ["queue"]}
    host.rule = lambda body: '{"queue": "fees"}' if "response_format" in body else "fees"
    assert _endpoint(host).ask(TURNS[:1], max_new_tokens=64, schema=schema)[0].text == '{"queue": "fees"}'
    sent = host.bodies[0]["response_format"]["json_schema"]
    assert sent["schema"] == schema and "strict" not in sent
    assert _endpoint(host).ask(TURNS[:1], max_new_tokens=64)[0].text == "fees", "the schema is part of the key"
    refusal = json.dumps({"error": {"param": "response_format"}}).encode()
    host.fail = lambda number, body: (400, {}, refusal) if "response_format" in body else None
    with pytest.raises(SchemaRefused):
        _endpoint(host).ask(TURNS[1:2], max_new_tokens=64, schema=schema)


def test_only_a_closed_schema_is_asked_for_strictly() -> None:
    closed = {"type": "object", "properties": {"queue": {"type": "string"}}, "required": ["queue"]}
    closed["additionalProperties"] = False
    assert can_be_strict(closed) and not can_be_strict({"type": "string"})
    assert not can_be_strict(closed | {"required": []}) and not can_be_strict(closed | {"properties": {"queue": {}}})
    inner = {"rows": {"type": "array", "items": {"type": ["object", "null"], "properties": {"a": {"type": "string"}}}}}
    assert not can_be_strict(closed | {"properties": inner, "required": ["rows"]})
    inner["rows"]["items"] = closed
    assert can_be_strict(closed | {"properties": inner, "required": ["rows"]})


def test_a_stop_keeps_what_is_there(host: ChatHost) -> None:
    replies = _endpoint(host).ask(TURNS, max_new_tokens=64, stop=lambda: len(host.bodies) >= 3)
    assert [reply.text for reply in replies] == [f"you said question {number}" for number in range(3)]


@pytest.mark.parametrize("reply", [b"<html>", b"{}", b'{"choices": []}', b'{"choices": [{"message": {"content": 3}}]}'])
def test_a_reply_that_is_none_is_said(host: ChatHost, reply: bytes) -> None:
    host.raw = reply
    with pytest.raises(EngineError, match="cannot be read"):
        _endpoint(host).ask(TURNS[:1], max_new_tokens=64)


def test_no_key_and_no_host_are_said(host: ChatHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHAT_TEST_KEY")
    with pytest.raises(EngineError, match="CHAT_TEST_KEY holds no key"):
        _endpoint(host).ask(TURNS[:1], max_new_tokens=64)
    nobody = Endpoint(EndpointAddress.parse("http://127.0.0.1:9/v1#small"), tries=2, sleep=lambda _: None)
    with pytest.raises(EngineError, match="cannot be reached"):
        nobody.ask(TURNS[:1], max_new_tokens=64)
