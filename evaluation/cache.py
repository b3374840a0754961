"""Answers that were given before, by the hash of everything that decides them: nothing is computed twice.

cache/answers/<model key>.jsonl, one line an answer. Prompts are not stored, only their hashes; answers are: a text, or
how likely each choice is.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from core.base_models import READY
from core.home import cache_dir

VERSION = 2
"""Raised when generation changes its answers."""


T = TypeVar("T")


class _Line(BaseModel, Generic[T]):
    model_config = ConfigDict(extra="forbid")
    prompt: str
    answer: T


def answers_dir() -> Path:
    """Where answers are kept. Safe to delete at any time."""
    folder = cache_dir() / "answers"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


class AnswerCache(Generic[T]):
    """Answers of one model under one setting. Several threads and processes may append at once."""

    def __init__(self, kind: type[T], told: list[Any]) -> None:
        """`told` is everything but the question that decides an answer, as JSON has it: weights or host, settings."""
        self.path = answers_dir() / f"{_hash(told)[:32]}.jsonl"
        self._line = _Line[kind]  # type: ignore[valid-type]
        self._known = self._read()

    def get(self, asked: list[Any]) -> T | None:
        """The answer to these token ids or turns, if it was given before."""
        return self._known.get(_hash(asked))

    def put(self, asked: list[Any], answer: T) -> None:
        """Remember an answer. One short write, so that a crash costs at most this line."""
        key = _hash(asked)
        self._known[key] = answer
        line = self._line(prompt=key, answer=answer).model_dump_json() + "\n"
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
                line = self._line.model_validate_json(text)
            except ValidationError:
                continue  # half a line of a crash
            found[line.prompt] = line.answer
        return found


def weights_key(folder: Path) -> str:
    """What tells these weights from others.

    A prepared base says its own hash; an adapter is small enough to be read; other folders go by size and time.
    """
    ready = folder / READY
    if ready.is_file():
        return _sha256(ready.read_bytes())
    adapter = folder / "adapter_model.safetensors"
    if adapter.is_file():
        return _sha256(adapter.read_bytes() + (folder / "adapter_config.json").read_bytes())
    told = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(folder.glob("*.safetensors"))]
    return _sha256(json.dumps([str(folder.resolve()), told]).encode())


def _hash(value: Any) -> str:
    return _sha256(json.dumps(value, sort_keys=True).encode())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
