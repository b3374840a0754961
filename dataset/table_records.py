"""Records out of CSV, TSV and their relatives: the delimiter is found, broken rows are named and left out."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from core.errors import BadInput
from dataset.opening import MAX_LINE_CHARS, OpenedFile
from dataset.records import BadLine, Record

_DELIMITERS = (",", "\t", ";", "|")
_SAMPLE_LINES = 200
_SAMPLE_CHARS = 1 << 20
_MAX_REREAD_LINES = 200_000
MAX_COLUMNS = 1000


@dataclass(frozen=True, slots=True)
class TableRecords:
    """The header and the records below it."""

    columns: tuple[str, ...]
    delimiter: str
    items: Iterator[Record | BadLine]


def table_records(opened: OpenedFile, suffix: str) -> TableRecords:
    """Read `opened` as a table with a header. Raises `BadInput` where there is none."""
    csv.field_size_limit(MAX_LINE_CHARS)
    delimiter = _delimiter(_sample(opened), suffix)
    cells = _cells(opened, delimiter)
    for line, found in cells:
        if isinstance(found, str):
            raise BadInput(f"has a header that {found}.", "Mend that line.", file=opened.name, line=line)
        if any(cell.strip() for cell in found):
            break
    else:
        raise BadInput("has no header and no rows.", "Start it with a line of column names.", file=opened.name)
    if len(found) > MAX_COLUMNS:
        raise BadInput(f"has {len(found):,} columns.", "Keep the input and output columns only.", file=opened.name)
    columns = column_titles(found)
    return TableRecords(columns, delimiter, _records(cells, columns))


def _sample(opened: OpenedFile) -> list[str]:
    """The first lines that are not blank, at least one and not much more than a million characters."""
    sample: list[str] = []
    left = _SAMPLE_CHARS
    for _, line in islice(opened.lines(), _SAMPLE_LINES):
        if line and line.strip():
            sample.append(line)
            left -= len(line)
        if left < 0:
            break
    return sample


def _delimiter(sample: list[str], suffix: str) -> str:
    """The delimiter that cuts most sample rows into the header's number of cells (at least two)."""
    best, best_score = "\t" if suffix == ".tsv" else ",", 0.0
    for delimiter in _DELIMITERS:
        try:
            rows = [row for row in csv.reader(sample, delimiter=delimiter) if row]
        except csv.Error:
            continue
        width = len(rows[0]) if rows else 1
        if width < 2:
            continue
        score = sum(len(row) == width for row in rows) / len(rows)
        if suffix == ".tsv" and delimiter == "\t":
            score += 1
        if score > best_score:
            best, best_score = delimiter, score
    return best


def column_titles(cells: Sequence[str]) -> tuple[str, ...]:
    """Names of columns, none of them empty or twice: `text`, `text_2`, `column_3`."""
    names: list[str] = []
    taken: set[str] = set()
    for number, cell in enumerate(cells, 1):
        name = base = cell.strip().lstrip("\ufeff") or f"column_{number}"
        copy = 2
        while name in taken:
            name, copy = f"{base}_{copy}", copy + 1
        taken.add(name)
        names.append(name)
    return tuple(names)


def _records(cells: Iterator[tuple[int, list[str] | str]], columns: tuple[str, ...]) -> Iterator[Record | BadLine]:
    width = len(columns)
    for line, found in cells:
        if isinstance(found, str):
            yield BadLine(line, found)
        elif not found or not any(cell.strip() for cell in found):
            continue
        elif len(found) == width or (len(found) > width and not any(cell.strip() for cell in found[width:])):
            yield Record(line, dict(zip(columns, found, strict=False)))
        else:
            yield BadLine(line, f"has {len(found)} cells where the header has {width}")


def _cells(opened: OpenedFile, delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """(line of the row's start, cells or what is wrong).

    A quote that is never closed would swallow the rest of the file: its line is reported, and reading goes on with
    the next one (for as long as that stays cheap).
    """
    lines = _Rewindable(opened.lines())
    while True:
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            lines.mark()
            for cells in reader:
                yield lines.start, cells
                lines.mark()
            return
        except csv.Error as error:
            start, taken = lines.start, lines.rewind()
            yield start, _why(str(error), taken)
            if lines.reread_lines > _MAX_REREAD_LINES:
                yield start + 1, "and what follows was not read: too many quotes are never closed"
                return


def _why(message: str, taken: int) -> str:
    if "unexpected end of data" in message or taken > 1:
        return "opens a quote that is never closed"
    if "field larger" in message:
        return "holds a cell of more than 16 million characters"
    return f"has a broken quote ({message})"


class _Rewindable:
    """Lines for the csv reader that remembers those of the current row, to go back to its second line."""

    def __init__(self, lines: Iterator[tuple[int, str | None]]) -> None:
        self._lines = lines
        self._ahead: list[tuple[int, str | None]] = []
        self._row: list[tuple[int, str | None]] = []
        self._next_start = 1
        self.reread_lines = 0

    @property
    def start(self) -> int:
        return self._row[0][0] if self._row else self._next_start

    def mark(self) -> None:
        self._row.clear()

    def rewind(self) -> int:
        taken = len(self._row)
        self._ahead.extend(reversed(self._row[1:]))
        self.reread_lines += max(0, taken - 1)
        self._row.clear()
        return taken

    def __iter__(self) -> _Rewindable:
        return self

    def __next__(self) -> str:
        number, line = self._ahead.pop() if self._ahead else next(self._lines)
        self._row.append((number, line))
        self._next_start = number + 1
        if line is None:
            raise csv.Error("field larger than field limit")
        return line.replace("\x00", "") if "\x00" in line else line
