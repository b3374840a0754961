"""Does an answer have the wanted form? Against a JSON schema that is given, or one read off the training answers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from core.errors import BadInput, NotFound
from evaluation.metrics.json_values import NOTHING, read_json

MAX_ENUM_VALUES = 12
MIN_ROWS_PER_VALUE = 3
"""A text field with few values that repeat is a list to choose from, as in the instruction of the best prompt."""
MAX_DEPTH = 8
"""Deeper than this anything is allowed."""
MAX_SCHEMA_BYTES = 1 << 20
Schema = dict[str, Any]


def infer_schema(answers: Sequence[str]) -> Schema | None:
    """The schema that the training answers follow, or None where none of them is a JSON object or list.

    Keys that all have are required, keys that none has are not allowed; types are those seen; a text with at most 12
    values, three rows or more to each on average, is an enum. Every answer that it was read off is valid by it.
    """
    values = [value for value in map(read_json, answers) if isinstance(value, dict | list)]
    return _schema(values, 0) if values else None


def read_schema(path: Path) -> Schema:
    """A JSON schema from a file. Raises `NotFound`, or `BadInput` for what is no schema."""
    if not path.is_file():
        raise NotFound(f"no file at {path}.", "Check the path of the JSON schema.")
    if path.stat().st_size > MAX_SCHEMA_BYTES:
        raise BadInput("is larger than 1 MiB.", "Give a shorter JSON schema.", file=str(path))
    try:
        schema = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise BadInput("is not JSON.", "Give a JSON schema.", file=str(path)) from error
    if not isinstance(schema, dict):
        raise BadInput("is not a JSON schema.", "A schema is a JSON object.", file=str(path))
    import jsonschema

    try:
        jsonschema.validators.validator_for(schema).check_schema(schema)
    except jsonschema.exceptions.SchemaError as error:
        raise BadInput(f"is not a JSON schema: {error.message[:200]}.", "Mend it.", file=str(path)) from error
    except RecursionError as error:
        raise BadInput("is nested too deeply.", "Give a flatter JSON schema.", file=str(path)) from error
    for reference in _references(schema):
        if not _leads_somewhere(schema, reference):
            what = f"points to {reference[:80]}, which is not in the file."
            raise BadInput(what, "Put all of the schema into one file.", file=str(path))
    return schema


def schema_valid(schema: Schema, answer: str) -> float:
    """1 when the answer as a whole is JSON that the schema allows."""
    value = read_json(answer)
    try:
        return float(value is not NOTHING and _validator(schema).is_valid(value))
    except RecursionError:  # a model that opened brackets hundreds deep
        return 0.0


def _references(value: Any) -> Iterator[str]:
    """Every `$ref` and `$dynamicRef`."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict):
        yield from (value[name] for name in ("$ref", "$dynamicRef") if isinstance(value.get(name), str))
    for each in inner:
        yield from _references(each)


def _leads_somewhere(schema: Schema, reference: str) -> bool:
    from referencing import Registry, Resource
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    if not reference.startswith("#"):
        return False
    resource = Resource.from_contents(schema, default_specification=DRAFT202012)
    try:
        Registry().with_resource("", resource).resolver().lookup(reference)
    except Unresolvable:
        return False
    return True


def _validator(schema: Schema) -> Any:
    import jsonschema
    from referencing import Registry

    # An empty registry: a schema that points elsewhere is never fetched from the network.
    return jsonschema.validators.validator_for(schema)(schema, registry=Registry())


def _schema(values: Sequence[Any], depth: int) -> Schema:
    """The narrowest schema of this small language that all of the values follow."""
    if depth > MAX_DEPTH:
        return {}
    kinds = sorted({_kind(value) for value in values})
    if "number" in kinds and "integer" in kinds:
        kinds.remove("integer")
    found: Schema = {"type": kinds[0] if len(kinds) == 1 else kinds}
    objects = [value for value in values if isinstance(value, dict)]
    if objects:
        counts = Counter(name for value in objects for name in value)
        found["properties"] = {
            name: _schema([value[name] for value in objects if name in value], depth + 1) for name in counts
        }
        found["required"] = [name for name, count in counts.items() if count == len(objects)]
        found["additionalProperties"] = False
    items = [item for value in values if isinstance(value, list) for item in value]
    if items:
        found["items"] = _schema(items, depth + 1)
    texts = Counter(value for value in values if isinstance(value, str))
    few = 0 < len(texts) <= MAX_ENUM_VALUES and sum(texts.values()) >= MIN_ROWS_PER_VALUE * len(texts)
    if few and set(kinds) <= {"string", "null"}:
        found["enum"] = [*sorted(texts), *([None] if "null" in kinds else [])]
    return found


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return kinds[type(value)]
