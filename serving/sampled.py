"""Sampled answers: the next token is drawn, not the likeliest taken. Each prompt has its own stream of chance."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import torch

from serving.completion import Completion
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

        def draws(batch: list[int], _room: list[int]) -> Draws:
            return Draws([prompt_ids[at] for at in batch], self._temperature, self._seed)

        # Nothing is shared: a reading of its own keeps each row's draw what it is alone.
        yield from self._model.completions(
            prompt_ids, adapter=adapter, max_new_tokens=max_new_tokens, stop=stop, hook=draws, share=False
        )

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
