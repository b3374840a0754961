"""The first look at a large file: which files get one, what it says, and that the whole result replaces it."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app_pages import data_first_look, data_picker
from app_pages.data_first_look import first_look, head_of
from core.store import open_store
from tests.pages.test_data import page, the_plan, upload

FIRST_LINES = 500
ROWS = 3 * FIRST_LINES


@pytest.fixture(autouse=True)
def _worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of some ten KiB counts as large."""
    monkeypatch.setattr(data_first_look, "WORTH_BYTES", 20_000)
    monkeypatch.setattr(data_first_look, "FIRST_LINES", FIRST_LINES)
    monkeypatch.setattr(data_first_look, "_PIECE_BYTES", 4_096)


def chats(count: int = ROWS) -> bytes:
    rows = [
        {"prompt": f"Guest {n * n}: wake me at {n * 37 % 997}", "completion": f"alarm {n * n}"} for n in range(count)
    ]
    rows[10] |= {"completion": " "}
    rows[-1] |= {"completion": " "}
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def test_the_first_rows_of_a_large_file_are_checked_and_the_others_counted_roughly() -> None:
    found = first_look(io.BytesIO(chats()), "rows.jsonl")
    assert found is not None and len(found.data.rows) == FIRST_LINES
    assert found.about_rows == pytest.approx(ROWS, rel=0.1)
    empty = next(one for one in found.findings if one.check == "empty_text")
    assert empty.rows == [11], "the last row of the file is for the whole read"


def test_an_upload_is_put_back_to_its_beginning_and_a_file_is_left_as_it_is(tmp_path: Path) -> None:
    source = io.BytesIO(chats())
    first_look(source, "rows.jsonl")
    assert source.tell() == 0 and not source.closed
    path = tmp_path / "rows.jsonl"
    path.write_bytes(chats())
    assert first_look(path, path.name) is not None and path.read_bytes() == chats()


def test_a_packed_file_is_looked_at_too() -> None:
    found = first_look(io.BytesIO(gzip.compress(chats())), "rows.jsonl.gz")
    assert found is not None and len(found.data.rows) == FIRST_LINES
    assert found.about_rows == pytest.approx(ROWS, rel=0.5)


def test_a_broken_archive_is_for_the_whole_read_to_refuse() -> None:
    assert head_of(io.BytesIO(b"\x1f\x8b" + bytes(range(256)) * 1000), "rows.jsonl.gz") is None


@pytest.mark.parametrize("name", ["rows.json", "rows.parquet", "rows.xlsx", "rows.zip", "rows"])
def test_what_is_not_read_by_lines_gets_none(name: str) -> None:
    assert head_of(io.BytesIO(chats()), name) is None


def test_a_document_under_a_jsonl_name_gets_none() -> None:
    rows = [json.loads(line) for line in chats().splitlines()]
    assert head_of(io.BytesIO(json.dumps(rows, indent=1).encode()), "rows.jsonl") is None
    assert head_of(io.BytesIO(json.dumps(rows).encode()), "rows.jsonl") is None


def test_a_small_file_gets_none() -> None:
    assert head_of(io.BytesIO(chats(200)), "rows.jsonl") is None


def test_a_wide_encoding_gets_none() -> None:
    assert head_of(io.BytesIO("question,answer\n".encode("utf-16") * 2_000), "rows.csv") is None


def test_a_table_is_not_cut_within_a_quoted_text() -> None:
    lines = ["question,answer", *(f'"first {n}\nsecond {n}\nthird {n}",done {n}' for n in range(ROWS))]
    found = first_look(io.BytesIO("\n".join(lines).encode()), "rows.csv")
    assert found is not None and "bad_line" not in {one.check for one in found.findings}
    assert found.data.rows[-1].user_text.count("\n") == 2
    assert found.about_rows == pytest.approx(ROWS, rel=0.1), "rows are counted, not lines"


def test_a_quotation_mark_that_is_never_closed_costs_no_rows() -> None:
    lines = ["question,answer", 'Where is "it?,there', *(f"move {n},done {n}" for n in range(ROWS))]
    head = head_of(io.BytesIO("\n".join(lines).encode()), "rows.csv")
    assert head is not None and head.lines == FIRST_LINES + 1


def test_the_beginning_says_nothing_about_classes_and_counts_of_the_whole() -> None:
    rows = [{"text": f"wish {n * n}", "label": "rare" if n == 7 else ("spa", "food")[n % 2]} for n in range(ROWS)]
    found = first_look(io.BytesIO("".join(json.dumps(row) + "\n" for row in rows).encode()), "rows.jsonl")
    assert found is not None and not {"rare_class", "class_imbalance"} & {one.check for one in found.findings}


def shown() -> None:
    import io

    from app_pages import data_first_look
    from tests.pages.test_data_first_look import chats

    found = data_first_look.first_look(io.BytesIO(chats()), "rows.jsonl")
    assert found is not None
    data_first_look.show(found)


def test_it_says_that_it_is_a_first_look() -> None:
    app = AppTest.from_function(shown, default_timeout=30).run()
    said = "\n".join(str(one.value) for one in (*app.markdown, *app.caption))
    assert not app.exception
    assert "First look: 500 of about 1,500 rows.** The whole file is being read." in said
    assert "**Empty text** (1)" in said and len(app.table[0].value) == data_first_look.ROWS_SHOWN


def test_the_page_shows_it_before_the_whole_is_read_and_not_after(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    take, show = data_picker.take, data_first_look.show

    def taking(*args: Any, **mapping: Any) -> None:
        order.append("whole")
        take(*args, **mapping)

    def showing(found: data_first_look.FirstLook) -> None:
        order.append("first")
        show(found)

    monkeypatch.setattr(data_picker, "take", taking)
    monkeypatch.setattr(data_first_look, "show", showing)
    app = upload(page(), "rows.jsonl", chats())
    assert not app.exception and not app.error and order == ["first", "whole"]
    assert not any("First look" in str(one.value) for one in app.markdown)
    data = the_plan().data
    assert data is not None and data.rows == ROWS


def test_what_cannot_be_used_leaves_no_first_look_behind() -> None:
    table = "wunsch,getan\n" + "\n".join(f"move {n},done {n * n}" for n in range(ROWS))
    app = upload(page(), "rows.csv", table.encode())
    assert not app.exception and open_store().plans() == []
    assert app.multiselect(key="data.inputs").options == ["wunsch", "getan"]
    assert not any("First look" in str(one.value) for one in app.markdown)
