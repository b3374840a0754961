"""Answers that were given before, by the hash of everything that decides them: nothing is computed twice.

cache/answers/<model key>.jsonl, one line an answer. Prompts are not stored, only their hashes; answers are: a text, or
how likely each choice is. Answers to unsafe requests are kept packed (`core/packed.py`), as the requests are:
such an answer may be harmful, or say the request again.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from core.adapter_settings import settings_of
from core.base_models import READY
from core.home import cache_dir
from core.packed import pack_text, unpack_text

VERSION = 2
"""Raised when generation changes its answers."""
_READ_BY = ("config.json", "generation_config.json", "tokenizer.json")
"""Files of a base that change its answers without a change of its weights: heads and scales, end marks, spelling."""


T = TypeVar("T")


class _Line(BaseModel, Generic[T]):
    model_config = ConfigDict(extra="forbid")
    prompt: str
    answer: T


class _PackedLine(BaseModel):
    model_config = ConfigDict(extra="forbid")
    prompt: str
    packed: str
    """The answer as JSON, packed."""


def answers_dir() -> Path:
    """Where answers are kept. Safe to delete at any time."""
    folder = cache_dir() / "answers"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


class AnswerCache(Generic[T]):
    """Answers of one model under one setting. Several threads and processes may append at once."""

    def __init__(self, kind: type[T], told: list[Any], *, packed: bool = False) -> None:
        """`told` is everything but the question that decides an answer, as JSON has it: weights or host, settings.

        `packed`: new answers cannot be read at a glance. Both kinds of lines are understood wherever they stand.
        """
        self.path = answers_dir() / f"{_hash(told)[:32]}.jsonl"
        self._packed = packed
        self._kind: TypeAdapter[T] = TypeAdapter(kind)
        self._line = _Line[kind]  # type: ignore[valid-type]
        self._known = self._read()

    def get(self, asked: list[Any]) -> T | None:
        """The answer to these token ids or turns, if it was given before."""
        return self._known.get(_hash(asked))

    def put(self, asked: list[Any], answer: T) -> None:
        """Remember an answer. One short write, so that a crash costs at most this line."""
        key = _hash(asked)
        self._known[key] = answer
        written: BaseModel = self._line(prompt=key, answer=answer)
        if self._packed:
            written = _PackedLine(prompt=key, packed=pack_text(self._kind.dump_json(answer).decode()))
        line = written.model_dump_json() + "\n"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def _read(self) -> dict[str, T]:
        found: dict[str, T] = {}
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return found
        for text in lines:
            try:
                key, answer = self._parsed(text)
            except ValueError:
                continue  # half a line of a crash
            found[key] = answer
        return found

    def _parsed(self, text: bytes) -> tuple[str, T]:
        """The hash of a question and its answer. Raises `ValueError`, of which pydantic's is a kind."""
        try:
            line = self._line.model_validate_json(text)
        except ValidationError:
            packed = _PackedLine.model_validate_json(text)
            return packed.prompt, self._kind.validate_json(unpack_text(packed.packed))
        return line.prompt, line.answer


def weights_key(folder: Path) -> str:
    """What tells these weights from others.

    A prepared base says its own hash; an adapter is small enough to be read, with the settings that change its answers;
    of other folders the weights go by size and time, and what says how they are read goes by content.
    """
    ready = folder / READY
    if ready.is_file():
        return _sha256(ready.read_bytes())
    adapter = folder / "adapter_model.safetensors"
    if adapter.is_file():
        return _sha256(adapter.read_bytes() + settings_of(folder).encode())
    told = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(folder.glob("*.safetensors"))]
    read_by = [_sha256(path.read_bytes()) for name in _READ_BY if (path := folder / name).is_file()]
    return _sha256(json.dumps([str(folder.resolve()), told, read_by]).encode())


def _hash(value: Any) -> str:
    return _sha256(json.dumps(value, sort_keys=True).encode())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
