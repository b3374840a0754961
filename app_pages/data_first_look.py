"""A first look at a large file: its first lines, read and checked before the rest. The whole result replaces it."""

from __future__ import annotations

import io
import json
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO

import streamlit as st

from app_pages import data_findings
from app_pages.figures import plain
from core.errors import TuneworthyError
from dataset.check import check
from dataset.finding import Finding
from dataset.inflate import inflated
from dataset.read import Dataset, read

FIRST_LINES = 5_000
HEAD_BYTES = 8 << 20
"""Where lines are so long that fewer of them fill this, fewer are looked at."""
WORTH_BYTES = 6 << 20
"""A smaller file is read whole in a second or two: two results, one right behind the other, would only flicker."""
PACKED_SHARE = 4
"""Text packs to a quarter or less."""
JSON_SUFFIXES = (".jsonl", ".ndjson")
TABLE_SUFFIXES = (".csv", ".tsv")
OF_THE_WHOLE = ("too_few_examples", "class_imbalance", "rare_class")
"""Checks that say nothing about a file of which they saw the beginning alone."""
OPEN_RECORD_LINES = 200
ROWS_SHOWN = 5
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Head:
    """The first lines of a file."""

    content: bytes
    lines: int
    name: str
    """Without `.gz`: the content is unpacked."""
    about_lines: int
    """Of the whole file, by the length of these."""


@dataclass(frozen=True, slots=True)
class FirstLook:
    """What the first lines say."""

    data: Dataset
    findings: tuple[Finding, ...]
    about_rows: int
    """Of the whole file, to two digits."""


def first_look(source: Path | BinaryIO, name: str) -> FirstLook | None:
    """Read and check the first lines; None where the file is small, is not read by lines, or cannot be read so.

    What is wrong with such a file is for the whole read to say. An upload is put back to its beginning.
    """
    head = head_of(source, name)
    if head is None:
        return None
    with tempfile.TemporaryDirectory(prefix="tuneworthy-") as folder, suppress(TuneworthyError, OSError):
        path = Path(folder) / f"head{Path(head.name).suffix.lower()}"
        path.write_bytes(head.content)
        data = read(path, name=head.name)
        report = check(data, today=date.today())
        found = tuple(one for one in report.findings if one.check not in OF_THE_WHOLE)
        return FirstLook(data, found, _to_two_digits(head.about_lines * len(data.rows) / head.lines))
    return None


def head_of(source: Path | BinaryIO, name: str) -> Head | None:
    """The first whole lines of a large JSON Lines file or table, also of one in a .gz; None for all else."""
    packed = Path(name).suffix.lower() == ".gz"
    inner = name[: -len(".gz")] if packed else name
    suffix = Path(inner).suffix.lower()
    if suffix not in (*JSON_SUFFIXES, *TABLE_SUFFIXES):
        return None
    try:
        with _opened(source) as file:
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            if size < WORTH_BYTES // (PACKED_SHARE if packed else 1):
                return None
            lines = _first_lines(inflated(file) if packed else iter(lambda: file.read(_PIECE_BYTES), b""))
            share = file.tell() / size
    except (OSError, EOFError, zlib.error):
        return None
    if len(lines) < 2 or b"\x00" in lines[0] or (suffix in JSON_SUFFIXES and not _is_record(lines[0])):
        return None
    kept = lines[: FIRST_LINES + (suffix in TABLE_SUFFIXES)]  # a table begins with its header
    if suffix in TABLE_SUFFIXES:
        kept = kept[: _closed(kept)]
    return Head(b"".join(kept), len(kept), inner, round(len(lines) / share))


def show(found: FirstLook) -> None:
    """The first findings under a line that says what they are. Before the whole result, never beside it."""
    with st.container(border=True, key="data.first_look"):
        st.markdown(
            f":material/hourglass_top: **First look: {len(found.data.rows):,} of about {found.about_rows:,} rows.** "
            "The whole file is being read."
        )
        st.caption(
            f"Understood as {found.data.format.replace('_', ' ')}, {found.data.encoding}. Counts and lines are of "
            "these rows alone; copies, classes and leaks show in full at the end."
        )
        data_findings.cards([one.model_dump() for one in found.findings])
        if not found.findings:
            st.caption(":material/check_circle: Nothing to mend in these rows.")
        st.table(
            [
                {
                    "Line": row.line,
                    "Asked": plain(data_findings.beginning(row.user_text)),
                    "Answer": plain(data_findings.beginning(row.answer)),
                }
                for row in found.data.rows[:ROWS_SHOWN]
            ],
            hide_index=True,
            border="horizontal",
            alt="The first rows as they were understood.",
        )


@contextmanager
def _opened(source: Path | BinaryIO) -> Iterator[BinaryIO]:
    """A file to read from its beginning; that of an upload stays open and is put back."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield file
        return
    try:
        yield source
    finally:
        source.seek(0)


def _first_lines(pieces: Iterator[bytes]) -> list[bytes]:
    """Whole lines, at least as many as are looked at where there are so many; no more than `HEAD_BYTES`."""
    content, count = bytearray(), 0
    for piece in pieces:
        content += piece
        count += piece.count(b"\n")
        if count > FIRST_LINES or len(content) >= HEAD_BYTES:
            break
    return bytes(content[: content.rfind(b"\n") + 1]).splitlines(keepends=True)


def _is_record(line: bytes) -> bool:
    """Whether a line is a record of its own, and not the beginning of a document."""
    try:
        return isinstance(json.loads(line.decode("utf-8-sig")), dict)
    except (ValueError, RecursionError):
        return False


def _closed(lines: Sequence[bytes]) -> int:
    """How many lines to take so that no quotation mark stays open; all where that would cost too many."""
    open_now, closed_at = False, 0
    for number, line in enumerate(lines, 1):
        open_now ^= bool(line.count(b'"') % 2)
        if not open_now:
            closed_at = number
    return closed_at if len(lines) - closed_at <= OPEN_RECORD_LINES else len(lines)


def _to_two_digits(count: float) -> int:
    """`990,000` for 987,654: how many rows a file has is a guess from its first lines."""
    return int(float(f"{count:.1e}"))
