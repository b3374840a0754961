"""The lists of English words and phrases that the rules of wording need, kept as data."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parents[1] / "slices" / "wording" / "english.toml"


def word_list(name: str) -> frozenset[str]:
    """The words of one list, in lower case."""
    return frozenset(str(_lists()[name]).split())


def phrase_table(name: str) -> dict[str, str]:
    """{phrase: what it may be changed for}."""
    return {str(phrase): str(other) for phrase, other in _lists()[name].items()}


def phrases(name: str) -> tuple[str, ...]:
    """The phrases of one list, in their order."""
    return tuple(str(phrase) for phrase in _lists()[name])


@cache
def _lists() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))
