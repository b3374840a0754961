"""Parquet and Excel read like a table; what is made to hurt ends the process that reads it, and no other."""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInput
from dataset import binary_tables
from dataset.read import read

Write = Callable[[str, str | bytes], Path]
Workbook = Callable[[dict[str, dict[str, str | float]]], bytes]
CHAT = {"messages": [{"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": "delivery"}]}
calamine = pytest.mark.skipif(find_spec("python_calamine") is None, reason="the extra `data` is not installed")


def parquet(columns: dict[str, Any]) -> bytes:
    import pyarrow as arrow
    from pyarrow import parquet as files

    buffer = io.BytesIO()
    files.write_table(arrow.table(columns), buffer)
    return buffer.getvalue()


def test_a_parquet_table_is_read_like_a_csv(write: Write) -> None:
    columns = {"text": ["Where is it?", "It broke", None], "label": [1, 2, 3], "customer": ["a", "b", "c"]}
    data = read(write("a.parquet", parquet(columns)))
    assert (data.format, data.inputs, data.output) == ("parquet", ("text",), "label")
    assert data.columns == ("text", "label", "customer")
    assert [(row.line, row.user_text, row.answer) for row in data.rows] == [
        (1, "Where is it?", "1"),
        (2, "It broke", "2"),
        (3, "", "3"),
    ]
    assert data.rows[1].extra == {"customer": "b"}


def test_columns_of_a_parquet_table_can_be_chosen(write: Write) -> None:
    day = datetime.date(2026, 3, 1)
    columns = {"when": [day], "sum": [Decimal("1.50")], "raw": [b"\xff\xfe"], "flag": [True], "n": [1.5]}
    path = write("a.parquet", parquet(columns))
    assert read(path).findings[0].check == "unknown_format"
    row = read(path, inputs=["when", "sum", "raw"], output="flag").rows[0]
    assert (row.user_text, row.answer) == ("2026-03-01\n1.50\n[2 bytes]", "true")


def test_chats_in_a_parquet_file_are_chats(write: Write) -> None:
    data = read(write("a.parquet", parquet({"messages": [CHAT["messages"]] * 3, "id": [1, 2, 3]})))
    assert data.format == "openai_chat"
    assert (data.rows[2].user_text, data.rows[2].answer, data.rows[2].line) == ("Where is it?", "delivery", 3)


@calamine
def test_a_workbook_is_read_by_its_first_sheet_with_rows(write: Write, workbook: Workbook) -> None:
    cover, empty = {"A1": "About"}, {}
    mail = {"B3": "text", "C3": "label", "B4": "Where is it?", "C4": 7.0, "B7": "It broke", "C7": 1.5}
    data = read(write("a.xlsx", workbook({"Cover": cover, "Mail": mail, "Empty": empty})))
    assert (data.format, data.inputs, data.output) == ("xlsx", ("text",), "label")
    assert [(row.line, row.user_text, row.answer) for row in data.rows] == [
        (4, "Where is it?", "7"),
        (7, "It broke", "1.5"),
    ]
    assert "2 more sheets; `Mail` was read" in data.findings[0].message


@calamine
def test_one_cell_in_the_last_corner_does_not_take_the_memory(write: Write, workbook: Workbook) -> None:
    book = workbook({"Mail": {"A1": "text", "B1": "label", "XFD1048576": "x"}})
    with pytest.raises(BadInput, match="takes too much memory"):
        read(write("a.xlsx", book))


def test_a_parquet_page_that_swells_does_not_take_the_memory(write: Write) -> None:
    import pyarrow as arrow

    long = arrow.DictionaryArray.from_arrays(arrow.array([0] * 20_000, arrow.int32()), ["x" * (4 << 20)])
    content = parquet({"text": long, "label": ["y"] * 20_000})
    assert len(content) < 1 << 20, "80 GB of text in a small file"
    with pytest.raises(BadInput, match=r"too much memory|more text than"):
        read(write("a.parquet", content))


def test_a_missing_package_is_named_with_the_command(
    write: Write, workbook: Workbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binary_tables, "find_spec", lambda _: None)
    with pytest.raises(BadInput, match="`pip install python-calamine`"):
        read(write("a.xlsx", workbook({"Mail": {"A1": "text"}})))


def test_a_reader_that_never_ends_is_ended(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary_tables, "MAX_SECONDS", 0.01)
    with pytest.raises(BadInput, match="seconds to read"):
        read(write("a.parquet", parquet({"text": ["a"], "label": ["b"]})))
