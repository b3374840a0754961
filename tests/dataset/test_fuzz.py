"""Whatever the bytes and whatever the name: findings or one error of ours."""

from __future__ import annotations

import gzip
import io
import json
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.errors import BadInput, TuneworthyError
from dataset.binary_rows import write_rows
from dataset.check import check
from dataset.read import read
from dataset.spreadsheet import safe_cell
from dataset.write import write_chat

NAMES = st.sampled_from(
    ["a.jsonl", "a.json", "a.csv", "a.tsv", "a.txt", "a", "a.parquet", "a.xlsx", "a.gz", "a.csv.gz", "a.zip"]
)
MAGIC = st.sampled_from([b"", b"", b"\x1f\x8b\x08\x00", b"PK\x03\x04", b"PK\x05\x06", b"PK\x05\x06" + bytes(18)])
SETTINGS = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
KEYS = st.sampled_from(
    [
        *("messages", "role", "content", "from", "value", "text", "label", "prompt", "completion", "conversations"),
        *("weight", "chosen", "rejected", "input", "preferred_output", "non_preferred_output", "tool_calls", "tools"),
        *("function", "arguments", "type", "image_url", "refusal", "system", "instruction", "output"),
    ]
)
ROLES = st.sampled_from(["system", "user", "assistant", "tool", "developer", "human", "gpt"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=4)
)


DAMAGE = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6)
"""(where, as a share of the length; the byte that is put there)."""


def damaged(content: bytes, damage: list[tuple[float, int]]) -> bytes:
    changed = bytearray(content)
    for share, byte in damage:
        if changed:
            changed[int(share * len(changed))] = byte
    return bytes(changed)


def zipped(name: str, content: bytes, *, stored: bool) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


@cache
def parquet(seed: int) -> bytes:
    import pyarrow as arrow
    from pyarrow import parquet as files

    columns = {"text": ["Where is it?", None] * 20, "label": [1, 2] * 20, "turns": [[{"role": "user"}]] * 40}
    buffer = io.BytesIO()
    files.write_table(arrow.table(columns), buffer, compression=["none", "snappy", "zstd"][seed])
    return buffer.getvalue()


def read_check_write(folder: Path, name: str, content: bytes, **choice: object) -> None:
    path = folder / name
    path.write_bytes(content)
    try:
        data = read(path, **choice)  # type: ignore[arg-type]
    except TuneworthyError as error:
        assert str(error)
        return
    report = check(data, today=date(2026, 1, 1))
    assert report.model_dump_json()
    assert write_chat(data.rows, folder / "copy.jsonl") == len(data.rows)
    if data.rows and not any("\r" in m.role for row in data.rows for m in row.messages):
        again = read(folder / "copy.jsonl")
        assert [row.messages for row in again.rows] == [row.messages for row in data.rows]


@SETTINGS
@given(name=NAMES, magic=MAGIC, content=st.binary(max_size=400))
@example(name="a.csv", magic=b"", content=b'"')
@example(name="a.csv", magic=b"", content=b'text,label\n"\n"\n"')
@example(name="a.csv", magic=b"", content=b"\xff\xfea")
@example(name="a.jsonl", magic=b"", content=b"\xef\xbb\xbf{}")
@example(name="a.jsonl", magic=b"", content=b'{"prompt": "\\ud800", "completion": NaN}\n')
@example(name="a.json", magic=b"", content=b'{"a":' * 2000)
@example(name="a", magic=b"", content=b"\x00" * 400)
def test_any_bytes_end_in_findings_or_an_error_of_ours(tmp_path: Path, name: str, magic: bytes, content: bytes) -> None:
    read_check_write(tmp_path, name, magic + content)


@settings(SETTINGS, max_examples=50)
@given(name=NAMES, content=st.binary(max_size=300), pack=st.sampled_from(["gz", "zip", "stored"]), damage=DAMAGE)
def test_any_bytes_in_any_archive_end_in_findings_or_an_error_of_ours(
    tmp_path: Path, name: str, content: bytes, pack: str, damage: list[tuple[float, int]]
) -> None:
    packed = gzip.compress(content, mtime=0) if pack == "gz" else zipped(name, content, stored=pack == "stored")
    read_check_write(tmp_path, "a.csv", packed)
    read_check_write(tmp_path, "a.zip", damaged(packed, damage))


@SETTINGS
@given(damage=DAMAGE, seed=st.sampled_from([0, 1, 2]), end=st.floats(0, 1))
def test_a_damaged_parquet_file_ends_in_rows_or_an_error_of_ours(
    tmp_path: Path, damage: list[tuple[float, int]], seed: int, end: float
) -> None:
    content = damaged(parquet(seed), damage)
    (tmp_path / "a.parquet").write_bytes(content if end > 0.2 else content[: int(len(content) * end * 5)])
    with suppress(BadInput):  # without a process of its own, which would take a second each time
        write_rows("parquet", tmp_path / "a.parquet", tmp_path / "rows.jsonl", 1 << 20)


@pytest.mark.skipif(find_spec("python_calamine") is None, reason="the extra `data` is not installed")
@settings(SETTINGS, max_examples=8)
@given(part=st.integers(0, 4), damage=DAMAGE)
def test_a_damaged_workbook_ends_in_findings_or_an_error_of_ours(
    tmp_path: Path,
    workbook: Callable[[dict[str, dict[str, str | float]]], bytes],
    part: int,
    damage: list[tuple[float, int]],
) -> None:
    book = workbook({"Mail": {"A1": "text", "B1": "label", "A2": "Where is it?", "B2": 7.0}})
    with zipfile.ZipFile(io.BytesIO(book)) as whole, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as broken:
        for place, name in enumerate(whole.namelist()):
            broken.writestr(name, damaged(whole.read(name), damage) if place == part else whole.read(name))
    read_check_write(tmp_path, "a.xlsx", (tmp_path / "b.xlsx").read_bytes())


@SETTINGS
@given(name=NAMES, content=st.text(alphabet='a,";\t\n\r{}[]:|é\u2028\x00', max_size=200))
def test_any_punctuation_ends_in_findings_or_an_error_of_ours(tmp_path: Path, name: str, content: str) -> None:
    read_check_write(tmp_path, name, content.encode())


@SETTINGS
@example(values=[{"content": None, "role": ["\x7f", "\x7f" * 9]}], name="a.jsonl")
@given(values=st.lists(VALUES, min_size=1, max_size=4), name=st.sampled_from(["a.jsonl", "a.json"]))
def test_any_json_ends_in_findings_or_an_error_of_ours(tmp_path: Path, name: str, values: list[object]) -> None:
    read_check_write(tmp_path, name, "\n".join(json.dumps(value) for value in values).encode())
    read_check_write(tmp_path, name, json.dumps(values, indent=1).encode())


@settings(SETTINGS, max_examples=60)
@example(turns=[{"role": "system", "content": "a", "weight": False}], other=None)
@example(turns=[{"role": "tool", "content": "a", "weight": 0}], other=None)
@given(
    turns=st.lists(
        st.fixed_dictionaries(
            {"role": ROLES},
            optional={
                "content": VALUES | st.lists(VALUES, max_size=3),
                "tool_calls": VALUES | st.lists(VALUES, max_size=2),
                "function_call": VALUES,
                "weight": VALUES,
                "refusal": VALUES,
            },
        ),
        max_size=4,
    ),
    other=VALUES,
)
def test_any_turns_end_in_findings_or_an_error_of_ours(tmp_path: Path, turns: list[object], other: object) -> None:
    pair = {"input": {"messages": turns}, "preferred_output": turns[-1:], "non_preferred_output": other}
    for record in ({"messages": turns, "tools": other}, pair, {"prompt": other, "chosen": turns, "rejected": other}):
        read_check_write(tmp_path, "a.jsonl", (json.dumps(record) + "\n").encode() * 2)


@SETTINGS
@given(
    values=st.lists(VALUES, min_size=1, max_size=3), path=st.sampled_from(["text", "messages.0.content", "a..b", "."])
)
def test_any_choice_of_columns_ends_in_rows_or_an_error_of_ours(
    tmp_path: Path, values: list[object], path: str
) -> None:
    content = "\n".join(json.dumps(value) for value in values).encode()
    read_check_write(tmp_path, "a.jsonl", content, inputs=[path], output="label")
    read_check_write(tmp_path, "a.jsonl", content, records=path)
    read_check_write(tmp_path, "a.jsonl", content, template=f"<{{{path}}}>", output="label")


@pytest.mark.parametrize("content", [b"[" * 200_000, b'{"a":' * 200_000, b'"' * 200_000, b"a,b\n" + b'"\n' * 5000])
@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.txt"])
def test_bombs_do_not_go_off(tmp_path: Path, name: str, content: bytes) -> None:
    read_check_write(tmp_path, name, content)


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_a_line_of_100_megabytes_is_no_line_of_ours(tmp_path: Path, name: str) -> None:
    read_check_write(tmp_path, name, b'{"text": "' + bytes([120]) * (100 << 20))


def test_a_line_of_endlessly_many_small_values_is_not_parsed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    good = b'{"text": "Where is it?", "label": "delivery"}\n'
    path.write_bytes(good + b'{"messages": [' + b"{}," * 600_000 + b"{}]}\n" + good)
    data = read(path)
    assert [row.line for row in data.rows] == [1, 3]
    assert [(found.check, found.rows) for found in data.findings] == [("bad_line", [2])]
    assert "too many small values" in data.findings[0].message


def test_a_file_of_endlessly_many_rows_or_broken_lines_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dataset.read.MAX_ROWS", 50)
    path = tmp_path / "a.jsonl"
    good = '{"text": "Where is it?", "label": "delivery"}\n'
    path.write_text(good * 50)
    assert len(read(path).rows) == 50
    for lines in (good * 51, good + "x\n" * 50):
        path.write_text(lines)
        with pytest.raises(BadInput, match="more than 50 rows"):
            read(path)


def test_a_file_that_begins_with_endlessly_many_broken_lines_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    good = '{"text": "Where is it?", "label": "delivery"}\n'
    path.write_text("x\n" * 9_000 + good * 2)
    assert len(read(path).rows) == 2
    path.write_text("x\n" * 11_000 + good * 2)
    with pytest.raises(BadInput, match="is not JSON"):
        read(path)


@pytest.mark.parametrize("text", ["{{<|" * 25_000, "eyJ" * 30_000, "-" + "1" * 100_000 + "a", "\ufdfa" * 100_000])
def test_no_text_makes_a_check_slow_or_large(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.jsonl"
    row = {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": text}]}
    path.write_text(json.dumps(row) + "\n")
    started = time.process_time()
    check(read(path), today=date(2026, 1, 1))
    assert len(safe_cell(text)) <= len(text) + 1
    assert time.process_time() - started < 4, "a second or less where nobody else is at work"


@pytest.mark.parametrize("small", [b"{},", b"1.5,"])
def test_a_document_of_endlessly_many_small_values_is_not_parsed(tmp_path: Path, small: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"[" + small * 21_000_000 + b"1]")
    with pytest.raises(BadInput, match="too many small values"):
        read(path)
