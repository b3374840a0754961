"""Answers in JSON: the same value, and whether the answer is JSON at all."""

from __future__ import annotations

import json
import re
from typing import Any


class _Nothing:
    """Stands for text that holds no JSON, since null is a value."""


NOTHING = _Nothing()


def is_structure(text: str) -> bool:
    """True for a JSON object or array."""
    return isinstance(read_json(text), dict | list)


def json_valid(answer: str) -> float:
    """1 when the answer as a whole is a JSON object or array, with nothing around it."""
    return float(is_structure(answer))


def json_match(expected: str, answer: str) -> float:
    """1 when the answer holds the same JSON value: order of keys and white space do not count.

    Lenient in one thing: prose or a code fence around the first object is forgiven, since a team would strip it.
    This favours the prompted base, never the tuned model. How often the whole answer was valid is told apart.
    """
    wanted = read_json(expected)
    return float(wanted is not NOTHING and same_json(wanted, find_json(answer)))


def read_json(text: str) -> Any:
    """The JSON value that the whole text is, or a mark for none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return NOTHING


def find_json(text: str) -> Any:
    """The whole text as JSON, or else the first object or array in it, or a mark for none."""
    whole = read_json(text)
    if whole is not NOTHING:
        return whole
    decoder = json.JSONDecoder()
    # A model that repeats `[` for ever must not cost quadratic time.
    for found in list(re.finditer(r"[{\[]", text))[:50]:
        try:
            return decoder.raw_decode(text, found.start())[0]
        except (ValueError, RecursionError):
            continue
    return NOTHING


def same_json(one: Any, other: Any) -> bool:
    """Equal values of equal types: `true` is not 1, and 1.0 is 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same_json(a, b) for a, b in zip(one, other, strict=True))
    return type(one) in (int, float, str, type(None)) and bool(one == other)
