"""A base model in memory with its adapters. Only worker processes import this."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from core.errors import BadInput
from serving.adapter_files import check_adapter
from serving.adapters import Adapters, Asked, load_network
from serving.batching import Batching, Hook
from serving.completion import Completion
from serving.decode import greedy
from serving.likelihood import batches, packed, score
from serving.precision import resolve_precision


class ChatModel:
    """One base, any number of adapters; the base's weights are in memory once. A tuned whole model adds its own."""

    def __init__(self, adapters: Adapters, tokenizer: Tokenizer, device: str) -> None:
        self._adapters = adapters
        self.tokenizer = tokenizer
        self.device = device
        self._network = adapters.base
        self.end_ids = _end_ids(self._network)
        """Any of these tokens ends an answer."""
        self._batching = Batching(self._network, self.end_ids, device)
        self.context = int(getattr(self._network.config.get_text_config(), "max_position_embeddings", 2048))

    @classmethod
    def load(
        cls, base: Path, adapters: dict[str, Path] | None = None, device: str = "cpu", precision: str = "auto"
    ) -> ChatModel:
        """Load a folder with safetensors, and adapters by the name under which they will be asked for.

        `precision` is float32, bfloat16 or auto. Raises `BaseModelUnavailable`, `NotFound` or `BadInput`.
        """
        dtype = getattr(torch, resolve_precision(precision, device))
        loaded = Adapters(load_network(base, dtype, device), device)
        for name, folder in (adapters or {}).items():
            loaded.add(name, folder)
        return cls(loaded, Tokenizer.from_file(str(base / "tokenizer.json")), device)

    @property
    def adapters(self) -> list[str]:
        """Names of the adapters."""
        return self._adapters.names

    def room_for(self, adapter: str | None) -> int:
        """Tokens of prompt and answer that fit: the context, less the learned places before every prompt."""
        return self.context - self._adapters.virtual_tokens(adapter)

    def swap_adapter(self, name: str, folder: Path) -> None:
        """Put another adapter in the place of a loaded one: the old one leaves memory before the new one comes.

        Raises `NotFound` for a name that is not loaded or a folder without an adapter, `BadInput` for one that does not
        fit; after the latter the name holds no adapter.
        """
        self._adapters.require(name)
        check_adapter(folder)
        self._adapters.remove(name)
        self._adapters.add(name, folder)

    def generate(
        self,
        prompt_ids: list[list[int]],
        *,
        adapter: str | None = None,
        max_new_tokens: int,
        stop: Callable[[], bool] | None = None,
    ) -> list[Completion]:
        """Greedy answers in the order of the prompts; `adapter` None is the bare base.

        When `stop` turns true, what is not finished comes back empty and truncated.
        """
        answers = [Completion(text="", tokens=0, truncated=True, seconds=0.0) for _ in prompt_ids]
        for index, answer in self.completions(prompt_ids, adapter=adapter, max_new_tokens=max_new_tokens, stop=stop):
            answers[index] = answer
        return answers

    def completions(
        self,
        prompt_ids: list[list[int]],
        *,
        adapter: str | None = None,
        max_new_tokens: int,
        stop: Callable[[], bool] | None = None,
        hook: Hook | None = None,
        share: bool = True,
    ) -> Iterator[tuple[int, Completion]]:
        """`(index of the prompt, answer)` as batches finish, prompts of like length together, the longest first.

        A prompt that fills the context gets an empty, truncated answer. Ends early when `stop` turns true. `hook` says
        what a batch may write, `share` whether a common beginning is read once.
        """
        context = self.room_for(adapter)
        room = [min(max_new_tokens, context - len(ids)) for ids in prompt_ids]
        with self._using(adapter) as asked:
            answers = self._batching.answers(asked, prompt_ids, room, hook=hook, share=share, stop=stop)
            for index, ids, seconds in answers:
                yield index, self._completion(ids, seconds)

    def likelihoods(
        self,
        questions: list[tuple[list[int], list[list[int]]]],
        *,
        adapter: str | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[tuple[int, list[float]]]:
        """`(index of the question, log-probability of each choice)` as batches finish. Ends early when `stop` says so.

        A question is `(ids of the context, ids of each choice)`, none of them empty. What does not fit the model's
        context loses the beginning of its own context. Raises `BadInput` for a choice that alone is too long.
        """
        room = self.room_for(adapter)
        rows = [packed(index, context, choices, room) for index, (context, choices) in enumerate(questions)]
        with self._using(adapter) as asked:
            for batch in batches(rows, self.device):
                if stop is not None and stop():
                    return
                scores = score(asked.network, batch, self.device, asked.before)
                for row, found in zip(batch, scores, strict=True):
                    yield row.index, found

    def stream(
        self, prompt_ids: list[int], *, adapter: str | None = None, max_new_tokens: int
    ) -> Generator[str, None, bool]:
        """Pieces of one answer as they are written; returns whether it was cut.

        Raises `BadInput` when the prompt fills the context.
        """
        context = self.room_for(adapter)
        room = min(max_new_tokens, context - len(prompt_ids))
        if room < 1 or not prompt_ids:
            raise BadInput(
                f"the conversation is {len(prompt_ids)} tokens long; the model takes {context}.", "Shorten it."
            )
        ids: list[int] = []
        shown = ""
        with self._using(adapter) as asked:
            for step in greedy(
                asked.network,
                [prompt_ids],
                max_new_tokens=[room],
                end_ids=self.end_ids,
                device=self.device,
                prefix=asked.before,
            ):
                ids.append(step[0][1])
                text = self._text(ids)
                # Half a character of several bytes decodes to U+FFFD: it is held back until it is whole.
                if len(text) > len(shown) and not text.endswith("\ufffd"):
                    yield text[len(shown) :]
                    shown = text
        text = self._text(ids)
        if len(text) > len(shown):
            yield text[len(shown) :]
        return ids[-1] not in self.end_ids

    def _completion(self, ids: list[int], seconds: float) -> Completion:
        ended = bool(ids) and ids[-1] in self.end_ids
        return Completion(text=self._text(ids), tokens=len(ids) - ended, truncated=not ended, seconds=seconds)

    def _text(self, ids: list[int]) -> str:
        return str(self.tokenizer.decode([token for token in ids if token not in self.end_ids]))

    @contextmanager
    def _using(self, adapter: str | None) -> Iterator[Asked]:
        with self._adapters.using(adapter) as asked:
            yield asked


def _end_ids(model: Any) -> frozenset[int]:
    found: set[int] = set()
    for config in (model.generation_config, model.config.get_text_config()):
        ids = getattr(config, "eos_token_id", None)
        found.update([ids] if isinstance(ids, int) else ids or [])
    return frozenset(found)
