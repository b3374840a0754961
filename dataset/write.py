"""Write rows as chat JSON Lines, and what was left out as a manifest. The original is never touched."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from dataset.checks.shape import unusable
from dataset.preference import REJECTED
from dataset.row import Row


class Dropped(BaseModel):
    """A line of the original that is in no part, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    line: int
    reason: str
    part: str = "data"
    """Which file it was in: data, validation or test."""


class Manifest(BaseModel):
    """What became of an original: enough to find every row again, and to make the parts once more."""

    model_config = ConfigDict(extra="forbid")
    name: str
    sha256: str
    format: str
    encoding: str
    inputs: list[str] = []
    output: str | None = None
    records: str | None = None
    template: str | None = None
    """The prompt over columns that made the inputs."""
    system_prompt: str | None = None
    group: str | None = None
    seed: int
    validation_share: float
    test_share: float
    rows: int
    """Rows that could be read."""
    lines: dict[str, list[int]]
    """{train, validation, test: line numbers in the original (or in the file that was given for that part)}."""
    dropped: list[Dropped] = []
    notes: list[str] = []


def as_chat(row: Row) -> dict[str, Any]:
    """One row as OpenAI chat JSON."""
    messages: list[dict[str, Any]] = []
    for message in row.messages:
        turn: dict[str, Any] = {"role": message.role, "content": message.content}
        if not message.learned:
            turn["weight"] = 0
        messages.append(turn)
    return {"messages": messages}


def as_pair(row: Row) -> dict[str, Any]:
    """A row that was read from a preference pair, as such a pair."""
    prompt = as_chat(Row(row.messages[:-1], row.line))
    return prompt | {"chosen": row.messages[-1].content, "rejected": row.extra.get(REJECTED, "")}


def write_chat(rows: Iterable[Row], path: Path, *, pairs: bool = False) -> int:
    """Write rows as chat JSON Lines (UTF-8) and return how many. Raises `OSError` where the disk refuses.

    `pairs`: they were read from preference pairs, and are written as such.
    """
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(as_pair(row) if pairs else as_chat(row), ensure_ascii=False) + "\n")
            count += 1
    return count


def without_unusable(rows: Sequence[Row], part: str = "data") -> tuple[list[Row], list[Dropped]]:
    """Rows that something can be learned from, and the others with the reason."""
    kept, dropped = [], []
    for row in rows:
        reason = unusable(row)
        if reason is None:
            kept.append(row)
        else:
            dropped.append(Dropped(line=row.line, reason=reason, part=part))
    return kept, dropped


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write the manifest as JSON."""
    path.write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")
