"""What the base itself answers to prompts that are mixed in. Asked once: the answers stay in the cache.

cache/mixed/<key>.jsonl, one line an answer, by the hash of the weights, the number format and the token ids of the
prompt. Answers are kept packed: some are to unsafe requests.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from core.home import cache_dir
from core.jobspec import JobSpec
from core.machine import machine, resolve_device
from core.packed import pack_text, unpack_text
from cost_models.fit_plan import card_here, precision_of
from dataset.render import Renderer
from dataset.row import Message
from training.prepare import read_ready_card, weights_sha256

MAX_NEW_TOKENS = 128
"""Of one answer. Of one that goes on for longer the beginning is learned, and no end."""
VERSION = 2


class Said(NamedTuple):
    """What the base said."""

    text: str
    cut: bool
    """Was it still going on?"""


Generate = Callable[[list[list[int]]], Sequence[Said]]
"""Token ids of prompts to the answer to each."""


class BaseAnswers:
    """Asks the base, which is loaded at the first prompt that was not asked before."""

    def __init__(self, spec: JobSpec, base: Path, renderer: Renderer, generate: Generate | None = None) -> None:
        self._spec, self._base, self._renderer = spec, base, renderer
        self._generate = generate
        self._model: Any = None
        card = read_ready_card(base)
        weights = card.sha256 if card else weights_sha256(base)
        told = [VERSION, MAX_NEW_TOKENS, spec.precision, spec.method.bits, weights]
        folder = cache_dir() / "mixed"
        folder.mkdir(mode=0o700, exist_ok=True)
        self.path = folder / f"{_hash(told)[:32]}.jsonl"
        self._known = _read(self.path)

    def missing(self, prompts: Sequence[str]) -> int:
        """How many of them have not been asked before."""
        return sum(_hash(self._ids(prompt)) not in self._known for prompt in prompts)

    def answers(self, prompts: Sequence[str]) -> list[Said]:
        """The answer to each prompt, without white space around it; empty where it said nothing."""
        ids = [self._ids(prompt) for prompt in prompts]
        new = [each for each in ids if _hash(each) not in self._known]
        if new:
            for asked, said in zip(new, (self._generate or self._by_the_base)(new), strict=True):
                self._put(_hash(asked), Said(said.text.strip(), said.cut))
        return [self._known[_hash(each)] for each in ids]

    def close(self) -> None:
        """Give the memory back."""
        if self._model is None:
            return
        self._model = None
        gc.collect()
        import torch

        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _ids(self, prompt: str) -> list[int]:
        return self._renderer.encode_prompt([Message("user", prompt)])

    def _by_the_base(self, prompts: list[list[int]]) -> Sequence[Said]:
        if self._model is None:
            self._model = _load(self._spec, self._base)
        found = self._model.generate(prompts, max_new_tokens=MAX_NEW_TOKENS)
        return [Said(answer.text, answer.truncated) for answer in found]

    def _put(self, key: str, said: Said) -> None:
        self._known[key] = said
        line = json.dumps({"prompt": key, "packed": pack_text(json.dumps(said))}) + "\n"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)


def _load(spec: JobSpec, base: Path) -> Any:
    """The base as it will be trained, in 16 bits or fewer, ready to answer."""
    device = resolve_device(spec.device)
    kind, _, first = device.partition(":")
    precision = precision_of(spec, kind, machine(), card_here(machine(), device))
    if kind == "cuda":
        # The trainer sees these cards only, and what a process sees is settled by the first look.
        cards = range(int(first), int(first) + spec.n_gpus)
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, cards))
        device = "cuda:0"
    from tokenizers import Tokenizer
    from transformers import AutoModelForCausalLM

    from serving.adapters import Adapters
    from serving.model import ChatModel

    if spec.method.bits not in ("4", "8"):
        return ChatModel.load(base, device=device, precision="auto" if precision == "float16" else precision)
    from training.load_base import quantization

    place = "cpu" if kind == "cpu" else 0
    network = AutoModelForCausalLM.from_pretrained(
        base,
        quantization_config=quantization(spec.method.bits, precision),
        device_map={"": place},
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
    )
    return ChatModel(Adapters(network.eval(), device), Tokenizer.from_file(str(base / "tokenizer.json")), device)


def _read(path: Path) -> dict[str, Said]:
    found: dict[str, Said] = {}
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return found
    for line in lines:
        try:
            told = json.loads(line)
            text, cut = json.loads(unpack_text(told["packed"]))
            found[told["prompt"]] = Said(str(text), bool(cut))
        except (ValueError, KeyError, TypeError):
            continue  # half a line of a crash
    return found


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
