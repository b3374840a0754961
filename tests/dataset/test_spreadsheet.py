from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from dataset.read import read
from dataset.row import Message, Row
from dataset.spreadsheet import safe_cell
from dataset.write import write_chat

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
CELLS = some.text(alphabet=some.sampled_from("=+-@\t\r\n ＝0123456789.,eE%'\"aZ(!|\u2028")) | some.text()  # noqa: RUF001


def is_number(text: str) -> bool:
    bare = text.strip(" ").removesuffix("%").replace(",", "").replace(".", "")
    try:
        float(bare)
    except ValueError:
        return False
    return bare.isascii() and "_" not in bare and not bare.strip("+-").lower().startswith(("inf", "nan"))


def as_read_again(cell: str) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerow(["before", cell, "after"])
    (row,) = csv.reader(io.StringIO(out.getvalue(), newline=""))
    return row[1]


@settings(max_examples=300, deadline=None)
@given(cell=CELLS)
@example(cell="=1+1")
@example(cell=" =1+1")
@example(cell="-3.5")
@example(cell="-1e5%")
@example(cell="+")
@example(cell="-2+3+cmd|' /C calc'!A0")
def test_no_cell_of_a_table_can_start_a_formula_and_none_loses_a_character(cell: str) -> None:
    safe = as_read_again(safe_cell(cell))
    assert safe in (cell, f"'{cell}")
    assert is_number(safe) or not (safe.lstrip().startswith(FORMULAS) or safe.startswith(FORMULAS))
    assert safe_cell(safe) == safe


@pytest.mark.parametrize("number", ["-3.5", "+4", "-0,5", "-1,234.50", "12", "-2e-5", "-7%", ""])
def test_numbers_stay_numbers(number: str) -> None:
    assert safe_cell(number) == number


@pytest.mark.parametrize("text", ["=1", "+A1", "-A1", "@sum", "\tx", "\rx", "- a list", "-3-4", "+44 20 7946"])
def test_what_a_spreadsheet_would_run_or_work_out_is_made_text(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


def test_rows_that_are_trained_on_keep_every_character(tmp_path: Path) -> None:
    row = Row((Message("user", "=1+1"), Message("assistant", "\t@sum")), 1)
    write_chat([row], tmp_path / "rows.jsonl")
    assert read(tmp_path / "rows.jsonl").rows[0].messages == row.messages
