"""Any endpoint that speaks OpenAI's `POST /chat/completions`: asked greedily, a few at a time, and never twice.

A host that fails half-way costs nothing: what it has answered is kept, and the same call goes on from there.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

from core.endpoint_address import EndpointAddress
from core.errors import EngineError
from dataset.row import Message
from evaluation.cache import AnswerCache
from evaluation.endpoint_cache import Reply, reply_cache
from evaluation.endpoint_reply import failure_in_words, read_reply, refused_setting, retry_after

if TYPE_CHECKING:
    import httpx2

_PASSING = (408, 409, 425, 429, 500, 502, 503, 504, 529)
"""Statuses that may go away by themselves."""
_LONGEST_WAIT_SECONDS = 60.0
"""A host that asks for more is taken to have failed: the run can be resumed later."""
_OTHER_NAMES = {"max_tokens": "max_completion_tokens"}
_MAY_BE_LEFT_OUT = ("temperature", "seed")


class SchemaRefused(EngineError):
    """The host takes no JSON schema for its answers."""


class Endpoint:
    """One model of one host. The key is read from the environment when a request is made, and kept nowhere."""

    def __init__(
        self,
        address: EndpointAddress,
        *,
        timeout_seconds: float = 60.0,
        tries: int = 5,
        concurrency: int = 4,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.address = address
        self.not_greedy = False
        """True once the host has refused a temperature: its answers may then differ from run to run."""
        self._timeout_seconds = timeout_seconds
        self._tries = tries
        self._concurrency = concurrency
        self._sleep = sleep
        self._renamed: dict[str, str] = {}
        self._left_out: set[str] = set()
        self._lock = threading.Lock()

    def ask(
        self,
        conversations: Sequence[Sequence[Message]],
        *,
        max_new_tokens: int,
        schema: dict[str, Any] | None = None,
        repeat: int = 0,
        stop: Callable[[], bool] | None = None,
        told: Callable[[int, float], None] | None = None,
    ) -> list[Reply]:
        """Replies in the order of the conversations; equal ones are asked once, known ones come from the cache.

        `schema` is a JSON schema that the host has to hold its answers to. With `repeat` all are asked anew: each
        repeat has replies of its own in the cache. `told(replies, seconds)` hears of each fresh
        one. When `stop` turns true the list is shorter than asked for: only the replies up to the first unknown one.
        Raises `EngineError` where the host fails, `SchemaRefused` where it takes no schema.
        """
        settings = {"max_new_tokens": max_new_tokens, "schema": schema} | ({"repeat": repeat} if repeat else {})
        cache = reply_cache(self.address, settings)
        asked = [[{"role": turn.role, "content": turn.content} for turn in turns] for turns in conversations]
        missing = {json.dumps(turns): turns for turns in asked if cache.get(turns) is None}
        if missing:
            self._ask_missing(list(missing.values()), cache, max_new_tokens, schema, stop, told)
        found: list[Reply] = []
        for turns in asked:
            reply = cache.get(turns)
            if reply is None:
                break
            found.append(reply)
        return found

    def _ask_missing(
        self,
        missing: list[list[dict[str, str]]],
        cache: AnswerCache[Reply],
        max_new_tokens: int,
        schema: dict[str, Any] | None,
        stop: Callable[[], bool] | None,
        told: Callable[[int, float], None] | None,
    ) -> None:
        import httpx2

        headers = self._headers()
        failed = threading.Event()

        def one(turns: list[dict[str, str]]) -> None:
            if failed.is_set() or (stop is not None and stop()):
                return
            try:
                reply = self._reply(client, turns, max_new_tokens, schema)
            except BaseException:
                failed.set()
                raise
            with self._lock:
                cache.put(turns, reply)
                if told is not None:
                    told(1, reply.seconds)

        # A redirect would carry the key to another place: none is followed.
        with (
            httpx2.Client(headers=headers, timeout=self._timeout_seconds, follow_redirects=False) as client,
            ThreadPoolExecutor(self._concurrency) as pool,
        ):
            jobs: list[Future[None]] = [pool.submit(one, turns) for turns in missing]
            done, _ = wait(jobs, return_when=FIRST_EXCEPTION)
            for job in done:
                if (error := job.exception()) is not None:
                    raise error

    def _headers(self) -> dict[str, str]:
        name = self.address.key_variable
        if not name:
            return {}
        key = os.environ.get(name, "").strip()
        if not key or not key.isascii() or not key.isprintable():
            raise EngineError(f"the variable {name} holds no key.", f"Set {name} where tuneworthy is started.")
        return {"Authorization": f"Bearer {key}"}

    def _reply(
        self, client: httpx2.Client, turns: list[dict[str, str]], max_new_tokens: int, schema: dict[str, Any] | None
    ) -> Reply:
        """One conversation, tried again while there is hope."""
        import httpx2

        reason, wait_seconds, attempt = "", 0.0, 0
        while attempt < self._tries:
            if attempt:
                self._sleep(max(wait_seconds, min(2.0 ** (attempt - 1), 16.0)))
            body = self._body(turns, max_new_tokens, schema)
            started = time.monotonic()
            try:
                reply = client.post(f"{self.address.base_url}/chat/completions", json=body)
            except httpx2.HTTPError as error:
                reason, wait_seconds, attempt = failure_in_words(error), 0.0, attempt + 1
                continue
            if reply.status_code == 200:
                return read_reply(reply, time.monotonic() - started, self.address)
            # Never the body of the reply: some servers send the key or the prompt back.
            reason = f"it said {reply.status_code}"
            if reply.status_code == 400 and (refused := refused_setting(reply)):
                if refused.startswith("response_format"):
                    raise SchemaRefused(f"{self.address.model} takes no JSON schema.", "Leave the schema out.")
                if self._adapted(refused, body):
                    continue
            if reply.status_code not in _PASSING:
                break
            wait_seconds = retry_after(reply)
            if wait_seconds > _LONGEST_WAIT_SECONDS:
                reason += f" and asks to wait {wait_seconds:,.0f} seconds"
                break
            attempt += 1
        raise EngineError(f"{self.address.host} failed: {reason}.", self._hint())

    def _hint(self) -> str:
        where = f" and the key in {self.address.key_variable}" if self.address.key_variable else ""
        return f"Check the address, the name of the model{where}. What was answered is kept: resume the job."

    def _body(self, turns: list[dict[str, str]], max_new_tokens: int, schema: dict[str, Any] | None) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.address.model,
            "messages": turns,
            "temperature": 0,
            "max_tokens": max_new_tokens,
        }
        if schema is not None:
            named: dict[str, Any] = {"name": "answer", "schema": schema}
            if can_be_strict(schema):
                named["strict"] = True
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        return {self._renamed.get(name, name): value for name, value in body.items() if name not in self._left_out}

    def _adapted(self, refused: str, body: dict[str, Any]) -> bool:
        """Hosts differ in two settings: ask again in the other way, once each. True where there is one."""
        with self._lock:
            if refused in _OTHER_NAMES:
                self._renamed[refused] = _OTHER_NAMES[refused]
                return refused in body
            if refused in _MAY_BE_LEFT_OUT:
                self._left_out.add(refused)
                self.not_greedy = self.not_greedy or refused == "temperature"
                return refused in body
        return False


def can_be_strict(schema: dict[str, Any], root: bool = True) -> bool:
    """True for a schema that OpenAI holds answers to letter by letter: an object whose keys are all required, and no
    others allowed, at every depth. Of others some hosts only take note."""
    if root and schema.get("type") != "object":
        return False
    names = schema.get("properties", {})
    closed = schema.get("additionalProperties") is False and set(schema.get("required", ())) == set(names)
    inner = [*names.values(), *schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else [])]
    is_object = "object" in schema.get("type", "") or bool(names)
    return (closed or not is_object) and all(
        isinstance(each, dict) and bool(each) and can_be_strict(each, root=False) for each in inner
    )
