"""Replies of a hosted model that were paid for once, by the hash of everything that decides them.

Beside the answers of local models: cache/answers/<hash>.jsonl, one line a reply. Prompts are not stored, only hashes.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from core.endpoint_address import EndpointAddress
from evaluation.cache import answers_dir

VERSION = 1
"""Raised when a reply comes to mean something else."""


class Reply(BaseModel):
    """What a hosted model wrote, and what it was billed by."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    text: str
    prompt_tokens: int
    """As the host counted them; 0 where it does not say."""
    answer_tokens: int
    truncated: bool
    """Cut at the longest allowed length."""
    seconds: float
    """From the request to the whole answer, tries that failed left out."""


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")
    prompt: str
    answer: Reply


class ReplyCache:
    """Replies of one model of one host under one setting. Threads and processes may append at once."""

    def __init__(self, address: EndpointAddress, settings: dict[str, Any]) -> None:
        told = ["endpoint", VERSION, address.base_url, address.model, settings]
        self.path = answers_dir() / f"{_hash(told)[:32]}.jsonl"
        self._known = self._read()

    def get(self, turns: list[dict[str, str]]) -> Reply | None:
        """The reply to this conversation, if it was given before."""
        return self._known.get(_hash(turns))

    def put(self, turns: list[dict[str, str]], reply: Reply) -> None:
        """Remember a reply. One short write, so that a crash costs at most this line."""
        key = _hash(turns)
        self._known[key] = reply
        line = _Line(prompt=key, answer=reply).model_dump_json() + "\n"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def _read(self) -> dict[str, Reply]:
        found: dict[str, Reply] = {}
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return found
        for text in lines:
            try:
                line = _Line.model_validate_json(text)
            except ValidationError:
                continue  # half a line of a crash
            found[line.prompt] = line.answer
        return found


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
