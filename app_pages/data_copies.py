"""Parts of our copies without reading them whole: of a million rows a page shows a hundred."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from core.errors import BadInput
from dataset.read import read
from dataset.row import Row


def rows_at(path: str, numbers: Sequence[int]) -> tuple[Row, ...]:
    """The rows at these places of a copy, 1 for the first, in the order of the file; places behind its end are none.

    Raises `NotFound` when the copy is gone.
    """
    place = Path(path)
    wanted = numbers if isinstance(numbers, range) else tuple(numbers)
    return _rows_at(path, place.stat().st_mtime_ns if place.is_file() else 0, wanted)


@lru_cache(maxsize=16)
def _rows_at(path: str, changed: int, numbers: Sequence[int]) -> tuple[Row, ...]:
    if not changed:
        return read(Path(path)).rows  # says that it is gone
    wanted, last = set(numbers), max(numbers, default=0)
    with tempfile.TemporaryDirectory(prefix="tuneworthy-") as folder, Path(path).open("rb") as copy:
        part, taken = Path(folder) / "part.jsonl", []
        with part.open("wb") as file:
            for number, line in enumerate(copy, 1):
                if number in wanted:
                    file.write(line)
                    taken.append(number)
                if number >= last:
                    break
        rows = read(part).rows if taken else ()
    return tuple(replace(row, line=taken[row.line - 1]) for row in rows)


def answers(path: str) -> tuple[str, ...]:
    """The answers of a copy, kept until it changes. Raises `BadInput` for a file that is no copy of ours."""
    place = Path(path)
    return _answers(path, place.stat().st_mtime_ns if place.is_file() else 0)


@lru_cache(maxsize=4)
def _answers(path: str, _changed: int) -> tuple[str, ...]:
    return tuple(answers_of(path))


def answers_of(path: str) -> Iterator[str]:
    """The answer of each row of a copy, one by one. Raises `BadInput` for a file that is no copy of ours."""
    try:
        with Path(path).open("rb") as file:
            for line in file:
                turn = json.loads(line)["messages"][-1]
                yield str(turn["content"]) if turn["role"] == "assistant" else ""
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise BadInput("is gone or was altered.", "Take the data in again.", file=path) from error
