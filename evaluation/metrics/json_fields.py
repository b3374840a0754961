"""Answers in JSON, field by field: an object with one wrong field is not worthless."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from evaluation.metrics.json_values import find_json, read_json, same_json

_Leaf = tuple[str, str, object]
"""Path, kind of value, value: `true` and 1 are two values, 1 and 1.0 are one."""


def field_matches(expected: str, answer: str) -> dict[str, float]:
    """For an expected JSON object: which of its fields are right in the answer."""
    wanted, said = read_json(expected), find_json(answer)
    if not isinstance(wanted, dict):
        return {}
    given = said if isinstance(said, dict) else {}
    return {name: float(name in given and same_json(value, given[name])) for name, value in wanted.items()}


def field_f1(expected: str, answer: str) -> float:
    """F1 of the fields of nested JSON: 2 shared / (fields expected + fields said).

    A field is a path with its value. Places in a list do not count, so that one item missed at the front does not
    spoil the rest. Fields that were made up cost as much as fields that were missed. Prose around the first object is
    forgiven, as in `json_match`. 0 where either text holds no object or list.
    """
    wanted, said = read_json(expected), find_json(answer)
    if not isinstance(wanted, dict | list) or not isinstance(said, dict | list):
        return 0.0
    try:
        one, other = Counter(_leaves(wanted)), Counter(_leaves(said))
    except RecursionError:  # a model that opened brackets hundreds deep
        return 0.0
    return 2 * sum((one & other).values()) / (sum(one.values()) + sum(other.values()))


def _leaves(value: Any, path: str = "") -> Iterator[_Leaf]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}/{name}")
    elif isinstance(value, list) and value:
        for inner in value:
            yield from _leaves(inner, f"{path}/[]")
    elif isinstance(value, dict | list):
        yield path, "empty list" if isinstance(value, list) else "empty object", None
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, "number", value
    else:
        yield path, type(value).__name__, value
