"""Take data in: our own copy, read, checked and split, under a name of our own. And let it go again.

Everything is written into a folder beside the final one and renamed at the end, so that a full disk, a crash or two
adoptions at once leave either a whole folder or none.
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from core.errors import BadInput, Refused, StoreError
from core.home import data_dir
from core.paths import is_file
from core.plan import DataRef
from dataset.check import check
from dataset.opening import MAX_BYTES, gib
from dataset.read import Dataset, read
from dataset.split import split
from dataset.write import Dropped, Manifest, without_unusable, write_chat, write_manifest

if TYPE_CHECKING:
    from dataset.render import Renderer
    from dataset.row import Row

Upload = Path | bytes | BinaryIO
"""A path, the bytes, or an open binary file (such as an upload of the page)."""

_SUFFIXES = {".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".txt"}
_FOLDER = re.compile(r"[0-9a-f]{16}-[0-9a-f]{8}")
_MARGIN_BYTES = 32 << 20
_COPY_BYTES = 1 << 20
_LEFT_OVER_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Kept:
    """A folder of taken-in data: what goes when it is forgotten."""

    folder: Path
    name: str
    """What the file was called."""
    size_bytes: int
    adopted_at: datetime


def adopt(
    upload: Upload,
    name: str,
    *,
    inputs: list[str] | None = None,
    output: str | None = None,
    records: str | None = None,
    system_prompt: str | None = None,
    template: str | None = None,
    validation: tuple[Upload, str] | None = None,
    test: tuple[Upload, str] | None = None,
    seed: int = 7,
    validation_share: float = 0.1,
    test_share: float = 0.2,
    group: str | None = None,
    renderer: Renderer | None = None,
    max_tokens: int = 512,
    today: date | None = None,
    max_bytes: int = MAX_BYTES,
) -> DataRef:
    """Copy an upload, read it, split it, check it, and return the reference that a plan keeps.

    `validation` and `test` are files of their own, as (upload, name); for these nothing is split off. Rows from which
    nothing can be learned are left out and listed in manifest.json with line and reason. Raises `BadInput` where fewer
    rows are left than parts are wanted, `StoreError` where the disk is full.
    """
    shown = _shown(name)
    with _new_folder() as folder:
        sources = {"data": (upload, name), "validation": validation, "test": test}
        read_parts: dict[str, Dataset] = {}
        for part, source in sources.items():
            if source is not None:
                copy = folder / f"{'original' if part == 'data' else part + '_original'}{_suffix(source[1])}"
                _copy(source[0], copy, max_bytes)
                read_parts[part] = read(
                    copy,
                    inputs=inputs,
                    output=output,
                    records=records,
                    system_prompt=system_prompt,
                    template=template,
                    max_bytes=max_bytes,
                    name=_shown(source[1]),
                ).usable()
        data = read_parts["data"]
        kept, dropped = without_unusable(data.rows)
        shares = (0.0 if validation else validation_share, 0.0 if test else test_share)
        if len(kept) < 1 + sum(share > 0 for share in shares):
            raise BadInput(f"has {len(kept)} usable rows; a split needs 3.", _first_reason(dropped), file=shown)
        parts = split(kept, seed=seed, validation_share=shares[0], test_share=shares[1], group=group)
        rows: dict[str, tuple[Row, ...]] = {
            "train": parts.train,
            "validation": parts.validation,
            "test": parts.test,
        }
        for part in ("validation", "test"):
            if part in read_parts:
                usable, lost = without_unusable(read_parts[part].rows, part)
                dropped.extend(lost)
                if not usable:
                    raise BadInput("has no usable row.", _first_reason(lost), file=read_parts[part].name)
                rows[part] = tuple(usable)
        for part, part_rows in rows.items():
            write_chat(part_rows, folder / f"{part}.jsonl")
        manifest = Manifest(
            name=shown,
            sha256=data.sha256,
            format=data.format,
            encoding=data.encoding,
            inputs=list(data.inputs),
            output=data.output,
            records=data.records,
            template=template,
            system_prompt=system_prompt,
            group=group,
            seed=seed,
            validation_share=shares[0],
            test_share=shares[1],
            rows=len(data.rows),
            lines={part: [row.line for row in part_rows] for part, part_rows in rows.items()},
            dropped=dropped,
            notes=list(parts.notes),
        )
        write_manifest(manifest, folder / "manifest.json")
        held_out = read_parts.get("test") or read_parts.get("validation")
        report = check(data, validation=held_out, renderer=renderer, max_tokens=max_tokens, today=today or date.today())
        final = folder.parent / f"{data.sha256[:16]}-{secrets.token_hex(4)}"
        folder.rename(final)
    tokens: dict[str, float | str] = dict(report.tokens.model_dump())
    return DataRef(
        name=shown,
        train=str(final / "train.jsonl"),
        validation=str(final / "validation.jsonl"),
        test=str(final / "test.jsonl"),
        sha256=data.sha256,
        rows=len(data.rows),
        train_rows=len(rows["train"]),
        validation_rows=len(rows["validation"]),
        test_rows=len(rows["test"]),
        tokens=tokens,
        findings=[found.model_dump() for found in report.findings],
    )


def what_goes(data_ref: DataRef) -> Kept:
    """What `forget` would remove. Raises `Refused` for data that is not ours."""
    return _kept(_own_folder(data_ref))


def forget(data_ref: DataRef) -> Kept:
    """Remove our copy of the data with its parts. Safe twice. Raises `Refused` for data that is not ours."""
    folder = _own_folder(data_ref)
    gone = _kept(folder)
    shutil.rmtree(folder, ignore_errors=True)
    return gone


def kept_data() -> list[Kept]:
    """All data taken in, the newest first."""
    folders = [folder for folder in data_dir().iterdir() if _FOLDER.fullmatch(folder.name)]
    return sorted((_kept(folder) for folder in folders), key=lambda kept: kept.adopted_at, reverse=True)


def read_manifest(data_ref: DataRef) -> Manifest:
    """The manifest of taken-in data. Raises `BadInput` where it is gone or broken."""
    path = Path(data_ref.train).parent / "manifest.json"
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadInput("is gone or cannot be read.", "Take the data in again.", file=str(path)) from error


@contextmanager
def _new_folder() -> Iterator[Path]:
    """A folder of this adoption alone; removed if anything goes wrong, and a full disk told plainly."""
    folder = data_dir() / f"new-{secrets.token_hex(8)}"
    for left_over in data_dir().glob("new-*"):  # of a process that was killed
        with suppress(OSError):
            if left_over.stat().st_mtime < time.time() - _LEFT_OVER_SECONDS:
                shutil.rmtree(left_over, ignore_errors=True)
    try:
        folder.mkdir(mode=0o700)
        yield folder
    except OSError as error:
        free = shutil.disk_usage(data_dir()).free
        raise StoreError(
            f"the data could not be saved ({error.strerror or error}); {gib(free)} are free at {data_dir()}.",
            "Free some space, or set TUNEWORTHY_HOME to another disk.",
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy(upload: Upload, target: Path, max_bytes: int) -> None:
    """Copy at most `max_bytes` + 1 bytes (one too many, so that reading refuses it by size)."""
    if isinstance(upload, Path):
        if not is_file(upload) or upload.stat().st_size > max_bytes:
            read(upload, max_bytes=max_bytes)  # says what is wrong with it
        size = upload.stat().st_size
    else:
        size = len(upload) if isinstance(upload, bytes) else 0
    if size + _MARGIN_BYTES > shutil.disk_usage(target.parent).free:
        raise OSError(28, "no space left")
    if isinstance(upload, bytes):
        target.write_bytes(upload[: max_bytes + 1])
        return
    left = max_bytes + 1
    with _source(upload) as source, target.open("wb") as file:
        while left > 0 and (chunk := _read(source, min(_COPY_BYTES, left), upload)):
            file.write(chunk)
            left -= len(chunk)


@contextmanager
def _source(upload: Path | BinaryIO) -> Iterator[BinaryIO]:
    """The upload from its beginning; a file of the page stays open. Raises `BadInput` where it may not be read."""
    if not isinstance(upload, Path):
        if upload.seekable():
            upload.seek(0)
        yield upload
        return
    try:
        source = upload.open("rb")
    except OSError as error:
        raise _unreadable(error, upload) from error
    with source:
        yield source


def _read(source: BinaryIO, size_bytes: int, upload: Path | BinaryIO) -> bytes:
    try:
        return source.read(size_bytes)
    except OSError as error:
        raise _unreadable(error, upload) from error


def _unreadable(error: OSError, upload: Path | BinaryIO) -> BadInput:
    file = str(upload) if isinstance(upload, Path) else ""
    return BadInput(f"cannot be read ({error.strerror}).", "Check its permissions.", file=file)


def _own_folder(data_ref: DataRef) -> Path:
    folder = Path(data_ref.train).resolve().parent
    if folder.parent != data_dir().resolve() or not _FOLDER.fullmatch(folder.name):
        raise Refused(f"the data `{data_ref.name}` is not a copy of ours.", "Delete it where it is.")
    return folder


def _kept(folder: Path) -> Kept:
    files = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
    name = folder.name
    try:
        name = Manifest.model_validate_json((folder / "manifest.json").read_bytes()).name
        adopted_at = datetime.fromtimestamp((folder / "manifest.json").stat().st_mtime, UTC)
    except (OSError, ValueError):
        adopted_at = datetime.fromtimestamp(0, UTC)
    return Kept(folder, name, sum(path.stat().st_size for path in files), adopted_at)


def _first_reason(dropped: list[Dropped]) -> str:
    if not dropped:
        return "Add rows."
    return f"Mend the others: in line {dropped[0].line} {dropped[0].reason}."


def _suffix(name: str) -> str:
    suffix = Path(name).suffix.lower()
    return suffix if suffix in _SUFFIXES else ".txt"


def _shown(name: str) -> str:
    """The file's own name without folders and control characters, for people only; no path is made of it."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(char for char in last if char.isprintable()).strip()[:120] or "data"
