"""Greedy answers that are JSON of a given schema, token by token: what may not come next is never written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from serving.completion import Completion
from serving.model import ChatModel
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
        self._automaton = SchemaAutomaton(schema, model.tokenizer, model.end_ids)
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

        def writers(_batch: list[int], room: list[int]) -> Writers:
            return Writers(self._automaton, room)

        yield from self._model.completions(
            prompt_ids, adapter=adapter, max_new_tokens=max_new_tokens, stop=stop, hook=writers
        )

    def likelihoods(
        self,
        questions: list[tuple[list[int], list[list[int]]]],
        *,
        adapter: str | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[tuple[int, list[float]]]:
        """As the model's own: choices are weighed, not written."""
        yield from self._model.likelihoods(questions, adapter=adapter, stop=stop)
