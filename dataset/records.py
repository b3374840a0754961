"""What a file yields before anybody knows what it means: named fields, or a line that could not be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

_FIRST_RECORDS = 200
_FIRST_CHARACTERS = 4 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """Named fields at a line (or at the n-th record of a document)."""

    line: int
    fields: dict[str, Any]
    characters: int = 0
    """Of its line in JSON Lines; elsewhere 0."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is left out, and why."""

    line: int
    why: str


def first_records(items: Iterator[Record | BadLine]) -> Iterator[Record | BadLine]:
    """The first 200 records, to learn the columns from; fewer of them where they are long."""
    characters = 0
    for item in islice(items, _FIRST_RECORDS):
        yield item
        characters += item.characters if isinstance(item, Record) else 0
        if characters > _FIRST_CHARACTERS:
            return
