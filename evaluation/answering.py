"""Ask a model all prompts, the known ones from the cache, and say how far it is."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from pathlib import Path
from typing import Any, TypeVar

from core.run_folder import RunFolder
from evaluation.cache import VERSION, AnswerCache, weights_key
from evaluation.judged_model import Model
from serving.completion import Completion

T = TypeVar("T")
MOST_STEP_EVENTS = 1000
"""Of one judgement: whoever looks reads all of its events."""
ETA_FROM_ANSWERS = 8
"""The first answers are slow: the libraries warm up."""


class Stopped(Exception):
    """Somebody asked to stop. What was answered so far is in the cache."""


class Progress:
    """Steps of the whole judgement with the time that is left: one step is one answer."""

    def __init__(self, folder: RunFolder, total: int) -> None:
        self.folder = folder
        self.total = total
        self.done = 0
        self._seconds = 0.0
        self._computed = 0
        self._told = 0

    def stage(self, message: str) -> None:
        """A new part begins."""
        print(f"{time.strftime('%H:%M:%S')} {message}", flush=True)
        self.folder.emit("stage", message)

    def known(self, answers: int) -> None:
        """Answers that were in the cache: done, and no measure of speed."""
        self.done += answers
        if answers:
            self._emit()

    def computed(self, answers: int, seconds: float) -> None:
        """Answers that were just written."""
        self.done += answers
        self._computed += answers
        self._seconds += seconds
        self._emit()

    def _emit(self) -> None:
        if self.done < self.total and self.done - self._told < self.total / MOST_STEP_EVENTS:
            return
        self._told = self.done
        values: dict[str, float] = {}
        if self._computed >= ETA_FROM_ANSWERS:
            each = self._seconds / self._computed
            values = {"eta_seconds": round(each * max(0, self.total - self.done), 1), "seconds_per_answer": each}
        self.folder.emit("step", step=min(self.done, self.total), total_steps=self.total, values=values)


def other_batches(n: int, repeat: int) -> list[list[int]]:
    """Places of `n` prompts in a shuffled order and in batches of a third, drawn by the number of the repeat."""
    order = random.Random(repeat).sample(range(n), n)
    size = math.ceil(n / 3) or 1
    return [order[start : start + size] for start in range(0, n, size)]


Likelihoods = list[float]
"""How likely each choice of a question is, in nats."""


class Answerer:
    """One loaded model, asked with or without its adapter."""

    def __init__(
        self,
        model: Model,
        base: Path,
        adapter: tuple[str, Path] | None,
        *,
        max_new_tokens: int,
        settings: dict[str, str | int],
        progress: Progress,
        should_stop: Callable[[], bool],
        keys: tuple[str, str] | None = None,
    ) -> None:
        self.model = model
        self.base = base
        self.adapter = adapter
        self.max_new_tokens = max_new_tokens
        self.settings = settings
        self.progress = progress
        self.should_stop = should_stop
        self.out_of_sight = False
        """Answers are kept packed: see `hidden`."""
        # Taken once: a training that goes on writes over the folder, and the model in memory stays what it was.
        self.keys = keys or (weights_key(base), weights_key(adapter[1]) if adapter else "")

    def limited(self, max_new_tokens: int) -> Answerer:
        """The same model with another length of its answers."""
        other = copy(self)
        other.max_new_tokens = max_new_tokens
        return other

    def hidden(self) -> Answerer:
        """The same model, asked what nobody should read by chance: its answers are kept packed."""
        other = copy(self)
        other.out_of_sight = True
        return other

    def with_adapter(self, name: str, folder: Path, key: str) -> Answerer:
        """The same model once another adapter was put into it; `key` tells its weights from others."""
        other = copy(self)
        other.adapter, other.keys = (name, folder), (self.keys[0], key)
        return other

    def with_model(self, model: Model, told: dict[str, str | int]) -> Answerer:
        """The same weights asked in another way, such as by sampling; `told` tells its answers from others."""
        other = copy(self)
        other.model, other.settings = model, self.settings | told
        return other

    def answers(self, prompts: list[list[int]], *, tuned: bool = False, repeat: int = 0) -> list[Completion]:
        """Answers in the order of the prompts; equal prompts are asked once. Raises `Stopped`.

        With `repeat` they are asked anew, in another order and other batches; each repeat has answers of its own in
        the cache.
        """
        told = {"max_new_tokens": self.max_new_tokens} | ({"repeat": repeat} if repeat else {})
        cache = AnswerCache(Completion, self._told(tuned, told), packed=self.out_of_sight)

        def ask(missing: list[list[int]]) -> Iterator[tuple[int, Completion]]:
            batches: list[Sequence[int]] = [*other_batches(len(missing), repeat)] if repeat else [range(len(missing))]
            for places in batches:
                for at, answer in self.model.completions(
                    [missing[place] for place in places],
                    adapter=self._name(tuned),
                    max_new_tokens=self.max_new_tokens,
                    stop=self.should_stop,
                ):
                    yield places[at], answer

        return self._asked(prompts, cache, ask)

    def likelihoods(
        self, questions: list[tuple[list[int], list[list[int]]]], *, tuned: bool = False
    ) -> list[Likelihoods]:
        """The log-probability of each choice, in the order of the questions. Raises `Stopped`."""
        cache = AnswerCache(list[float], self._told(tuned, {"likelihoods": 1}))
        # One list of ids a question, so that it can be looked up: -1 stands in no vocabulary.
        keys = [[*context, *(token for choice in choices for token in (-1, *choice))] for context, choices in questions]
        known = {tuple(key): question for key, question in zip(keys, questions, strict=True)}

        def ask(missing: list[list[int]]) -> Iterator[tuple[int, Likelihoods]]:
            return self.model.likelihoods(
                [known[tuple(key)] for key in missing], adapter=self._name(tuned), stop=self.should_stop
            )

        return self._asked(keys, cache, ask)

    def _told(self, tuned: bool, more: dict[str, int]) -> list[Any]:
        """What decides an answer beside the question: weights and settings."""
        return [VERSION, self.keys[0], self.keys[1] if tuned else "", sorted((self.settings | more).items())]

    def _name(self, tuned: bool) -> str | None:
        return self.adapter[0] if tuned and self.adapter else None

    def _asked(
        self, keys: list[list[int]], cache: AnswerCache[T], ask: Callable[[list[list[int]]], Iterator[tuple[int, T]]]
    ) -> list[T]:
        found = [cache.get(key) for key in keys]
        missing = list(dict.fromkeys(tuple(ids) for ids, answer in zip(keys, found, strict=True) if answer is None))
        self.progress.known(sum(answer is not None for answer in found))
        asked = [list(ids) for ids in missing]
        started = time.monotonic()
        fresh: dict[tuple[int, ...], T] = {}
        for index, answer in ask(asked) if asked else ():
            cache.put(asked[index], answer)
            fresh[missing[index]] = answer
            now = time.monotonic()
            self.progress.computed(1, now - started)
            started = now
        if len(fresh) < len(missing):
            raise Stopped
        # What stood twice was computed once and counts as known from the second on.
        self.progress.known(sum(answer is None for answer in found) - len(missing))
        return [fresh[tuple(ids)] if answer is None else answer for ids, answer in zip(keys, found, strict=True)]
