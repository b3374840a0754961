"""Files inside files: gzip, zip, Parquet and Excel become plain text before they are read, in a folder that goes.

Nothing in them is believed: sizes are counted while bytes come out, names and paths inside are never used as paths,
and what parses binary tables runs in a process of its own (see binary_tables.py).
"""

from __future__ import annotations

import errno
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from core.errors import BadInput
from dataset.binary_tables import convert
from dataset.inflate import inflated
from dataset.opening import checked_size, gib

MAX_RATIO = 200
"""Text shrinks to a tenth, very dull text to a fiftieth; what shrinks more is a bomb, or nothing to learn from."""
_SMALL_BYTES = 16 << 20
"""Below this much nobody is harmed, whatever the ratio."""
_MAX_DIRECTORY_BYTES = 1 << 20
"""The table of contents of a zip with some ten thousand files."""
_CHUNK_BYTES = 1 << 20
_BROKEN_ZIP = "is a broken or a cut off zip archive."
_NOISE = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
_OFFICE = {
    "word/document.xml": "a Word document",
    "ppt/presentation.xml": "a PowerPoint file",
    "META-INF/manifest.xml": "an OpenDocument file",
}


@dataclass(frozen=True, slots=True)
class Inner:
    """The plain file to read."""

    path: Path
    suffix: str
    """Of the name that it has inside: `.csv` for `mail.csv.gz`."""
    table: str = ""
    """`parquet` or `xlsx` where it was one; it is JSON Lines by now, each record on the line of its row."""
    note: str = ""
    """What a person should know: which sheet was read."""


@contextmanager
def unpacked(path: Path, name: str, max_bytes: int) -> Iterator[Inner]:
    """`path` itself where it is plain, else a text that lives as long as the block.

    `max_bytes` holds for what comes out as well. Raises `NotFound`, or `BadInput` for archives that are broken,
    protected, of several files, inside each other, or that unpack to too much.
    """
    checked_size(path, name, max_bytes)
    kind = _kind(path, name)
    suffix = Path(name).suffix.lower()
    if not kind:
        yield Inner(path, suffix)
        return
    with tempfile.TemporaryDirectory(prefix="tuneworthy-") as folder:
        inner = Inner(path, suffix)
        if kind in ("gzip", "zip"):
            target = Path(folder) / "inner"
            unpack = _gunzip if kind == "gzip" else _unzip
            inner = Inner(target, unpack(path, name, target, max_bytes))
            kind = _kind(target, name)
            if kind in ("gzip", "zip"):
                raise BadInput("holds another archive.", "Unpack it, and give the file inside.", file=name)
        if kind:
            if kind == "xlsx":
                _weigh(inner.path, name, max_bytes)
            text = Path(folder) / "rows.jsonl"
            note = convert(kind, inner.path, text, name=name, max_bytes=max_bytes)
            inner = Inner(text, ".jsonl", table=kind, note=note)
        yield inner


def _kind(path: Path, name: str) -> str:
    """gzip, zip, xlsx, parquet, or an empty string for all that is not packed."""
    with path.open("rb") as file:
        head = file.read(8)
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        hint = "Save it as .xlsx without a password, or as CSV."
        raise BadInput("is an old or a protected Office file.", hint, file=name)
    if not head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return ""
    with _zip(path, name) as archive:
        members = archive.namelist()
    office = "[Content_Types].xml" in members
    if office and any(member.startswith("xl/") for member in members):
        return "xlsx"
    for part, what in _OFFICE.items():
        if part in members and (office or not part.startswith(("word", "ppt"))):
            raise BadInput(f"is {what}.", "Save its table as .xlsx or CSV.", file=name)
    return "zip"


def _gunzip(path: Path, name: str, target: Path, max_bytes: int) -> str:
    scale = _Scale(name, path.stat().st_size, max_bytes)
    try:
        with path.open("rb") as source, target.open("wb") as file:
            for piece in inflated(source):
                scale.add(len(piece))
                file.write(piece)
    except (EOFError, zlib.error) as error:
        raise BadInput("is a broken or a cut off gzip archive.", "Pack it again.", file=name) from error
    shown = Path(name)
    return Path(shown.stem).suffix.lower() if shown.suffix.lower() in (".gz", ".gzip") else shown.suffix.lower()


def _unzip(path: Path, name: str, target: Path, max_bytes: int) -> str:
    """Pour the one file of an archive into `target` and return its suffix; where it wants to lie does not matter."""
    with _zip(path, name) as archive:
        members = [member for member in archive.infolist() if not member.is_dir() and not _noise(member.filename)]
        if len(members) != 1:
            shown = ", ".join(f"`{_shown(member.filename)}`" for member in members[:5])
            more = f" and {len(members) - 5:,} more" if len(members) > 5 else ""
            what = f"holds {len(members):,} files: {shown}{more}." if members else "is an archive without a file."
            raise BadInput(what, "Give an archive of one file, or the file itself.", file=name)
        with _member(archive, members[0], name) as source:
            _pour(source, target, _Scale(name, max(members[0].compress_size, 1), max_bytes))
        return PurePosixPath(_shown(members[0].filename)).suffix.lower()


def _weigh(path: Path, name: str, max_bytes: int) -> None:
    """Count what a workbook unpacks to, before anything parses it whole."""
    scale = _Scale(name, path.stat().st_size, max_bytes)
    with _zip(path, name) as archive:
        for member in archive.infolist():
            with _member(archive, member, name) as source:
                while chunk := source.read(_CHUNK_BYTES):
                    scale.add(len(chunk))


@contextmanager
def _zip(path: Path, name: str) -> Iterator[zipfile.ZipFile]:
    """An open archive. Whatever goes wrong in reading it is one error of ours."""
    if _directory_bytes(path) > _MAX_DIRECTORY_BYTES:
        raise BadInput("is an archive of too many files.", "Give an archive of one file.", file=name)
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except BadInput:
        raise
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):  # of the disk; EINVAL is a place before the file's beginning
            raise
        raise BadInput(_BROKEN_ZIP, "Pack it again.", file=name) from error
    except Exception as error:  # zipfile raises nine kinds for broken archives, struct.error and KeyError among them
        raise BadInput(_BROKEN_ZIP, "Pack it again.", file=name) from error


def _directory_bytes(path: Path) -> int:
    """Size of the table of contents, which zipfile would read whole; 0 where none is found."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - (1 << 16) - 98))
        tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0:
        return 0
    listed = int.from_bytes(tail[end + 12 : end + 16], "little")
    wide = tail.rfind(b"PK\x06\x06", 0, end)
    return int.from_bytes(tail[wide + 40 : wide + 48], "little") if listed == 0xFFFFFFFF and wide >= 0 else listed


@contextmanager
def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> Iterator[BinaryIO]:
    if member.flag_bits & 1:
        raise BadInput("is protected by a password.", "Pack it without one.", file=name)
    # Other methods than these two are unpacked in one go by zipfile, however much comes out.
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BadInput("is packed in an unusual way.", "Pack it as a plain zip (deflate).", file=name)
    with archive.open(member) as source:
        yield source  # type: ignore[misc]  # IO[bytes], which is all that is used of BinaryIO


def _pour(source: BinaryIO, target: Path, scale: _Scale) -> None:
    with target.open("wb") as file:
        while chunk := source.read(_CHUNK_BYTES):
            scale.add(len(chunk))
            file.write(chunk)


@dataclass(slots=True)
class _Scale:
    """Weighs what comes out of an archive, and stops it in time."""

    name: str
    packed_bytes: int
    max_bytes: int
    bytes_out: int = 0

    def add(self, count: int) -> None:
        self.bytes_out += count
        if self.bytes_out > self.max_bytes:
            raise BadInput(
                f"unpacks to more than {gib(self.max_bytes)}.",
                "Take a sample: a few thousand good rows teach a tune nearly as much.",
                file=self.name,
            )
        if self.bytes_out > max(_SMALL_BYTES, MAX_RATIO * self.packed_bytes):
            raise BadInput(
                f"unpacks to more than {MAX_RATIO} times its size, as no text of use does.",
                "Give the plain file.",
                file=self.name,
            )


def _noise(member: str) -> bool:
    return any(part in member for part in _NOISE)


def _shown(member: str) -> str:
    """The last part of a name inside, for people and for its suffix only; no path is made of it."""
    last = member.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(char for char in last if char.isprintable() and char != "`")[:80]
