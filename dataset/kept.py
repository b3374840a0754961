"""Data that was taken in earlier: what people call it, whether it is put away, and how a plan gets it back."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import BadInput
from core.plan import DataRef
from core.run_folder import write_atomically
from dataset.check import check
from dataset.read import Dataset, read
from dataset.write import Manifest

if TYPE_CHECKING:
    from dataset.render import Renderer

LABEL = "label.json"
MANIFEST = "manifest.json"
MAX_NAME_CHARACTERS = 120


class Label(BaseModel):
    """What was said of a set since it was taken in. The manifest beside it stays as it was written."""

    model_config = ConfigDict(extra="ignore")
    name: str | None = None
    """None: as the file was called."""
    archived: bool = False


def label_of(folder: Path) -> Label:
    """The label of a set; an empty one where there is none, or it cannot be read."""
    try:
        return Label.model_validate_json((folder / LABEL).read_bytes())
    except (OSError, ValidationError):
        return Label()


def write_label(folder: Path, label: Label) -> None:
    """Written whole or not at all. Raises `BadInput` for a name that says nothing, `StoreError` for a full disk."""
    if label.name is not None and not 1 <= len(label.name.strip()) <= MAX_NAME_CHARACTERS:
        raise BadInput(f"a name has 1 to {MAX_NAME_CHARACTERS} characters.", "Give a short name that says what.")
    write_atomically(folder / LABEL, label.model_dump_json())


def manifest_of(folder: Path) -> Manifest | None:
    """How the set was read and split; None where that is gone or broken."""
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return None


def data_ref(folder: Path, *, renderer: Renderer | None = None, today: date | None = None) -> DataRef:
    """The reference that a plan keeps, made anew from our copies: the same rows in the same parts, checked again.

    Raises `BadInput` where the copies are not whole.
    """
    manifest = manifest_of(folder)
    parts = {part: folder / f"{part}.jsonl" for part in ("train", "validation", "test")}
    if manifest is None or not all(path.is_file() for path in parts.values()):
        raise BadInput(
            "is not whole, so it cannot be used.", "Delete it, and take the data in again.", file=str(folder)
        )
    data = read_original(folder, "original", manifest, manifest.name)
    if data is None:
        raise BadInput("has lost its original.", "Delete it, and take the data in again.", file=str(folder))
    held_out = read_original(folder, "test_original", manifest) or read_original(
        folder, "validation_original", manifest
    )
    report = check(data, validation=held_out, renderer=renderer, today=today or date.today())
    counts = {part: len(manifest.lines.get(part, [])) for part in parts}
    return DataRef(
        name=label_of(folder).name or manifest.name,
        train=str(parts["train"]),
        validation=str(parts["validation"]),
        test=str(parts["test"]),
        sha256=manifest.sha256,
        rows=manifest.rows,
        train_rows=counts["train"],
        validation_rows=counts["validation"],
        test_rows=counts["test"],
        tokens=dict(report.tokens.model_dump()),
        findings=[found.model_dump() for found in report.findings],
    )


def read_original(folder: Path, stem: str, manifest: Manifest, name: str | None = None) -> Dataset | None:
    """A file as it was given, read as it was read then; None where none was given.

    `stem` is original, validation_original or test_original; `name` what it is called in messages.
    """
    path = next(iter(folder.glob(f"{stem}.*")), None)
    if path is None:
        return None
    return read(
        path,
        inputs=manifest.inputs if manifest.output and not manifest.template else None,
        output=manifest.output,
        records=manifest.records,
        system_prompt=manifest.system_prompt,
        template=manifest.template,
        name=name,
    ).usable()
