"""A JSON schema in the few words that the constrained decoder understands.

Types, keys, lists and values to choose from are kept. Ranges of numbers and formats of texts cannot be held to letter
by letter: they are left to the check afterwards.
"""

from __future__ import annotations

from typing import Any

from core.errors import BadInput

ANYTHING: dict[str, Any] = {"type": ["string", "number", "boolean", "null"]}
"""What stands for a value of any kind: a list or object in it could be of any depth."""
_COMPOUND = ("object", "array")
_KEPT = (
    "properties",
    "required",
    "items",
    "enum",
    "const",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "pattern",
)
_REFUSED = ("$ref", "allOf", "not", "if", "patternProperties", "dependentSchemas", "prefixItems", "propertyNames")


def plain(schema: dict[str, Any] | bool) -> dict[str, Any]:
    """The schema with one type a branch and no value left open. Raises `BadInput` for what cannot be held to."""
    if schema is True or schema == {}:
        return dict(ANYTHING)
    if schema is False or any(word in schema for word in _REFUSED):
        found = next((word for word in _REFUSED if isinstance(schema, dict) and word in schema), "false")
        raise BadInput(f"the JSON schema uses `{found}`, which cannot be decoded to.", "Write it out plainly.")
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return {"anyOf": [plain(branch) for branch in schema[word]]}
    if "enum" in schema or "const" in schema:
        return {"enum": list(schema["enum"]) if "enum" in schema else [schema["const"]]}
    kinds = schema.get("type") or ("object" if "properties" in schema else ANYTHING["type"])
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    if len(kinds) > 1:
        return {"anyOf": [plain({**schema, "type": kind}) for kind in kinds]}
    return _of_one_type(kinds[0], schema)


def _of_one_type(kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"type": kind} | {name: schema[name] for name in _KEPT if name in schema}
    if kind not in _COMPOUND:
        return {name: value for name, value in found.items() if name not in ("properties", "required", "items")}
    if kind == "array":
        return found | {"items": plain(schema.get("items", {}))}
    properties = {name: plain(value) for name, value in schema.get("properties", {}).items()}
    if odd := next((name for name in properties if not name.isprintable() or '"' in name or "\\" in name), None):
        raise BadInput(f"the JSON schema has a key that cannot be decoded to ({odd!r:.40}).", "Name it plainly.")
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in schema.get("required", []) if name in properties],
        "additionalProperties": False,
    }
