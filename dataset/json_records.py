"""Records out of JSON Lines, of one JSON document (pretty-printed or nested), or of several in a row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from core.errors import BadInput
from dataset.opening import OpenedFile
from dataset.records import BadLine, Record

MAX_DEPTH = 64
"""Deeper JSON is no example of anything; it is what a nesting bomb looks like."""
MAX_LINE_LISTS = 500_000
MAX_DOCUMENT_LISTS = 5_000_000
"""Lists and objects of one document: a row has some five of them, an empty one takes 60 bytes of memory for two."""
MAX_DOCUMENT_COMMAS = 20_000_000
_BROKEN_AT_FIRST = 10_000
"""Lines that may be broken before the first record; then it is no JSON Lines."""
_BLANKS = re.compile(r"[ \t\r\n]*")
_ROW_KEYS = {"messages", "prompt", "completion", "instruction", "chosen"}


@dataclass(frozen=True, slots=True)
class JsonRecords:
    """The records and how they were found."""

    is_document: bool
    path: str
    """Where in the document the records are: `data.items`; empty for the top."""
    items: Iterator[Record | BadLine]


def looks_like_json(opened: OpenedFile) -> bool:
    """True when the first line that is not blank opens an object or a list."""
    for _, line in opened.lines():
        if line is None:
            return True
        text = _clean(line).strip()
        if text:
            return text[0] in "{["
    return False


def json_records(opened: OpenedFile, records: str | None) -> JsonRecords:
    """Read `opened` as JSON Lines if its first line is a whole value, else as a document.

    Raises `BadInput` with the line where neither works.
    """
    first_lines = list(islice((text for _, text in opened.lines() if text is None or text.strip()), 2))
    first = first_lines[0] if first_lines else ""
    starts_with_value = first is not None and not isinstance(_parse(first), str)
    if records is None and starts_with_value and len(first_lines) > 1:
        return JsonRecords(False, "", json_lines(opened))
    problem: BadInput | None = None
    try:
        value = _document(opened)
    except BadInput as error:
        problem = error
    if problem is None:
        path, items = _find_records(value, records, opened.name)
        is_one_line = starts_with_value and len(items) == 1 and items[0] is value
        return JsonRecords(not is_one_line, path, _items(items))
    if records is None:
        items_of_lines = json_lines(opened)
        seen: list[Record | BadLine] = []
        for item in islice(items_of_lines, _BROKEN_AT_FIRST):
            seen.append(item)
            if isinstance(item, Record):
                return JsonRecords(False, "", chain(seen, items_of_lines))
    raise problem


def _clean(line: str) -> str:
    return line.replace("\x00", "") if "\x00" in line else line


def _parse(text: str) -> Any:
    """The value wrapped in a list, or the reason as a string."""
    lists = text.count("[") + text.count("{")
    if lists > MAX_LINE_LISTS:
        return "holds too many small values"
    try:
        value = json.loads(_clean(text))
    except json.JSONDecodeError as error:
        reason = _plain(error.msg).removesuffix(" at")
        return f"is not JSON: {reason} at character {error.colno}"
    except RecursionError:
        return "is nested too deeply"
    except ValueError as error:
        return f"is not JSON: {str(error)[:80]}"
    if lists > MAX_DEPTH and _too_deep(value):
        return "is nested too deeply"
    return [_without_surrogates(value) if "\\ud" in text or "\\uD" in text else value]


def _plain(message: str) -> str:
    return message[:1].lower() + message[1:]


def json_lines(opened: OpenedFile) -> Iterator[Record | BadLine]:
    """The records of JSON Lines, or what is wrong with a line."""
    for number, line in opened.lines():
        if line is None:
            yield BadLine(number, "is longer than 16 million characters")
        elif line.strip("\x00 \t\r\n"):
            parsed = _parse(line)
            if isinstance(parsed, str):
                yield BadLine(number, parsed)
            elif isinstance(parsed[0], dict):
                yield Record(number, parsed[0], len(line))
            else:
                yield BadLine(number, f"holds {_kind(parsed[0])}, not named fields")


def _items(values: list[Any]) -> Iterator[Record | BadLine]:
    for number, value in enumerate(values, 1):
        if isinstance(value, dict):
            yield Record(number, value)
        else:
            yield BadLine(number, f"is {_kind(value)}, not named fields")


def _document(opened: OpenedFile) -> Any:
    text = _clean(opened.text()).lstrip("\ufeff")
    if text.count("[") + text.count("{") > MAX_DOCUMENT_LISTS or text.count(",") > MAX_DOCUMENT_COMMAS:
        hint = "Save it as JSON Lines: one record a line."
        raise BadInput("is one JSON document of too many small values.", hint, file=opened.name)
    decoder = json.JSONDecoder()
    values, position = [], _skip_blanks(text, 0)
    try:
        while position < len(text):
            value, position = decoder.raw_decode(text, position)
            values.append(value)
            position = _skip_blanks(text, position)
    except json.JSONDecodeError as error:
        raise BadInput(
            f"is not JSON: {_plain(error.msg)}.",
            "Mend that line. A table should be named .csv or .tsv.",
            file=opened.name,
            line=error.lineno,
        ) from error
    except (RecursionError, ValueError) as error:
        raise BadInput("is nested too deeply, or holds a number too long to read.", file=opened.name) from error
    value = values[0] if len(values) == 1 else values
    if text.count("[") + text.count("{") > MAX_DEPTH and _too_deep(value):
        raise BadInput(f"is nested more than {MAX_DEPTH} levels deep.", "Write the rows flat.", file=opened.name)
    return _without_surrogates(value) if "\\ud" in text or "\\uD" in text else value


def _skip_blanks(text: str, position: int) -> int:
    found = _BLANKS.match(text, position)
    return found.end() if found else position


def _find_records(value: Any, path: str | None, name: str) -> tuple[str, list[Any]]:
    if path:
        found = _walk(value, path.strip("$.").split("."))
        if not found:
            keys = ", ".join(list(value)[:20]) if isinstance(value, dict) else "a list"
            raise BadInput(f"has no records at `{path[:80]}`; the top level has {keys}.", "Name a list.", file=name)
        return path, found
    if isinstance(value, list):
        return "", value
    if not isinstance(value, dict):
        raise BadInput(f"holds {_kind(value)}, not rows.", "Give a list of objects.", file=name)
    lists = {key: item for key, item in value.items() if isinstance(item, list) and item and isinstance(item[0], dict)}
    is_row = _ROW_KEYS & value.keys() or any("from" in item[0] or "role" in item[0] for item in lists.values())
    if lists and not is_row:
        key = max(lists, key=lambda one: len(lists[one]))
        return key, lists[key]
    if len(value) > 1 and all(isinstance(item, dict) for item in value.values()):
        return "", list(value.values())
    return "", [value]


def _walk(value: Any, steps: list[str]) -> list[Any]:
    """All values at a dotted path; lists on the way are gone through item by item."""
    found = [value]
    for step in steps:
        key = step.removesuffix("[*]").removesuffix("[]")
        below: list[Any] = []
        for item in _flat(found):
            if isinstance(item, dict) and key in item:
                below.append(item[key])
        found = below
    found = _flat(found)
    if len(found) == 1 and isinstance(found[0], dict) and all(isinstance(item, dict) for item in found[0].values()):
        return list(found[0].values())
    return found


def _flat(values: list[Any]) -> list[Any]:
    return [item for value in values for item in (value if isinstance(value, list) else [value])]


def _kind(value: Any) -> str:
    names = {"list": "a list", "str": "a text", "int": "a number", "float": "a number", "NoneType": "nothing"}
    return names.get(type(value).__name__, "a value")


def _too_deep(value: Any) -> bool:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            return True
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        level = [item for item in below if isinstance(item, (dict, list))]
    return False


def _without_surrogates(value: Any) -> Any:
    """Half characters (`\\ud800`) as U+FFFD: they can be neither hashed nor written as UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value
