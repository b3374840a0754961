"""The process that reads Parquet and Excel: `python -m dataset.binary_rows KIND SOURCE TARGET MAX_BYTES`.

Writes JSON Lines in which a row keeps its number (blank lines where the sheet has none), and prints one JSON object:
{problem, hint, note}. Its memory is capped before a byte is parsed.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from core.errors import BadInput
from dataset.table_records import MAX_COLUMNS, column_titles

MAX_MEMORY_BYTES = 2 << 30
_BATCH_ROWS = 1000


def main(arguments: list[str]) -> int:
    """Convert one file and say how it went."""
    kind, source, target, max_bytes = arguments
    _cap_memory()
    problem = hint = note = ""
    try:
        note = write_rows(kind, Path(source), Path(target), int(max_bytes))
    except BadInput as error:
        problem, hint = error.message, error.hint
    print(json.dumps({"problem": problem, "hint": hint, "note": note}))
    return 0


def write_rows(kind: str, source: Path, target: Path, max_bytes: int) -> str:
    """Write the rows of `source` and return a note. Raises `BadInput`, whatever the bytes."""
    word = {"parquet": "Parquet", "xlsx": "Excel"}[kind]
    try:
        with target.open("w", encoding="utf-8", errors="replace", newline="\n") as file:
            out = _Out(file, max_bytes)
            return _parquet(source, out) if kind == "parquet" else _excel(source, out)
    except BadInput:
        raise
    except OSError as error:
        if error.errno is not None:  # of the disk; the readers raise theirs without a number
            raise BadInput(f"cannot be read ({error.strerror}).", "Check the disk.") from error
        raise BadInput(f"is a broken {word} file.", "Save it again, or as CSV.") from error
    except MemoryError as error:
        raise BadInput("takes too much memory to read.", "Save it as CSV or JSON Lines.") from error
    except Exception as error:  # pyarrow and calamine raise kinds of their own, ValueError and KeyError among them
        raise BadInput(f"is a broken {word} file.", "Save it again, or as CSV.") from error
    except BaseException as error:  # a panic in Rust is no Exception
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        raise BadInput(f"is a broken {word} file.", "Save it again, or as CSV.") from error


def _cap_memory() -> None:
    with suppress(ImportError, ValueError, OSError):  # where the system has no such cap, the sizes must do
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        cap = MAX_MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MAX_MEMORY_BYTES, hard)
        resource.setrlimit(resource.RLIMIT_AS, (cap, hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class _Out:
    """Lines of JSON, up to a size."""

    def __init__(self, file: TextIO, max_bytes: int) -> None:
        self._file = file
        self._left = max_bytes

    def blank(self) -> None:
        self._write("\n")

    def row(self, fields: dict[str, Any]) -> None:
        self._write(json.dumps(fields, default=_plain) + "\n")

    def _write(self, line: str) -> None:
        self._left -= len(line)
        if self._left < 0:
            hint = "Keep the input and output columns only, or take a sample."
            raise BadInput("holds more text than is read of one file.", hint)
        self._file.write(line)


def _plain(value: Any) -> Any:
    """Dates as ISO text, bytes as text or their number, the rest as it prints."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            return f"[{len(value):,} bytes]"
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value)


def _parquet(source: Path, out: _Out) -> str:
    from pyarrow import parquet

    with parquet.ParquetFile(source, memory_map=False, pre_buffer=False, buffer_size=1 << 20) as file:
        names = list(file.schema_arrow.names)
        _refuse_wide(len(names))
        titles = column_titles(names)
        kept = [place for place, name in enumerate(names) if not name.startswith("__index_level_")]
        for batch in file.iter_batches(batch_size=_BATCH_ROWS, use_threads=False):
            columns = [batch.column(place).to_pylist() for place in kept]
            for values in zip(*columns, strict=True):
                out.row({titles[place]: value for place, value in zip(kept, values, strict=True)})
    return ""


def _excel(source: Path, out: _Out) -> str:
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    with CalamineWorkbook.from_path(str(source)) as book:
        names = [
            sheet.name
            for sheet in book.sheets_metadata
            if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
        ]
        for name in names:
            sheet = book.get_sheet_by_name(name)
            if sheet.height < 2 and name != names[-1]:
                continue  # a cover
            _sheet(sheet.iter_rows(), out)
            others = len(names) - 1
            more = f"{others} more sheet{'s' if others > 1 else ''}"
            return f"The workbook has {more}; `{name[:40]}` was read." if others else ""
    raise BadInput("is a workbook without a sheet.", "Give a sheet with a line of column names.")


def _sheet(rows: Iterable[Sequence[Any]], out: _Out) -> None:
    """The first row with a text is the header; every row below lands on the line that has its number."""
    titles: tuple[str, ...] = ()
    for cells in rows:
        values = [_cell(cell) for cell in cells]
        if all(value in ("", None) for value in values):
            out.blank()
        elif not titles:
            _refuse_wide(len(values))
            titles = column_titles([str(value) for value in values])
            out.blank()
        else:
            out.row(dict(zip(titles, values, strict=False)))
    if not titles:
        raise BadInput("has no header and no rows.", "Start it with a line of column names.")


def _cell(value: Any) -> Any:
    """Excel knows no whole numbers: 7 comes as 7.0."""
    if isinstance(value, float) and math.isfinite(value) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


def _refuse_wide(columns: int) -> None:
    if columns > MAX_COLUMNS:
        raise BadInput(f"has {columns:,} columns.", "Keep the input and output columns only.")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
