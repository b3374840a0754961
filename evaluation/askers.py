"""Whom a tournament asks: the base on this machine, or the model of a hosted endpoint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from core.endpoint_address import EndpointAddress, is_endpoint
from core.errors import NotFound, Refused, TuneworthyError
from core.jobspec import JobSpec
from core.machine import resolve_device
from cost_models.prices import PriceBook, PriceRow
from evaluation.answering import Answerer, Progress, Stopped
from evaluation.endpoint import Endpoint
from evaluation.endpoint_cache import Reply
from evaluation.judged_model import Model, Opened
from evaluation.rows import JudgedRows
from evaluation.rungs import Prompt
from serving.precision import resolve_precision

OpenModel = Callable[[JobSpec, Path | None], Opened]
Constrain = Callable[[Model, dict[str, Any]], Model]
"""A model that can write nothing but JSON of a schema. Raises `Refused` or `BadInput` where that cannot be."""
_ANSWER_ROOM = 1.1
"""Answers may be a tenth (and 8 tokens) longer than the longest right one before they are cut."""
_MOST_NEW_TOKENS = 256
_CHARACTERS_A_TOKEN = 2
"""Few, where no tokenizer can say it: an answer must not be cut."""


class Asker(Protocol):
    """Answers prompts, and says what a call costs."""

    def ask(self, prompts: Sequence[Prompt], schema: dict[str, Any] | None = None, *, repeat: int = 0) -> list[Reply]:
        """Replies in the order of the prompts; with `repeat` they are asked anew, past what is in the cache.

        Raises `Stopped`, and errors of ours where the host or schema fails.
        """
        ...

    def usd_per_1000_calls(self, prompt_tokens: float, answer_tokens: float) -> float | None:
        """Dollars at list price; None where nothing is known or nothing is paid by the token."""
        ...


class LocalAsker:
    """The base in this process."""

    def __init__(self, opened: Opened, answerer: Answerer, constrain: Constrain) -> None:
        self._renderer = opened.renderer
        self._answerer = answerer
        self._constrain = constrain

    def ask(self, prompts: Sequence[Prompt], schema: dict[str, Any] | None = None, *, repeat: int = 0) -> list[Reply]:
        """Greedy answers, the known ones from the cache."""
        ids = [self._fitted(prompt) for prompt in prompts]
        answerer = self._answerer if schema is None else self._held_to(schema)
        return [
            Reply(
                text=answer.text,
                prompt_tokens=len(prompt),
                answer_tokens=answer.tokens,
                truncated=answer.truncated,
                seconds=answer.seconds,
            )
            for prompt, answer in zip(ids, answerer.answers(ids, repeat=repeat), strict=True)
        ]

    def usd_per_1000_calls(self, prompt_tokens: float, answer_tokens: float) -> float | None:
        """None: a machine of one's own has no price by the token."""
        return None

    def length(self, prompt: Prompt) -> int:
        """Tokens of a prompt."""
        return len(self._encoded(prompt, 0))

    def _held_to(self, schema: dict[str, Any]) -> Answerer:
        free = self._answerer
        told = hashlib.sha256(json.dumps(schema).encode()).hexdigest()
        return Answerer(
            self._constrain(free.model, schema),
            free.base,
            free.adapter,
            max_new_tokens=free.max_new_tokens,
            settings=free.settings | {"schema": told},
            progress=free.progress,
            should_stop=free.should_stop,
        )

    def _fitted(self, prompt: Prompt) -> list[int]:
        """Examples are dropped, the least fitting first, until the prompt leaves room for an answer."""
        room = self._answerer.model.context - self._answerer.max_new_tokens
        for skipped in range(len(prompt.examples) + 1):
            ids = self._encoded(prompt, skipped)
            if len(ids) <= room:
                break
        return ids

    def _encoded(self, prompt: Prompt, skipped: int) -> list[int]:
        try:
            return self._renderer.encode_prompt(prompt.turns(skipped))
        except TuneworthyError:
            # Some templates know no system turn: there the instruction stands in the first user turn.
            return self._renderer.encode_prompt(prompt.turns(skipped, system=False))


class EndpointAsker:
    """A model behind an OpenAI-compatible endpoint."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        max_new_tokens: int,
        progress: Progress,
        should_stop: Callable[[], bool],
        book: PriceBook,
    ) -> None:
        self._endpoint = endpoint
        self._max_new_tokens = max_new_tokens
        self._progress = progress
        self._should_stop = should_stop
        self.prices = price_rows(endpoint.address, book)

    def ask(self, prompts: Sequence[Prompt], schema: dict[str, Any] | None = None, *, repeat: int = 0) -> list[Reply]:
        """Replies, the known ones from the cache."""
        fresh = 0

        def told(count: int, seconds: float) -> None:
            nonlocal fresh
            fresh += count
            self._progress.computed(count, seconds)

        replies = self._endpoint.ask(
            [prompt.turns() for prompt in prompts],
            max_new_tokens=self._max_new_tokens,
            schema=schema,
            repeat=repeat,
            stop=self._should_stop,
            told=told,
        )
        if len(replies) < len(prompts):
            raise Stopped
        self._progress.known(len(prompts) - fresh)
        return replies

    def usd_per_1000_calls(self, prompt_tokens: float, answer_tokens: float) -> float | None:
        """List price of the tokens, without discounts for cached or batched ones."""
        if len(self.prices) < 2 or not prompt_tokens:
            return None
        asked, answered = self.prices
        return (prompt_tokens * asked.usd + answer_tokens * answered.usd) / 1000


def price_rows(address: EndpointAddress, book: PriceBook) -> list[PriceRow]:
    """What the price book says of the model: input and output per 1M tokens; nothing for one that is not in it."""
    if address.own_machine:
        return []
    name = address.model.rpartition("/")[2]
    try:
        return [book.row(f"api.{name}.{part}") for part in ("input", "output")]
    except NotFound:
        return []


def constrained(model: Model, schema: dict[str, Any]) -> Model:
    """A model of this machine held to the schema. Raises `Refused` where the extra `constrained` is not installed."""
    from serving.constrained import ConstrainedModel
    from serving.model import ChatModel

    if not isinstance(model, ChatModel):
        raise Refused("this model cannot be held to a schema.", "Use a base of this machine.")
    return ConstrainedModel(model, schema)


def endpoint_asker(
    spec: JobSpec, *, max_new_tokens: int, progress: Progress, should_stop: Callable[[], bool]
) -> EndpointAsker:
    """The asker of a spec whose `base_model` is the address of an endpoint. Raises `BadInput` or `Refused`."""
    address = EndpointAddress.parse(spec.base_model)
    if not (spec.allow_network or address.own_machine):
        raise Refused("the job may not use the network.", "Set `allow_network: true`, or use a model of this machine.")
    return EndpointAsker(
        Endpoint(address),
        max_new_tokens=max_new_tokens,
        progress=progress,
        should_stop=should_stop,
        book=PriceBook.load(today=date.today()),
    )


def asker_of(
    spec: JobSpec,
    rows: JudgedRows,
    progress: Progress,
    should_stop: Callable[[], bool],
    open_model: OpenModel,
    constrain: Constrain,
) -> tuple[Asker, float | None, str]:
    """Whom a spec asks, the mean tokens of a bare question (None of a host), and where it runs."""
    answers = [row.answer for row in rows.train] or [row.answer for row in rows.test]
    if is_endpoint(spec.base_model):
        longest = max(map(len, answers)) // _CHARACTERS_A_TOKEN
        hosted = endpoint_asker(
            spec, max_new_tokens=spec.max_new_tokens or longest + 32, progress=progress, should_stop=should_stop
        )
        return hosted, None, EndpointAddress.parse(spec.base_model).host
    progress.stage("loading the model")
    opened = open_model(spec, None)
    device = resolve_device(spec.device)
    longest = max(opened.renderer.count(answer) for answer in answers)
    limit = spec.max_new_tokens or min(int(longest * _ANSWER_ROOM) + 8, max(_MOST_NEW_TOKENS, longest + 8))
    answerer = Answerer(
        opened.model,
        opened.base,
        None,
        max_new_tokens=min(limit, opened.model.context - 1),
        settings={"device": device.partition(":")[0], "precision": resolve_precision(spec.precision, device)},
        progress=progress,
        should_stop=should_stop,
    )
    local = LocalAsker(opened, answerer, constrain)
    return local, sum(local.length(Prompt("", row)) for row in rows.test) / len(rows.test), device
