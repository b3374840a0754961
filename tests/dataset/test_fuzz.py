"""Whatever the bytes and whatever the name: findings or one error of ours."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.errors import TuneworthyError
from dataset.check import check
from dataset.read import read
from dataset.write import write_chat

NAMES = st.sampled_from(["a.jsonl", "a.json", "a.csv", "a.tsv", "a.txt", "a"])
SETTINGS = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
KEYS = st.sampled_from(
    ["messages", "role", "content", "from", "value", "text", "label", "prompt", "completion", "conversations", "weight"]
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=4)
)


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
@given(name=NAMES, content=st.binary(max_size=400))
@example(name="a.csv", content=b'"')
@example(name="a.csv", content=b'text,label\n"\n"\n"')
@example(name="a.csv", content=b"\xff\xfea")
@example(name="a.jsonl", content=b"\xef\xbb\xbf{}")
@example(name="a.jsonl", content=b'{"prompt": "\\ud800", "completion": NaN}\n')
@example(name="a.json", content=b'{"a":' * 2000)
@example(name="a", content=b"\x00" * 400)
def test_any_bytes_end_in_findings_or_an_error_of_ours(tmp_path: Path, name: str, content: bytes) -> None:
    read_check_write(tmp_path, name, content)


@SETTINGS
@given(name=NAMES, content=st.text(alphabet='a,";\t\n\r{}[]:|é\u2028\x00', max_size=200))
def test_any_punctuation_ends_in_findings_or_an_error_of_ours(tmp_path: Path, name: str, content: str) -> None:
    read_check_write(tmp_path, name, content.encode())


@SETTINGS
@given(values=st.lists(VALUES, min_size=1, max_size=4), name=st.sampled_from(["a.jsonl", "a.json"]))
def test_any_json_ends_in_findings_or_an_error_of_ours(tmp_path: Path, name: str, values: list[object]) -> None:
    read_check_write(tmp_path, name, "\n".join(json.dumps(value) for value in values).encode())
    read_check_write(tmp_path, name, json.dumps(values, indent=1).encode())


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


@pytest.mark.parametrize("content", [b"[" * 200_000, b'{"a":' * 200_000, b'"' * 200_000, b"a,b\n" + b'"\n' * 5000])
@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.txt"])
def test_bombs_do_not_go_off(tmp_path: Path, name: str, content: bytes) -> None:
    read_check_write(tmp_path, name, content)
