"""Read a file of examples: whatever it is, rows and findings come out, or one clear error. Never a traceback.

What cannot be read is left out and reported by line; the file itself is never altered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from core.errors import BadInput
from dataset.collector_pause import paused_collector
from dataset.fields import column_names, dig
from dataset.finding import Finding
from dataset.json_records import json_lines, json_records, looks_like_json
from dataset.opening import MAX_BYTES, OpenedFile, open_text, sha256_of
from dataset.preference import FORMAT as PREFERENCE
from dataset.preference import REJECTED, is_preference, rejected_text
from dataset.prompt_template import PromptTemplate
from dataset.reading_findings import (
    bad_lines,
    beyond_text_findings,
    encoding_findings,
    not_json_lines,
    other_sheets,
    unknown_columns,
)
from dataset.records import BadLine, Record, first_records
from dataset.row import NOTHING, Extra, Message, Row
from dataset.shapes import Shape, choose, guess_columns, mapped, shape_of
from dataset.table_records import table_records
from dataset.token_tags import refuse_token_tags
from dataset.turns import NotThisShape, beyond_text
from dataset.understood import Dataset
from dataset.unpack import Inner, unpacked

__all__ = ["Dataset", "read"]

_JSON_SUFFIXES = {".json", ".jsonl", ".ndjson"}
_TABLES = ("csv", "tsv", "parquet", "xlsx")
_OF_TURNS = ("openai_chat", "sharegpt", PREFERENCE)
_TABLE_SUFFIXES = {".csv", ".tsv", ".tab"}
MAX_ROWS = 5_000_000
"""Rows and broken lines of one file: a row takes some 350 bytes of memory beside its text."""
_REMEMBERED = 1000
_NO_FORMAT = "no known format"
_DAMAGED = "\ufffd"


def read(
    path: Path,
    *,
    inputs: list[str] | None = None,
    output: str | None = None,
    records: str | None = None,
    system_prompt: str | None = None,
    template: str | None = None,
    max_bytes: int = MAX_BYTES,
    name: str | None = None,
) -> Dataset:
    """Read `path`, guessing format, encoding, delimiter and columns; `inputs`, `output` and `records` overrule.

    `template` is a prompt with columns in braces (`Sort: {subject}`), in place of `inputs`. `system_prompt` is put
    before rows that have none. A file that holds records of no known format comes back with no rows, its columns, and
    an `unknown_format` finding, so that somebody can choose the columns.
    Raises `NotFound`, or `BadInput` for a file that is empty, binary, above `max_bytes`, or lacks a chosen column.
    """
    path, shown = Path(path), name or str(path)
    filled = PromptTemplate.parse(template) if template else None
    if filled and inputs:
        raise BadInput("a prompt template names the input columns itself.", "Leave the input columns out.", file=shown)
    try:
        with paused_collector(), unpacked(path, shown, max_bytes) as inner:
            opened = open_text(inner.path, name=shown, max_bytes=max_bytes)
            found = _Reading(opened, inner, inputs, output, system_prompt, filled).read(records)
        return found if inner.path == path else replace(found, path=path, sha256=sha256_of(path))
    except RecursionError as error:
        raise BadInput("is nested too deeply.", "Write the rows flat.", file=shown) from error
    except OSError as error:
        raise BadInput(f"cannot be read ({error.strerror}).", "Check the disk.", file=shown) from error


@dataclass(slots=True)
class _Reading:
    """One pass over one file."""

    opened: OpenedFile
    inner: Inner
    inputs: list[str] | None
    output: str | None
    system_prompt: str | None
    template: PromptTemplate | None
    bad: list[BadLine] = field(default_factory=list)
    damaged: list[int] = field(default_factory=list)
    formats: Counter[str] = field(default_factory=Counter)
    shapes: dict[tuple[str, ...], Shape | None] = field(default_factory=dict)
    names: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    """Names of extra values, so that rows share them."""
    parts: Counter[int] = field(default_factory=Counter)
    """Pictures and files by line."""
    calls: Counter[int] = field(default_factory=Counter)
    """Tool calls by line."""
    pairs: list[BadLine] = field(default_factory=list)
    """Preference pairs, in case they stand among other rows."""

    def read(self, records: str | None) -> Dataset:
        notes = [other_sheets(self.inner.note)] if self.inner.note else []
        columns: tuple[str, ...] = ()
        format_name, where = "json", records
        if self.inner.table:
            items, format_name = json_lines(self.opened), self.inner.table
        elif records or self._is_json():
            found = json_records(self.opened, records)
            items, where = found.items, found.path or records
            if found.is_document and self.inner.suffix in (".jsonl", ".ndjson"):
                notes.append(not_json_lines())
        else:
            refuse_token_tags(self.opened)
            table = table_records(self.opened, self.inner.suffix)
            items, columns = table.items, table.columns
            format_name = "tsv" if table.delimiter == "\t" else "csv"
        head = list(first_records(items))
        columns = columns or column_names(item.fields for item in head if isinstance(item, Record))
        chosen = self._chosen(columns, format_name)
        is_table = format_name in ("csv", "tsv")
        if chosen is None and is_table and not guess_columns(columns) and not is_preference(dict.fromkeys(columns)):
            return self._dataset("unknown", [], columns, where, [unknown_columns(columns)])
        rows = list(self._rows(chain(head, items), chosen, format_name))
        if chosen is None:
            format_name = self._format(format_name)
            rows = self._without_stray_pairs(rows, format_name)
        return self._dataset(format_name, rows, columns, where, notes)

    def _format(self, read_as: str) -> str:
        """That of most rows; a table is called by its make, unless there are whole chats or pairs in it."""
        most = self.formats.most_common(1)[0][0] if self.formats else "unknown"
        return most if read_as == "json" or most in (*_OF_TURNS, "unknown") else read_as

    def _without_stray_pairs(self, rows: list[Row], format_name: str) -> list[Row]:
        """Pairs among other rows are left out: their preferred answers would be trained on without a word."""
        if not self.pairs or format_name == PREFERENCE:
            return rows
        self.bad = sorted([*self.bad, *self.pairs], key=lambda item: item.line)
        stray = {item.line for item in self.pairs}
        return [row for row in rows if row.line not in stray]

    def _is_json(self) -> bool:
        suffix = self.inner.suffix
        return suffix in _JSON_SUFFIXES or (suffix not in _TABLE_SUFFIXES and looks_like_json(self.opened))

    def _chosen(self, columns: tuple[str, ...], format_name: str) -> Shape | None:
        found = choose(columns, self.inputs, self.output, self.template, file=self.opened.name)
        if found is None:
            return None
        self.inputs, self.output = found
        return mapped(format_name, self.inputs, self.output, self.template)

    def _rows(self, items: Iterator[Record | BadLine], chosen: Shape | None, format_name: str) -> Iterator[Row]:
        for number, item in enumerate(items):
            if number >= MAX_ROWS:
                hint = "Take a sample: a few thousand good rows teach a tune nearly as much."
                raise BadInput(f"has more than {MAX_ROWS:,} rows.", hint, file=self.opened.name)
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
                if shape.chat:
                    self._count(item, shape.chat)
            except NotThisShape as error:
                self.bad.append(BadLine(item.line, str(error)))
                continue
            self.formats[shape.format] += 1
            if shape.format == PREFERENCE:
                self.pairs.append(BadLine(item.line, "holds a preference pair among rows that are none"))
            if self.system_prompt and not any(turn.role == "system" for turn in turns):
                turns = (Message("system", self.system_prompt), *turns)
            if self.opened.lossy and any(_DAMAGED in turn.content for turn in turns):
                self.damaged.append(item.line)
            yield Row(turns, item.line, self._extra(item.fields, shape))

    def _count(self, item: Record, where: str) -> None:
        parts, calls = beyond_text(dig(item.fields, where))
        if parts:
            self.parts[item.line] = parts
        if calls:
            self.calls[item.line] = calls

    def _extra(self, fields: Mapping[str, Any], shape: Shape) -> Mapping[str, Any]:
        rest = {
            key: value
            for key, value in fields.items()
            if key not in shape.used and isinstance(value, (str, int, float))
        }
        if shape.format == PREFERENCE:
            rest[REJECTED] = rejected_text(fields)
        if not rest:
            return NOTHING
        names = tuple(rest)
        if len(self.names) < _REMEMBERED:
            names = self.names.setdefault(names, names)
        return Extra(names, tuple(rest.values()))

    def _shape(self, fields: Mapping[str, Any]) -> Shape | None:
        keys = tuple(fields)
        if keys not in self.shapes:
            if len(self.shapes) > _REMEMBERED:  # every record with keys of its own: nothing to remember
                return shape_of(fields)
            self.shapes[keys] = shape_of(fields)
        return self.shapes[keys]

    def _dataset(
        self, format_name: str, rows: list[Row], columns: tuple[str, ...], where: str | None, notes: list[Finding]
    ) -> Dataset:
        findings = [*notes]
        if format_name == "unknown" and not notes:
            why = self.bad[0].why if self.bad and not rows else ""
            findings.append(unknown_columns(columns, "" if why.endswith(_NO_FORMAT) else why))
        elif self.bad:
            findings.insert(0, bad_lines(self.bad, len(rows)))
        findings.extend(encoding_findings(self.opened, self.damaged))
        findings.extend(beyond_text_findings(self.parts, self.calls))
        inputs, output = tuple(self.inputs or ()), self.output
        if format_name in _TABLES and not output:
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
