"""Ask a model all prompts, the known ones from the cache, and say how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from core.run_folder import RunFolder
from evaluation.cache import AnswerCache
from evaluation.judged_model import Model
from serving.completion import Completion

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
    ) -> None:
        self.model = model
        self.adapter = adapter
        self.max_new_tokens = max_new_tokens
        self.progress = progress
        self.should_stop = should_stop
        told = settings | {"max_new_tokens": max_new_tokens}
        self._caches = {False: AnswerCache(base, None, told)}
        if adapter is not None:
            self._caches[True] = AnswerCache(base, adapter[1], told)

    def answers(self, prompts: list[list[int]], *, tuned: bool = False) -> list[Completion]:
        """Answers in the order of the prompts; equal prompts are asked once. Raises `Stopped`."""
        cache = self._caches[tuned]
        found = [cache.get(prompt) for prompt in prompts]
        missing = list(dict.fromkeys(tuple(ids) for ids, answer in zip(prompts, found, strict=True) if answer is None))
        self.progress.known(sum(answer is not None for answer in found))
        asked = [list(ids) for ids in missing]
        started = time.monotonic()
        fresh: dict[tuple[int, ...], Completion] = {}
        for index, answer in self.model.completions(
            asked,
            adapter=self.adapter[0] if tuned and self.adapter else None,
            max_new_tokens=self.max_new_tokens,
            stop=self.should_stop,
        ):
            cache.put(asked[index], answer)
            fresh[missing[index]] = answer
            now = time.monotonic()
            self.progress.computed(1, now - started)
            started = now
        if len(fresh) < len(missing):
            raise Stopped
        # Prompts that stood twice were computed once and count as known from the second on.
        self.progress.known(sum(answer is None for answer in found) - len(missing))
        return [answer or fresh[tuple(ids)] for ids, answer in zip(prompts, found, strict=True)]
