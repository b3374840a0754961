"""A base model in memory with its adapters. Only worker processes import this."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

from core.errors import BadInput, BaseModelUnavailable, NotFound
from serving.adapter_files import check_adapter
from serving.completion import Completion
from serving.decode import greedy, read_prefix
from serving.likelihood import Packed, batches, score
from serving.precision import resolve_precision
from serving.prefix import MIN_SHARED_TOKENS, SharedPrefix, common_prefix, install, prefix_groups

CACHE_BYTES = {"cpu": 2 << 30, "cuda": 16 << 30}
"""Most memory for the keys and values of one batch."""
MAX_BATCH = {"cpu": 64, "cuda": 128}
"""Rows side by side. On two cores 1 row makes 13 tokens/s, 16 make 136, 32 make 195, 64 make 230 (float32)."""


class ChatModel:
    """One base, any number of LoRA adapters; the base's weights are in memory once."""

    def __init__(self, model: Any, tokenizer: Tokenizer, adapters: dict[str, str], device: str) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._adapters = adapters
        self.device = device
        config = getattr(model, "base_model", model).model if adapters else model
        self._network = config if adapters else model
        self._end_ids = _end_ids(self._network)
        self._shares = install(self._network)
        self._network.get_output_embeddings().register_forward_pre_hook(_contiguous)
        self.context = int(getattr(self._network.config.get_text_config(), "max_position_embeddings", 2048))

    @classmethod
    def load(
        cls, base: Path, adapters: dict[str, Path] | None = None, device: str = "cpu", precision: str = "auto"
    ) -> ChatModel:
        """Load a folder with safetensors, and adapters by the name under which they will be asked for.

        `precision` is float32, bfloat16 or auto. Raises `BaseModelUnavailable`, `NotFound` or `BadInput`.
        """
        dtype = getattr(torch, resolve_precision(precision, device))
        try:
            model = AutoModelForCausalLM.from_pretrained(base, dtype=dtype, local_files_only=True, use_safetensors=True)
        except (OSError, ValueError, KeyError) as error:
            first_line = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
            raise BaseModelUnavailable(f"{base} cannot be loaded ({first_line}).", "Prepare it again.") from error
        model.to(device).eval()
        names: dict[str, str] = {}
        for number, (name, folder) in enumerate((adapters or {}).items()):
            names[name] = f"adapter_{number}"
            model = _with_adapter(model, names[name], folder)
        return cls(model, Tokenizer.from_file(str(base / "tokenizer.json")), names, device)

    @property
    def adapters(self) -> list[str]:
        """Names of the adapters."""
        return list(self._adapters)

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
        room = {index: min(max_new_tokens, self.context - len(ids)) for index, ids in enumerate(prompt_ids)}
        for index, tokens in room.items():
            if tokens < 1 or not prompt_ids[index]:
                yield index, Completion(text="", tokens=0, truncated=True, seconds=0.0)
        order = sorted(
            (index for index in room if room[index] > 0 and prompt_ids[index]), key=lambda i: -len(prompt_ids[i])
        )
        if not order:
            return
        groups = prefix_groups([prompt_ids[index] for index in order]) if self._shares else [list(range(len(order)))]
        with self._using(adapter):
            for group in groups:
                rows = {order[at]: prompt_ids[order[at]] for at in group}
                for index, ids, seconds in self._answer_group(rows, room, stop):
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
        context loses the beginning of its own context.
        """
        rows = []
        for index, (context, choices) in enumerate(questions):
            longest = max(map(len, choices))
            rows.append(Packed(index, context[-max(1, self.context - longest) :], choices))
        with self._using(adapter):
            for batch in batches(rows, self.device):
                if stop is not None and stop():
                    return
                for row, found in zip(batch, score(self._network, batch, self.device), strict=True):
                    yield row.index, found

    def _answer_group(
        self, rows: dict[int, list[int]], room: dict[int, int], stop: Callable[[], bool] | None
    ) -> Iterator[tuple[int, list[int], float]]:
        """`(index, tokens written, seconds)` for rows that may share a beginning."""
        if stop is not None and stop():
            return
        started = time.monotonic()
        shared = common_prefix(list(rows.values())) if self._shares and len(rows) > 1 else []
        prefix = self._read(shared) if len(shared) >= MIN_SHARED_TOKENS else None
        # The one reading of the prefix is everybody's: each answer bears its share.
        common_seconds = (time.monotonic() - started) / max(1, len(rows))
        skip = prefix.tokens if prefix else 0
        lengths = sorted(((index, len(ids) - skip) for index, ids in rows.items()), key=lambda item: -item[1])
        for batch in self._batches(lengths, max(room[index] for index in rows)):
            started = time.monotonic()
            written: list[list[int]] = [[] for _ in batch]
            for step in greedy(
                self._network,
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
        room = min(max_new_tokens, self.context - len(prompt_ids))
        if room < 1 or not prompt_ids:
            raise BadInput(
                f"the conversation is {len(prompt_ids)} tokens long; the model takes {self.context}.", "Shorten it."
            )
        ids: list[int] = []
        shown = ""
        with self._using(adapter):
            for step in greedy(
                self._network, [prompt_ids], max_new_tokens=[room], end_ids=self._end_ids, device=self.device
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

    def _read(self, ids: list[int]) -> SharedPrefix:
        with torch.inference_mode():
            return read_prefix(self._network, ids, self.device)

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
    def _using(self, adapter: str | None) -> Iterator[None]:
        if adapter is not None and adapter not in self._adapters:
            raise NotFound(f"no adapter `{adapter[:60]}` is loaded.", f"Loaded: {', '.join(self._adapters) or 'none'}.")
        if not self._adapters:
            yield
        elif adapter is None:
            with self._model.disable_adapter():
                yield
        else:
            self._model.set_adapter(self._adapters[adapter])
            yield


def _contiguous(_module: Any, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """The last token of each row, side by side.

    As a slice of all tokens, it would make torch copy the whole output matrix once a row (3 GB for 56 rows).
    """
    return (inputs[0].contiguous(), *inputs[1:])


def _with_adapter(model: Any, name: str, folder: Path) -> Any:
    check_adapter(folder)
    try:
        if isinstance(model, PeftModel):
            model.load_adapter(str(folder), adapter_name=name, autocast_adapter_dtype=False)
            return model
        # In the base's number format: beside a bfloat16 base, a float32 adapter would convert at every layer.
        return PeftModel.from_pretrained(model, str(folder), adapter_name=name, autocast_adapter_dtype=False).eval()
    except (RuntimeError, ValueError, KeyError) as error:
        raise BadInput(
            f"the adapter {folder} does not fit this base model.", "Was it trained on another base?", file=str(folder)
        ) from error


def _end_ids(model: Any) -> frozenset[int]:
    found: set[int] = set()
    for config in (model.generation_config, model.config.get_text_config()):
        ids = getattr(config, "eos_token_id", None)
        found.update([ids] if isinstance(ids, int) else ids or [])
    return frozenset(found)
