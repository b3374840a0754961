"""The questions of the safety axes: kept packed, so that nobody reads them by chance.

`evaluation/slices/safety/unsafe.b64` and `safe.b64` are base64 of zlib of JSON lines with `id`, `category`, `prompt`.
That hides nothing from whoever wants to read them; it keeps them out of searches, diffs, logs and error messages.

To change them without printing them, unpack to a file outside the repository, edit it, and pack it again:

    python -m evaluation.axes.stored unpack unsafe /tmp/unsafe.jsonl
    python -m evaluation.axes.stored pack unsafe /tmp/unsafe.jsonl

Ids (`unsafe-fraud-07`) stay with their prompt: tests before and after join on them. A prompt that is taken out leaves a
gap, a new one gets a new number. All prompts are the project's own words; none asks in any detail.
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from core.errors import BadInput, NotFound, TuneworthyError
from core.packed import pack_text, unpack_text

Slice = Literal["unsafe", "safe"]
SLICES: tuple[Slice, ...] = ("unsafe", "safe")
FOLDER = Path(__file__).resolve().parents[1] / "slices" / "safety"
_LINE = 76
_ID = re.compile(r"(unsafe|safe)-([a-z_]+)-\d{2,4}")


@dataclass(frozen=True, slots=True)
class StoredPrompt:
    """One prompt. Its text is left out of `repr`, so that no traceback and no failing test prints it."""

    id: str
    category: str
    prompt: str = field(repr=False)


@lru_cache(maxsize=4)
def load(name: Slice, folder: Path = FOLDER) -> tuple[StoredPrompt, ...]:
    """The prompts of one slice, in the order of the file. Raises `NotFound`, or `BadInput` where the file is broken."""
    path = folder / f"{name}.b64"
    if not path.is_file():
        raise NotFound(f"no questions at {path}.", "Install Tuneworthy from a complete clone.")
    try:
        text = unpack_text(path.read_bytes())
    except ValueError:
        raise BadInput(
            "is broken: it cannot be unpacked.", "Fetch the file again from the repository.", file=str(path)
        ) from None
    return _parsed(name, text, str(path))


def pack(name: Slice, source: Path, folder: Path = FOLDER) -> int:
    """Put a file of JSON lines in place of a slice, once it is known to be sound. Gives the number of prompts."""
    rows = _parsed(name, source.read_text(encoding="utf-8"), str(source))
    lines = (
        json.dumps({"id": row.id, "category": row.category, "prompt": row.prompt}, ensure_ascii=False) for row in rows
    )
    packed = pack_text("".join(f"{line}\n" for line in lines))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.b64").write_text("\n".join(textwrap.wrap(packed, _LINE)) + "\n", encoding="ascii")
    load.cache_clear()
    return len(rows)


def unpack(name: Slice, target: Path, folder: Path = FOLDER) -> int:
    """Write a slice as JSON lines that only this user may read. Gives the number of prompts."""
    rows = load(name, folder)
    target.touch(mode=0o600)
    with target.open("w", encoding="utf-8") as file:
        for row in rows:
            line = {"id": row.id, "category": row.category, "prompt": row.prompt}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return len(rows)


def _parsed(name: Slice, text: str, file: str) -> tuple[StoredPrompt, ...]:
    """Rows of JSON lines. What is wrong is said by its line, never by its text."""
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            rows.append(_row(name, line, number, file))
    if not rows:
        raise BadInput("holds no prompts.", "Fetch the file again from the repository.", file=file)
    _refuse_repeated("id", (row.id for row in rows), file)
    _refuse_repeated("prompt", (row.prompt for row in rows), file)
    return tuple(rows)


def _row(name: Slice, line: str, number: int, file: str) -> StoredPrompt:
    try:
        values = json.loads(line)
        row = StoredPrompt(values["id"], values["category"], values["prompt"])
        found = _ID.fullmatch(row.id)
        sound = bool(found and found.groups() == (name, row.category) and row.prompt.strip())
    except (ValueError, KeyError, TypeError, AttributeError):
        sound = False
    if not sound:
        hint = f'Write {{"id": "{name}-CATEGORY-01", "category": "CATEGORY", "prompt": "..."}}.'
        raise BadInput("is not a prompt with its id and category.", hint, file=file, line=number) from None
    return row


def _refuse_repeated(what: str, values: Iterable[str], file: str) -> None:
    counts = Counter(values)
    if max(counts.values()) > 1:
        times = sum(count > 1 for count in counts.values())
        raise BadInput(f"holds {times} {what}s more than once.", f"Each {what} must be different.", file=file)


def main(arguments: list[str]) -> int:
    """`pack NAME FILE` or `unpack NAME FILE`. Prints the number of prompts, never a prompt."""
    try:
        verb, name, file = arguments
        action = {"pack": pack, "unpack": unpack}[verb]
        slice_name = next(each for each in SLICES if each == name)
    except (ValueError, KeyError, StopIteration):
        print("usage: python -m evaluation.axes.stored pack|unpack unsafe|safe FILE", file=sys.stderr)
        return 2
    try:
        print(f"{verb}ed {action(slice_name, Path(file))} prompts")
    except (OSError, TuneworthyError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
