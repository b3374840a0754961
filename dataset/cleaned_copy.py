"""The cleaned copy: a new JSON Lines file and, beside it, a manifest of what was dropped or changed and why.

Line numbers in the manifest are those of the first original, also where a cleaned copy is cleaned again. It holds no
text of the rows, so that nothing that was masked can be read in it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from core.errors import BadInput, StoreError
from dataset.clean import Cleaned
from dataset.finding import plural
from dataset.read import Dataset
from dataset.row import Row
from dataset.write import as_chat

SUFFIX = ".manifest.json"
_LINE = re.compile(r"\bline (\d+)\b(?! of training)")
_TURNS = {"messages", "system", "conversations", "conversation", "chosen", "rejected"}


class Touched(BaseModel):
    """A line of the original that was dropped or changed, by which fix, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    line: int
    fix: str
    reason: str


class Applied(BaseModel):
    """A fix and how many rows it touched."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    fix: str
    dropped: int
    changed: int


class CleanManifest(BaseModel):
    """What became of an original in its cleaned copy."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    """What the original is called."""
    sha256: str
    """Of the original, which was not altered."""
    format: str
    encoding: str
    cleaned_on: date
    cleaned_sha256: str
    fixes: list[Applied]
    rows_read: int
    """Rows of the original that could be read."""
    rows_kept: int
    lines: list[int]
    """For each row of the cleaned copy its line in the original."""
    dropped: list[Touched]
    changed: list[Touched]
    notes: list[str] = []

    @property
    def in_words(self) -> str:
        """`31 rows dropped, 2 changed`."""
        return f"{plural(len(self.dropped), 'row')} dropped, {len({one.line for one in self.changed}):,} changed"


def manifest_path(copy: Path) -> Path:
    """Where the manifest of a cleaned copy is: `rows.clean.jsonl.manifest.json`."""
    return copy.with_name(copy.name + SUFFIX)


def read_clean_manifest(path: Path) -> CleanManifest | None:
    """The manifest in a file; None where there is none, or it cannot be read."""
    try:
        return CleanManifest.model_validate_json(path.read_bytes())
    except (OSError, ValueError):
        return None


def copy_text(rows: Sequence[Row], keep: Sequence[str] = ()) -> str:
    """The rows as chat JSON Lines. Columns in `keep` stand beside the turns, to group by."""
    lines = []
    for row in rows:
        beside = {name: row.extra[name] for name in keep if name in row.extra and name not in _TURNS}
        lines.append(json.dumps(as_chat(row) | beside, ensure_ascii=False) + "\n")
    return "".join(lines)


def manifest_of(
    dataset: Dataset, cleaned: Cleaned, text: str, *, today: date, earlier: CleanManifest | None = None
) -> CleanManifest:
    """The manifest of a cleaned copy whose text is `text`.

    `earlier` is the manifest of `dataset` where that is a cleaned copy itself: its lines are then traced back.
    """
    told = [(change.before.line, step.fix.id, change) for step in cleaned.steps for change in step.changes]
    bad = [found for found in dataset.findings if found.check == "bad_line"]
    unread = [Touched(line=line, fix="bad_line", reason="could not be read") for found in bad for line in found.rows]
    dropped = [
        *unread,
        *(Touched(line=line, fix=fix, reason=change.reason) for line, fix, change in told if change.after is None),
    ]
    changed = [Touched(line=line, fix=fix, reason=change.reason) for line, fix, change in told if change.after]
    more = sum(found.count for found in bad) - len(unread)
    notes = [f"{plural(more, 'more line')} could not be read; the first {len(unread)} are listed."] if more else []
    manifest = CleanManifest(
        name=Path(dataset.name).name or dataset.name,
        sha256=dataset.sha256,
        format=dataset.format,
        encoding=dataset.encoding,
        cleaned_on=today,
        cleaned_sha256=hashlib.sha256(text.encode()).hexdigest(),
        fixes=[Applied(fix=step.fix.id, dropped=step.dropped, changed=step.changed) for step in cleaned.steps],
        rows_read=len(dataset.rows),
        rows_kept=len(cleaned.rows),
        lines=[row.line for row in cleaned.rows],
        dropped=sorted(dropped, key=lambda one: one.line),
        changed=sorted(changed, key=lambda one: one.line),
        notes=notes,
    )
    return manifest if earlier is None or earlier.cleaned_sha256 != dataset.sha256 else _traced(manifest, earlier)


def _traced(manifest: CleanManifest, earlier: CleanManifest) -> CleanManifest:
    """Both cleanings as one of the first original, lines in reasons included."""
    first = earlier.lines

    def back(touched: list[Touched]) -> list[Touched]:
        return [
            Touched(
                line=first[one.line - 1],
                fix=one.fix,
                reason=_LINE.sub(lambda found: f"line {first[int(found[1]) - 1]}", one.reason),
            )
            for one in touched
        ]

    return manifest.model_copy(
        update={
            "name": earlier.name,
            "sha256": earlier.sha256,
            "format": earlier.format,
            "encoding": earlier.encoding,
            "fixes": [*earlier.fixes, *manifest.fixes],
            "rows_read": earlier.rows_read,
            "lines": [first[line - 1] for line in manifest.lines],
            "dropped": sorted([*earlier.dropped, *back(manifest.dropped)], key=lambda one: one.line),
            "changed": sorted([*earlier.changed, *back(manifest.changed)], key=lambda one: one.line),
            "notes": [*earlier.notes, *manifest.notes],
        }
    )


def write_cleaned(
    dataset: Dataset, cleaned: Cleaned, path: Path, *, today: date, keep: Sequence[str] = ()
) -> CleanManifest:
    """Write the copy to `path` and its manifest beside it; a file that is there already is never touched.

    Raises `BadInput` for a path that is taken, or where no row is left; `StoreError` where the disk refuses.
    """
    if not cleaned.rows:
        raise BadInput("no row would be left.", "Choose fewer fixes.", file=dataset.name)
    text = copy_text(cleaned.rows, keep)
    earlier = read_clean_manifest(manifest_path(dataset.path))
    manifest = manifest_of(dataset, cleaned, text, today=today, earlier=earlier)
    beside = manifest_path(path)
    taken = next((one for one in (path, beside) if one.exists()), None)
    if taken is not None:
        raise BadInput(f"{taken} exists already.", "Give another file with --out.")
    try:
        for file, content in ((path, text), (beside, manifest.model_dump_json(indent=1) + "\n")):
            with file.open("x", encoding="utf-8", newline="\n") as opened:
                opened.write(content)
    except OSError as error:
        raise StoreError(f"cannot write {path} ({error.strerror}).", "Check the folder and the disk.") from error
    return manifest
