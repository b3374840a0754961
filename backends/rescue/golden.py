"""A golden set: what a tuned model answered on a team's own prompts, as chat rows beside a manifest. No key is in it.

A folder of `rescue/` in the home: `replies.jsonl` holds each reply as it came, `golden.jsonl` the rows made of them,
`manifest.json` what was asked, of whom, how, and what it took.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from backends.rescue.lives import Life
from backends.rescue.tuned_models import rescue_dir
from core.errors import BadInput, NotFound
from core.own_files import disk_error, write_atomically
from core.paths import exists, typed_path
from dataset.row import Message, Row
from dataset.write import as_chat

ROWS, REPLIES, MANIFEST = "golden.jsonl", "replies.jsonl", "manifest.json"
_READABLE = re.compile(r"[^A-Za-z0-9]+")


class Reply(BaseModel):
    """One answer of the tuned model: a line of `replies.jsonl`."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    line: int
    """1-based line of the prompt in the file of prompts."""
    asked: list[tuple[str, str]]
    """(role, content) of the turns that were sent."""
    text: str
    prompt_tokens: int | None
    answer_tokens: int | None
    truncated: bool
    seconds: float
    refused: str = ""
    """Why the host would not answer this prompt: too long, against its rules."""

    @property
    def key(self) -> str:
        """What tells this prompt from others."""
        return prompt_key([Message(role, content) for role, content in self.asked])

    @property
    def row(self) -> Row:
        """The prompt with the answer behind it."""
        turns = [Message(role, content) for role, content in self.asked]
        return Row((*turns, Message("assistant", self.text)), self.line)


class Golden(BaseModel):
    """The manifest of a golden set."""

    model_config = ConfigDict(extra="ignore")
    model: str
    host: str
    base: str = ""
    life: Life = Life()
    prompts: str
    """Path of the file of prompts."""
    prompts_sha256: str
    inputs: list[str] = []
    """Columns that make a prompt, where they were named."""
    wanted: int
    """Prompts to ask: each once, however often it stands in the file."""
    answered: int = 0
    empty: int = 0
    """Answers without a word, which are in no row."""
    refused: int = 0
    """Of the empty ones: prompts that the host would not answer."""
    truncated: int = 0
    """Answers cut at their longest allowed length."""
    temperature: float | None = 0.0
    """None where the host refused the setting: its answers may then differ from one time to the next."""
    max_tokens: int
    seed: int
    """Of the choice of prompts, where not all are asked."""
    prompt_tokens: int = 0
    answer_tokens: int = 0
    seconds_per_answer: float | None = None
    usd: float | None = None
    """List price of what was asked; None where the price of a token is not known."""
    usd_per_1000_calls: float | None = None
    prices: list[dict[str, object]] = []
    """Rows of the price book that were counted with."""
    rows_sha256: str = ""
    started_at: datetime
    recorded_at: datetime | None = None
    """When the last answer came."""
    tunes: list[str] = []
    """Train jobs of our own that are to take its place."""
    notes: list[str] = []

    @property
    def complete(self) -> bool:
        """True when every prompt has its answer."""
        return self.answered >= self.wanted


def golden_dir(model: str) -> Path:
    """The folder of a model's golden set: a readable part, and a hash since names of models may differ by a colon."""
    readable = _READABLE.sub("-", model).strip("-")[-60:]
    return rescue_dir() / f"golden-{readable}-{hashlib.sha256(model.encode()).hexdigest()[:8]}"


def find_golden(given: str) -> Path | None:
    """The folder of a golden set, by the name of its model, its folder or a file in it; None for anything else."""
    own = golden_dir(given)
    if (own / MANIFEST).is_file():
        return own
    path = typed_path(given)
    for folder in (path, path.parent):
        if exists(path) and (folder / MANIFEST).is_file() and (folder / REPLIES).is_file():
            return folder.absolute()
    return None


def require_golden(given: str) -> Path:
    """As `find_golden`. Raises `NotFound`."""
    folder = find_golden(given)
    if folder is None:
        hint = "Record one while the model lives: `tuneworthy rescue record MODEL --prompts FILE`."
        raise NotFound(f"no golden set `{given[:120]}`.", hint)
    return folder


def read_golden(folder: Path) -> Golden:
    """The manifest in a folder. Raises `BadInput`."""
    path = folder / MANIFEST
    try:
        return Golden.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise BadInput("is no manifest of a golden set.", "Record the set again.", file=str(path)) from error


def write_golden(folder: Path, golden: Golden) -> None:
    """Written whole or not at all."""
    write_atomically(folder / MANIFEST, golden.model_dump_json(indent=1))


def all_golden() -> list[tuple[Path, Golden]]:
    """Every golden set of this home, the newest first; one that cannot be read is left out."""
    found = []
    for path in rescue_dir().glob(f"golden-*/{MANIFEST}"):
        try:
            found.append((path.parent, read_golden(path.parent)))
        except BadInput:
            continue
    return sorted(found, key=lambda each: each[1].started_at, reverse=True)


def read_replies(folder: Path) -> list[Reply]:
    """All replies as they came; half a line of a crash is left out."""
    try:
        lines = (folder / REPLIES).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        try:
            found.append(Reply.model_validate_json(line))
        except ValidationError:
            continue
    return found


def add_reply(folder: Path, reply: Reply) -> None:
    """Keep one reply before the next question is asked. Raises `StoreError` where the disk takes no more."""
    path = folder / REPLIES
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            end = os.fstat(descriptor).st_size
            torn = end > 0 and os.pread(descriptor, 1, end - 1) != b"\n"  # half a line of a crash stays by itself
            os.write(descriptor, b"\n" * torn + reply.model_dump_json().encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise disk_error(error, path) from error


def write_rows(folder: Path, replies: Sequence[Reply]) -> str:
    """The rows with an answer as chat JSON Lines, in the order of the prompts; returns the hash of the file."""
    rows = [reply.row for reply in sorted(replies, key=lambda each: each.line) if reply.text.strip()]
    text = "".join(json.dumps(as_chat(row), ensure_ascii=False) + "\n" for row in rows)
    write_atomically(folder / ROWS, text)
    return hashlib.sha256(text.encode()).hexdigest()


def prompt_key(turns: Sequence[Message]) -> str:
    """What tells a prompt from others: its turns, letter by letter."""
    return hashlib.sha256(json.dumps([[turn.role, turn.content] for turn in turns]).encode()).hexdigest()
