"""A prompt written once with the names of columns in braces, filled in for every row: `Sort: {subject}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import BadInput
from dataset.fields import as_text, dig

MAX_CHARACTERS = 20_000
_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|\{|[^{}]+|\}")


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """A parsed template. Nothing in it is run: a name in braces is a column, or a path into one, and no more."""

    pieces: tuple[tuple[bool, str], ...]
    """(is it a column, the text or the column's name)."""

    @classmethod
    def parse(cls, text: str) -> PromptTemplate:
        """Read a template; `{{` and `}}` stand for braces. Raises `BadInput` where no column is named."""
        if len(text) > MAX_CHARACTERS:
            raise BadInput(f"the prompt template has {len(text):,} characters.", f"Keep it under {MAX_CHARACTERS:,}.")
        pieces = []
        for found in _PIECE.finditer(text):
            whole, name = found[0], found[1]
            if whole == "{" or (name is not None and not name.strip()):
                raise BadInput("the prompt template has a brace without a column.", "Write `{{` for a plain brace.")
            if name is not None:
                pieces.append((True, name.strip()))
            else:
                pieces.append((False, {"{{": "{", "}}": "}"}.get(whole, whole)))
        if not any(is_column for is_column, _ in pieces):
            raise BadInput("the prompt template names no column.", "Write a column's name in braces: `{text}`.")
        return cls(tuple(pieces))

    @property
    def columns(self) -> list[str]:
        """The columns that are named, each once, in their order."""
        return list(dict.fromkeys(piece for is_column, piece in self.pieces if is_column))

    def fill(self, record: Mapping[str, Any]) -> str:
        """The prompt of one row; a value that is missing leaves nothing."""
        return "".join(as_text(dig(record, piece)) if is_column else piece for is_column, piece in self.pieces)
