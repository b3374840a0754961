"""Values out of a record: dotted paths, and any value as the text that the model will read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

_MISSING = object()
_SHORT_LIST = 1000


def dig(fields: Mapping[str, Any], path: str) -> Any:
    """The value at `path` (`user.text`, `turns.0.value`), None where there is none. A key with a dot goes first."""
    if path in fields:
        return fields[path]
    value: Any = fields
    for step in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(step, _MISSING)
        elif isinstance(value, list) and step.isdecimal() and len(step) < 9 and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
        if value is _MISSING:
            return None
    return value


def as_text(value: Any) -> str:
    """Text as it is, numbers and booleans as JSON writes them, short lists with commas, the rest as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if (
        isinstance(value, list)
        and len(value) <= _SHORT_LIST
        and all(isinstance(item, (str, int, float)) for item in value)
    ):
        return ", ".join(as_text(item) for item in value)
    return json.dumps(value, ensure_ascii=False)


def column_names(records: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The names that can be mapped: keys in order of appearance, objects one level down as `outer.inner`."""
    names: dict[str, None] = {}
    for fields in records:
        for key, value in fields.items():
            if isinstance(value, dict) and value:
                for inner in value:
                    names[f"{key}.{inner}"] = None
            else:
                names[key] = None
    return tuple(names)
