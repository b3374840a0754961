"""A plan's rows cleaned: from the original as it was given, to a new set of our own with its manifest beside it."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path

from core.errors import BadInput
from core.plan import DataRef
from core.run_folder import write_atomically
from dataset.clean import FIXES, Cleaned, clean
from dataset.cleaned_copy import CleanManifest, copy_text, manifest_of, read_clean_manifest
from dataset.kept import manifest_of as kept_manifest
from dataset.kept import read_original
from dataset.prepare import adopt, read_manifest
from dataset.read import Dataset
from dataset.render import Renderer

CLEANED = "cleaned.json"
"""Beside our copies of a cleaned set: the manifest of its cleaning."""
_SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".txt", ".parquet", ".xlsx")
_PACKED_SUFFIXES = (".gz", ".zip")


def history_of(data: DataRef) -> CleanManifest | None:
    """How a set was cleaned; None where it was not."""
    return read_clean_manifest(Path(data.train).parent / CLEANED)


def adopt_cleaned(data: DataRef, fixes: tuple[str, ...], renderer: Renderer | None) -> DataRef:
    """Take the cleaned rows in as a set of its own, split with the seed and shares of the first one.

    The set that it was made from stays. Raises as `dataset.prepare.adopt`.
    """
    manifest = read_manifest(data)
    told = manifest_for(data, fixes)
    held_out = {
        part: (copy_text(of_part.rows, kept_columns(data)).encode(), f"{part}.jsonl")
        for part, of_part in cleaned_of(data, fixes)[1].items()
    }
    found = adopt(
        text_of(data, fixes).encode(),
        cleaned_name(data.name),
        validation=held_out.get("validation"),
        test=held_out.get("test"),
        seed=manifest.seed,
        validation_share=manifest.validation_share,
        test_share=manifest.test_share,
        group=manifest.group,
        renderer=renderer,
    )
    write_atomically(Path(found.train).parent / CLEANED, told.model_dump_json(indent=1))
    return found


def cleaned_name(name: str) -> str:
    """`rows (cleaned).jsonl` for `rows.csv` and `rows.csv.gz`; once is enough."""
    stem = Path(name).stem if Path(name).suffix.lower() in _PACKED_SUFFIXES else name
    stem = Path(stem).stem if Path(stem).suffix.lower() in _SUFFIXES else stem
    return f"{stem.removesuffix(' (cleaned)')} (cleaned).jsonl"


def cleaned_of(data: DataRef, fixes: tuple[str, ...]) -> tuple[Cleaned, dict[str, Cleaned]]:
    """The cleaned rows, and those of each held-out part that came in a file of its own."""
    return _cleaned(data.train, Path(data.train).stat().st_mtime_ns, fixes)


@lru_cache(maxsize=2)
def _cleaned(train: str, _changed_ns: int, fixes: tuple[str, ...]) -> tuple[Cleaned, dict[str, Cleaned]]:
    folder = Path(train).parent
    original = _original(folder, "original")
    cleaned = clean(original.rows if original else (), [fix for fix in fixes if not FIXES[fix].held_out])
    of_held_out = [fix for fix in fixes if FIXES[fix].held_out or FIXES[fix].changes]
    held_out = {}
    for part in ("validation", "test"):
        given = _original(folder, f"{part}_original")
        if given is not None:
            held_out[part] = clean(given.rows, of_held_out, training=cleaned.rows)
    return cleaned, held_out


@lru_cache(maxsize=1)
def _original(folder: Path, stem: str) -> Dataset | None:
    """A file as it was given, read as it was read then; None for a held-out one that was not given.

    Raises `BadInput` where our copy is gone.
    """
    manifest = kept_manifest(folder)
    found = read_original(folder, stem, manifest, manifest.name if stem == "original" else None) if manifest else None
    if found is None and (stem == "original" or any(folder.glob(f"{stem}.*"))):
        raise BadInput("our copy of the original is gone.", "Take the data in again.", file=str(folder))
    return found


def text_of(data: DataRef, fixes: tuple[str, ...]) -> str:
    """The cleaned file."""
    return copy_text(cleaned_of(data, fixes)[0].rows, kept_columns(data))


def manifest_for(data: DataRef, fixes: tuple[str, ...]) -> CleanManifest:
    """The manifest of the cleaned file; where the set was cleaned before, of both cleanings."""
    folder = Path(data.train).parent
    original = _original(folder, "original")
    if original is None:
        raise BadInput("our copy of the original is gone.", "Take the data in again.", file=str(folder))
    return manifest_of(
        original,
        cleaned_of(data, fixes)[0],
        text_of(data, fixes),
        today=date.today(),
        earlier=history_of(data),
    )


def kept_columns(data: DataRef) -> tuple[str, ...]:
    """The column that rows are grouped by: the split needs it again."""
    group = read_manifest(data).group
    return (group,) if group else ()
