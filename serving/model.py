"""A base model in memory with its adapters. Only worker processes import this."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from core.errors import BadInput
from serving.adapter_files import check_adapter
from serving.adapters import Adapters, Asked, load_network
from serving.completion import Completion
from serving.decode import greedy, read_prefix
from serving.likelihood import batches, packed, score
from serving.precision import resolve_precision
from serving.prefix import MIN_SHARED_TOKENS, SharedPrefix, can_share, common_prefix, prefix_groups

CACHE_BYTES = {"cpu": 2 << 30, "cuda": 16 << 30}
"""Most memory for the keys and values of one batch."""
MAX_BATCH = {"cpu": 64, "cuda": 128}
"""Rows side by side. On two cores 1 row makes 13 tokens/s, 16 make 136, 32 make 195, 64 make 230 (float32)."""


class ChatModel:
    """One base, any number of adapters; the base's weights are in memory once. A tuned whole model adds its own."""

    def __init__(self, adapters: Adapters, tokenizer: Tokenizer, device: str) -> None:
        self._adapters = adapters
        self._tokenizer = tokenizer
        self.device = device
        self._network = adapters.base
        self._end_ids = _end_ids(self._network)
        self._shares = can_share(self._network)
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
    ) -> Iterator[tuple[int, Completion]]:
        """`(index of the prompt, answer)` as batches finish, prompts of like length together, the longest first.

        A prompt that fills the context gets an empty, truncated answer. Ends early when `stop` turns true.
        """
        context = self.room_for(adapter)
        room = {index: min(max_new_tokens, context - len(ids)) for index, ids in enumerate(prompt_ids)}
        for index, tokens in room.items():
            if tokens < 1 or not prompt_ids[index]:
                yield index, Completion(text="", tokens=0, truncated=True, seconds=0.0)
        order = sorted(
            (index for index in room if room[index] > 0 and prompt_ids[index]), key=lambda i: -len(prompt_ids[i])
        )
        if not order:
            return
        groups = prefix_groups([prompt_ids[index] for index in order]) if self._shares else [list(range(len(order)))]
        with self._using(adapter) as asked:
            for group in groups:
                rows = {order[at]: prompt_ids[order[at]] for at in group}
                for index, ids, seconds in self._answer_group(asked, rows, room, stop):
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

    def _answer_group(
        self, asked: Asked, rows: dict[int, list[int]], room: dict[int, int], stop: Callable[[], bool] | None
    ) -> Iterator[tuple[int, list[int], float]]:
        """`(index, tokens written, seconds)` for rows that may share a beginning."""
        if stop is not None and stop():
            return
        started = time.monotonic()
        shared = common_prefix(list(rows.values())) if self._shares and len(rows) > 1 else []
        prefix = self._read(asked, shared) if len(shared) >= MIN_SHARED_TOKENS else asked.before
        # The one reading of the prefix is everybody's: each answer bears its share.
        common_seconds = (time.monotonic() - started) / max(1, len(rows))
        skip = len(prefix.ids) if prefix else 0
        lengths = sorted(((index, len(ids) - skip) for index, ids in rows.items()), key=lambda item: -item[1])
        for batch in self._batches(lengths, max(room[index] for index in rows)):
            started = time.monotonic()
            written: list[list[int]] = [[] for _ in batch]
            for step in greedy(
                asked.network,
                [rows[index][skip:] for index in batch],
                max_new_tokens=[room[index] for index in batch],
                end_ids=self._end_ids,
                device=self.device,
                prefix=prefix,
            ):
                for row, token in step:
                    written[row].append(token)
                if stop is not None and stop():
                    return
            seconds = (time.monotonic() - started) / len(batch) + common_seconds
            for index, ids in zip(batch, written, strict=True):
                yield index, ids, seconds

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
                end_ids=self._end_ids,
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
        return ids[-1] not in self._end_ids

    def _read(self, asked: Asked, ids: list[int]) -> SharedPrefix:
        with torch.inference_mode():
            return read_prefix(asked.network, ids, self.device, asked.before)

    def _batches(self, rows: list[tuple[int, int]], max_new_tokens: int) -> Iterator[list[int]]:
        """Groups of `(index, tokens)` rows, longest first, that fit the memory set aside for keys and values."""
        kind = self.device.partition(":")[0]
        config = self._network.config.get_text_config()
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        bytes_per_token = 2 * config.num_hidden_layers * heads * dim * self._network.dtype.itemsize
        at = 0
        while at < len(rows):
            row_bytes = (rows[at][1] + max_new_tokens) * bytes_per_token
            most = max(1, min(MAX_BATCH[kind], CACHE_BYTES[kind] // row_bytes))
            # Batches of like size: 70 rows go as 35 and 35, not as 64 and 6.
            left = len(rows) - at
            size = math.ceil(left / math.ceil(left / most))
            yield [index for index, _ in rows[at : at + size]]
            at += size

    def _completion(self, ids: list[int], seconds: float) -> Completion:
        ended = bool(ids) and ids[-1] in self._end_ids
        return Completion(text=self._text(ids), tokens=len(ids) - ended, truncated=not ended, seconds=seconds)

    def _text(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode([token for token in ids if token not in self._end_ids]))

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
