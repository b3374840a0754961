"""How inputs are compared: NFKC, case-folded, punctuation and symbols to spaces, spaces collapsed."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dataset.row import Row

if TYPE_CHECKING:
    from dataset.sketches import Sketched


class _ToSpaces(dict[int, int]):
    """Maps punctuation (P*) and symbols (S*) to a space, anything else to itself; filled as characters turn up."""

    def __missing__(self, code: int) -> int:
        target = 32 if unicodedata.category(chr(code))[0] in "PS" else code
        self[code] = target
        return target


_TO_SPACES = _ToSpaces()
_LONGER = 4
_SPARE_CHARACTERS = 1000
"""NFKC makes eighteen letters of some signs. A text that grows beyond these is compared without it: a file full of such
signs would fill the memory."""


def normalise(text: str) -> str:
    """The text as inputs are compared by. May be empty for text of punctuation alone."""
    if not text.isascii():
        composed = unicodedata.normalize("NFKC", text)
        text = composed if len(composed) <= _LONGER * len(text) + _SPARE_CHARACTERS else text
    return " ".join(text.casefold().translate(_TO_SPACES).split())


def comparison_key(text: str) -> str:
    """The normalised text; raw, behind a mark of its own, where that would be empty. Empty for blank text."""
    return normalise(text) or (f"\x00{text}" if text.strip() else "")


@dataclass(frozen=True)
class Keys:
    """Comparison keys of rows, computed once for all checks. Empty for rows without an input."""

    inputs: list[str]
    """Of system and user turns: for exact duplicates, conflicts and overlap."""
    users: list[str]
    """Of the user turns alone: for the near checks."""

    @cached_property
    def sketched_users(self) -> Sketched:
        """The distinct ones of `users` with their sketches, made once for the near checks."""
        from dataset.sketches import sketched

        return sketched(list(dict.fromkeys(key for key in self.users if key)))


def keys_of(rows: Sequence[Row] | Iterable[Row]) -> Keys:
    """The keys of all rows."""
    inputs, users = [], []
    for row in rows:
        roles = [message.role for message in row.messages]
        if roles == ["user", "assistant"]:  # most rows: the short way to the same
            user = comparison_key(row.messages[0].content)
            users.append(user)
            inputs.append(user)
            continue
        user = comparison_key(row.user_text)
        users.append(user)
        has_system = "system" in roles
        inputs.append(comparison_key(row.input_text) if has_system else user)
    return Keys(inputs, users)
