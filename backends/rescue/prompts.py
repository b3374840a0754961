"""The prompts that a golden set is recorded on: rows of any usual format, of which only the inputs are used."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from backends.rescue.golden import prompt_key
from core.errors import BadInput
from dataset.opening import open_text
from dataset.read import read
from dataset.row import Message, Row

SEED = 7


def read_prompts(path: Path, inputs: list[str] | None = None) -> tuple[list[Row], str]:
    """(rows with a user turn, sha256 of the file). Chats, tables with or without answers, a `.txt` with one a line.

    `inputs` are the columns that make the prompt; a file of one column needs none named. Answers in the file stay in
    the rows and are not sent. Raises `NotFound`, or `BadInput` for a file without prompts.
    """
    if path.suffix.lower() == ".txt" and not inputs:
        rows, sha256 = _lines(path)
    else:
        found = read(path, inputs=inputs, output=inputs[0]) if inputs else read(path)
        if not found.rows and len(found.columns) == 1:
            found = read(path, inputs=list(found.columns), output=found.columns[0])
        rows, sha256 = list(found.rows), found.sha256
    asked = [row for row in rows if any(turn.role == "user" and turn.content.strip() for turn in row.asked)]
    if not asked:
        hint = "Each row needs an input; name its column with `--input`. Answers are not needed."
        raise BadInput("holds no prompt.", hint, file=str(path))
    return asked, sha256


def chosen(rows: Sequence[Row], n: int | None) -> list[Row]:
    """Each prompt once, in the order of the file; `n` of them by the seed, those of a smaller `n` among them."""
    once: dict[str, Row] = {}
    for row in rows:
        once.setdefault(prompt_key(row.asked), row)
    found = list(once.values())
    if n is not None and n < len(found):
        found = random.Random(SEED).sample(found, len(found))[:n]
    return sorted(found, key=lambda row: row.line)


def _lines(path: Path) -> tuple[list[Row], str]:
    opened = open_text(path)
    lines = ((number, (line or "").strip()) for number, line in opened.lines())
    return [Row((Message("user", line),), number) for number, line in lines if line], opened.sha256
