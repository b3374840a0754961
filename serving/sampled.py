"""Sampled answers: the next token is drawn, not the likeliest taken. Each prompt has its own stream of chance."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator

import torch

from serving.completion import Completion
from serving.decode import greedy
from serving.model import ChatModel


class Draws:
    """Chance for the rows of one batch: the hook of the greedy loop.

    The largest of `logits / temperature + Gumbel noise` is a draw from the softmax of `logits / temperature` (the
    Gumbel-max trick, Maddison et al. 2014, arXiv:1411.0030), so the greedy loop samples without knowing it.
    """

    def __init__(self, prompts: list[list[int]], temperature: float, seed: int) -> None:
        self.temperature = temperature
        # A stream a prompt: what is drawn does not depend on who stands beside it in the batch.
        self.streams = [torch.Generator().manual_seed(_stream(prompt, seed)) for prompt in prompts]

    def __call__(self, rows: list[int], logits: torch.Tensor) -> torch.Tensor:
        """The logits with the noise of each row added, `(rows, vocabulary)`."""
        width = logits.shape[-1]
        waits = torch.stack([torch.empty(width).exponential_(generator=self.streams[row]) for row in rows])
        return logits.float() / self.temperature - waits.clamp(min=1e-30).log().to(logits.device)


class SampledModel:
    """A model in memory that answers by chance, the same for the same seed."""

    def __init__(self, model: ChatModel, temperature: float, seed: int) -> None:
        self._model = model
        self._temperature = temperature
        self._seed = seed
        self.context = model.context

    def completions(
        self,
        prompt_ids: list[list[int]],
        *,
        adapter: str | None = None,
        max_new_tokens: int,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[tuple[int, Completion]]:
        """`(index of the prompt, answer)` as batches finish, the longest prompts first. Ends early on `stop`."""
        model = self._model
        context = model.room_for(adapter)
        room = {at: min(max_new_tokens, context - len(ids)) if ids else 0 for at, ids in enumerate(prompt_ids)}
        for at, tokens in room.items():
            if tokens < 1:
                yield at, Completion(text="", tokens=0, truncated=True, seconds=0.0)
        lengths = sorted(((at, len(prompt_ids[at])) for at in room if room[at] > 0), key=lambda item: -item[1])
        with model._using(adapter) as asked:
            for batch in model._batches(lengths, max_new_tokens):
                started = time.monotonic()
                written: list[list[int]] = [[] for _ in batch]
                prompts = [prompt_ids[at] for at in batch]
                for step in greedy(
                    asked.network,
                    prompts,
                    max_new_tokens=[room[at] for at in batch],
                    end_ids=model._end_ids,
                    device=model.device,
                    prefix=asked.before,
                    allow=Draws(prompts, self._temperature, self._seed),
                ):
                    for row, token in step:
                        written[row].append(token)
                    if stop is not None and stop():
                        return
                each = (time.monotonic() - started) / len(batch)
                for at, ids in zip(batch, written, strict=True):
                    yield at, model._completion(ids, each)

    def likelihoods(
        self,
        questions: list[tuple[list[int], list[list[int]]]],
        *,
        adapter: str | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[tuple[int, list[float]]]:
        """As the model's own: choices are weighed, not drawn."""
        yield from self._model.likelihoods(questions, adapter=adapter, stop=stop)


def _stream(prompt: list[int], seed: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed} {prompt}".encode()).digest()[:7])
