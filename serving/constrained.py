"""Greedy answers that are JSON of a given schema, token by token: what may not come next is never written."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import torch

from serving.completion import Completion
from serving.decode import greedy
from serving.model import ChatModel
from serving.prefix import MIN_SHARED_TOKENS, common_prefix
from serving.schema_automaton import SchemaAutomaton


class Writers:
    """The answers of one batch on their way through the automaton: the hook of the greedy loop.

    The loop takes the likeliest token of what is left; each answer is followed here by the same operation, so that
    equal logits fall to the same token.
    """

    def __init__(self, automaton: SchemaAutomaton, room: list[int]) -> None:
        self.automaton = automaton
        self.room = list(room)
        """Tokens left of each row, the end mark included."""
        self.states: list[int | None] = [automaton.first] * len(room)
        """None for an answer that has ended."""

    def __call__(self, rows: list[int], logits: torch.Tensor) -> torch.Tensor:
        """The logits with all that may not follow at minus infinity."""
        width = logits.shape[-1]
        masks = [self._allowed(row, width) for row in rows]
        masked = logits.masked_fill(~torch.stack(masks).to(logits.device), float("-inf"))
        for row, token in zip(rows, masked.max(-1)[1].tolist(), strict=True):
            self._wrote(row, token)
        return masked

    def _allowed(self, row: int, width: int) -> torch.Tensor:
        state = self.states[row]
        if state is None:
            return torch.ones(width, dtype=torch.bool)
        return self.automaton.allowed(state, self.room[row], width)

    def _wrote(self, row: int, token: int) -> None:
        state = self.states[row]
        if state is None:
            return
        self.room[row] -= 1
        self.states[row] = None if token in self.automaton.end_ids else self.automaton.next(state, token)


class ConstrainedModel:
    """A model in memory that can write nothing but JSON of one schema."""

    def __init__(self, model: ChatModel, schema: dict[str, Any]) -> None:
        """Raises `Refused` where the extra is not installed, `BadInput` for a schema that cannot be followed."""
        self._model = model
        self._automaton = SchemaAutomaton(schema, model._tokenizer, model._end_ids)
        self.context = model.context

    def completions(
        self,
        prompt_ids: list[list[int]],
        *,
        adapter: str | None = None,
        max_new_tokens: int,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[tuple[int, Completion]]:
        """`(index of the prompt, answer)` as batches finish, the longest prompts first. Ends early on `stop`.

        An answer is cut only where the shortest valid one has no room.
        """
        context = self._model.room_for(adapter)
        room = {index: min(max_new_tokens, context - len(ids)) for index, ids in enumerate(prompt_ids)}
        for index, tokens in room.items():
            if tokens < 1 or not prompt_ids[index]:
                yield index, Completion(text="", tokens=0, truncated=True, seconds=0.0)
        order = sorted(
            (index for index in room if room[index] > 0 and prompt_ids[index]), key=lambda i: -len(prompt_ids[i])
        )
        if not order:
            return
        model = self._model
        with model._using(adapter) as asked:
            shared = common_prefix([prompt_ids[index] for index in order]) if model._shares and len(order) > 1 else []
            prefix = model._read(asked, shared) if len(shared) >= MIN_SHARED_TOKENS else asked.before
            skip = len(prefix.ids) if prefix else 0
            lengths = [(index, len(prompt_ids[index]) - skip) for index in order]
            for batch in model._batches(lengths, max(room[index] for index in order)):
                started = time.monotonic()
                written: list[list[int]] = [[] for _ in batch]
                most = [room[index] for index in batch]
                for step in greedy(
                    asked.network,
                    [prompt_ids[index][skip:] for index in batch],
                    max_new_tokens=most,
                    end_ids=model._end_ids,
                    device=model.device,
                    prefix=prefix,
                    allow=Writers(self._automaton, most),
                ):
                    for row, token in step:
                        written[row].append(token)
                    if stop is not None and stop():
                        return
                each = (time.monotonic() - started) / len(batch)
                for index, ids in zip(batch, written, strict=True):
                    yield index, model._completion(ids, each)

    def likelihoods(
        self,
        questions: list[tuple[list[int], list[list[int]]]],
        *,
        adapter: str | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[tuple[int, list[float]]]:
        """As the model's own: choices are weighed, not written."""
        yield from self._model.likelihoods(questions, adapter=adapter, stop=stop)
