"""What a file yields before anybody knows what it means: named fields, or a line that could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Record:
    """Named fields at a line (or at the n-th record of a document)."""

    line: int
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is left out, and why."""

    line: int
    why: str
