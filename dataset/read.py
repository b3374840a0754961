"""Read a file of examples: whatever it is, rows and findings come out, or one clear error. Never a traceback.

What cannot be read is left out and reported by line; the file itself is never altered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any

from core.errors import BadInput
from dataset.fields import column_names
from dataset.finding import Finding, finding, plural
from dataset.json_records import json_records, looks_like_json
from dataset.opening import MAX_BYTES, OpenedFile, open_text
from dataset.records import BadLine, Record
from dataset.row import NOTHING, Message, Row
from dataset.shapes import NotThisShape, Shape, guess_columns, mapped, shape_of
from dataset.table_records import table_records

_JSON_SUFFIXES = {".json", ".jsonl", ".ndjson"}
_TABLE_SUFFIXES = {".csv", ".tsv", ".tab"}
_PEEKED_RECORDS = 200
_NO_FORMAT = "no known format"
_DAMAGED = "\ufffd"


@dataclass(frozen=True, slots=True)
class Dataset:
    """What was understood of a file."""

    path: Path
    name: str
    """What the file is called in messages."""
    sha256: str
    encoding: str
    format: str
    """openai_chat, sharegpt, prompt_completion, instruction, question_answer, text_label, input_output, csv, tsv,
    json (with chosen columns) or unknown."""
    rows: tuple[Row, ...]
    columns: tuple[str, ...]
    """Names that can be chosen as inputs and output."""
    inputs: tuple[str, ...] = ()
    """Input columns that were used; empty for chats."""
    output: str | None = None
    records: str | None = None
    """Where in a nested document the rows were found."""
    findings: tuple[Finding, ...] = ()
    """What was noticed in reading: bad_line, encoding, unknown_format."""

    def usable(self) -> Dataset:
        """This data set. Raises `BadInput` where no row could be read."""
        if self.rows:
            return self
        first = self.findings[0] if self.findings else None
        raise BadInput(first.message if first else "has no rows.", first.fix if first else "", file=self.name)


def read(
    path: Path,
    *,
    inputs: list[str] | None = None,
    output: str | None = None,
    records: str | None = None,
    system_prompt: str | None = None,
    max_bytes: int = MAX_BYTES,
    name: str | None = None,
) -> Dataset:
    """Read `path`, guessing format, encoding, delimiter and columns; `inputs`, `output` and `records` overrule.

    `system_prompt` is put before rows that have none. A file that holds records of no known format comes back with
    no rows, its columns, and an `unknown_format` finding, so that somebody can choose the columns.
    Raises `NotFound`, or `BadInput` for a file that is empty, binary, above `max_bytes`, or lacks a chosen column.
    """
    opened = open_text(Path(path), name=name, max_bytes=max_bytes)
    suffix = Path(name or path).suffix.lower()
    try:
        return _Reading(opened, suffix, inputs, output, system_prompt).read(records)
    except RecursionError as error:
        raise BadInput("is nested too deeply.", "Write the rows flat.", file=opened.name) from error
    except OSError as error:
        raise BadInput(f"cannot be read ({error.strerror}).", "Check the disk.", file=opened.name) from error


@dataclass(slots=True)
class _Reading:
    """One pass over one file."""

    opened: OpenedFile
    suffix: str
    inputs: list[str] | None
    output: str | None
    system_prompt: str | None
    bad: list[BadLine] = field(default_factory=list)
    damaged: list[int] = field(default_factory=list)
    formats: Counter[str] = field(default_factory=Counter)
    shapes: dict[tuple[str, ...], Shape | None] = field(default_factory=dict)

    def read(self, records: str | None) -> Dataset:
        notes: list[Finding] = []
        columns: tuple[str, ...] = ()
        format_name, where = "json", records
        if records or self._is_json():
            found = json_records(self.opened, records)
            items, where = found.items, found.path or records
            if found.is_document and self.suffix in (".jsonl", ".ndjson"):
                notes.append(_not_json_lines())
        else:
            table = table_records(self.opened, self.suffix)
            items, columns = table.items, table.columns
            format_name = "tsv" if table.delimiter == "\t" else "csv"
        head = list(islice(items, _PEEKED_RECORDS))
        columns = columns or column_names(item.fields for item in head if isinstance(item, Record))
        chosen = self._chosen(columns, format_name)
        if chosen is None and format_name != "json" and not (guess_columns(columns)):
            return self._dataset("unknown", [], columns, where, [_unknown_columns(columns)])
        rows = list(self._rows(chain(head, items), chosen, format_name))
        if format_name == "json" and chosen is None:
            format_name = self.formats.most_common(1)[0][0] if self.formats else "unknown"
        return self._dataset(format_name, rows, columns, where, notes)

    def _is_json(self) -> bool:
        if self.suffix in _JSON_SUFFIXES:
            return True
        return self.suffix not in _TABLE_SUFFIXES and looks_like_json(self.opened)

    def _chosen(self, columns: tuple[str, ...], format_name: str) -> Shape | None:
        """The shape of the columns that somebody named. Raises `BadInput` for one that is not there."""
        if not self.inputs and not self.output:
            return None
        shown = ", ".join(columns[:30]) or "none"
        for name in [*(self.inputs or []), *([self.output] if self.output else [])]:
            if not any(name == column or column.startswith(f"{name}.") or _below(name, column) for column in columns):
                raise BadInput(f"has no column `{name[:80]}`.", f"It has: {shown}.", file=self.opened.name)
        others = [column for column in columns if column != self.output and column not in (self.inputs or [])]
        guess = guess_columns(columns)
        inputs = self.inputs or (guess[0] if guess and guess[0] != [self.output] else others[:1])
        output = self.output or (guess[1] if guess and guess[1] not in inputs else None)
        output = output or (others[0] if len(others) == 1 else None)
        if not inputs or not output:
            missing = "output" if inputs else "input"
            raise BadInput(f"needs an {missing} column too.", f"It has: {shown}.", file=self.opened.name)
        self.inputs, self.output = inputs, output
        return mapped(format_name, inputs, output)

    def _rows(self, items: Iterator[Record | BadLine], chosen: Shape | None, format_name: str) -> Iterator[Row]:
        for item in items:
            if isinstance(item, BadLine):
                self.bad.append(item)
                continue
            shape = chosen or self._shape(item.fields)
            if shape is None:
                names = ", ".join(item.fields)[:80] or "nothing"
                self.bad.append(BadLine(item.line, f"has the fields {names}, which is {_NO_FORMAT}"))
                continue
            try:
                turns = shape.turns(item.fields)
            except NotThisShape as error:
                self.bad.append(BadLine(item.line, str(error)))
                continue
            self.formats[shape.format] += 1
            if self.system_prompt and not any(turn.role == "system" for turn in turns):
                turns = (Message("system", self.system_prompt), *turns)
            if self.opened.lossy and any(_DAMAGED in turn.content for turn in turns):
                self.damaged.append(item.line)
            yield Row(turns, item.line, _extra(item.fields, shape.used))

    def _shape(self, fields: Mapping[str, Any]) -> Shape | None:
        keys = tuple(fields)
        if keys not in self.shapes:
            if len(self.shapes) > 1000:  # every record with keys of its own: nothing to remember
                return shape_of(fields)
            self.shapes[keys] = shape_of(fields)
        return self.shapes[keys]

    def _dataset(
        self, format_name: str, rows: list[Row], columns: tuple[str, ...], where: str | None, notes: list[Finding]
    ) -> Dataset:
        findings = [*notes]
        if format_name == "unknown" and not notes:
            why = self.bad[0].why if self.bad and not rows else ""
            findings.append(_unknown_columns(columns, "" if why.endswith(_NO_FORMAT) else why))
        elif self.bad:
            findings.insert(0, self._bad_lines(len(rows)))
        findings.extend(self._encoding())
        inputs, output = tuple(self.inputs or ()), self.output
        if format_name in ("csv", "tsv") and not output:
            guess = guess_columns(columns)
            inputs, output = (tuple(guess[0]), guess[1]) if guess else ((), None)
        return Dataset(
            path=self.opened.path,
            name=self.opened.name,
            sha256=self.opened.sha256,
            encoding=self.opened.encoding,
            format=format_name,
            rows=tuple(rows),
            columns=columns,
            inputs=inputs,
            output=output,
            records=where,
            findings=tuple(findings),
        )

    def _bad_lines(self, good: int) -> Finding:
        first = self.bad[0]
        kept = f" The other {plural(good, 'row')} {'is' if good == 1 else 'are'} kept." if good else " No row is left."
        return finding(
            "bad_line",
            "error",
            (item.line for item in self.bad),
            f"{plural(len(self.bad), 'line')} could not be read: line {first.line} {first.why}.{kept}",
            "Mend these lines, or leave them out.",
        )

    def _encoding(self) -> Iterator[Finding]:
        if self.opened.lossy:
            yield finding(
                "encoding",
                "warning",
                self.damaged,
                f"{plural(len(self.damaged), 'row')} hold bytes that are not {self.opened.encoding}; "
                "they read as \ufffd.",
                "Save the file as UTF-8 from the program that wrote it.",
            )
        elif self.opened.encoding not in ("utf-8", "utf-8-sig"):
            yield finding(
                "encoding",
                "note",
                [],
                f"The file is not UTF-8; it was read as {self.opened.encoding}.",
                "Look at some rows with accents. If they are wrong, save the file as UTF-8.",
                count=1,
            )


def _below(name: str, column: str) -> bool:
    """`turns.0.value` is a path below the column `turns`."""
    return name.startswith(f"{column}.")


def _extra(fields: Mapping[str, Any], used: frozenset[str]) -> Mapping[str, Any]:
    rest = {
        key: value
        for key, value in fields.items()
        if key not in used and (isinstance(value, (str, int, float)) or key == "tools")
    }
    return rest or NOTHING


def _not_json_lines() -> Finding:
    return finding(
        "unknown_format",
        "warning",
        [],
        "The name says JSON Lines, but the file is one JSON document. It was read as that.",
        "Hosts refuse such a file: upload the cleaned copy there, or name it .json.",
        count=1,
    )


def _unknown_columns(columns: tuple[str, ...], why: str = "") -> Finding:
    shown = ", ".join(columns[:30]) or "none"
    return finding(
        "unknown_format",
        "error",
        [],
        f"No row is of a known format: the first one {why}." if why else f"The columns are not known: {shown}.",
        "Give one example a row, with an input and an answer."
        if why
        else "Choose which of them are the input and which one is the output.",
        count=1,
    )
