"""A plan gets rows back that were taken in earlier: the same reference as on the first day."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInput
from dataset.kept import Label, data_ref, label_of, manifest_of, read_original, write_label
from dataset.prepare import adopt
from dataset.read import read

DAY = date(2026, 11, 24)
CHATS = "".join(
    json.dumps({"messages": [{"role": "user", "content": f"move {n * 37}"}, {"role": "assistant", "content": f"m{n}"}]})
    + "\n"
    for n in range(30)
).encode()
TABLE = "\n".join(["question,answer,code", *(f"move {37 * n},done {n * n},x{n}" for n in range(30))]).encode()
INSTRUCTIONS = json.dumps(
    [{"instruction": "Sort it", "input": f"parcel {n * 31}", "output": f"shelf {n}"} for n in range(30)]
).encode()


@pytest.mark.parametrize(
    ("content", "name", "more"),
    [
        (CHATS, "chats.jsonl", {}),
        (CHATS, "A name without an ending", {}),
        (CHATS + b'{"messages": [\n', "broken line.jsonl", {}),
        (TABLE, "rows.csv", {}),
        (TABLE, "rows.csv", {"inputs": ["answer"], "output": "code", "system_prompt": "Be brief."}),
        (TABLE, "rows.csv", {"template": "Do this: {question} ({code})", "output": "answer"}),
        (INSTRUCTIONS, "list.json", {}),
        (CHATS, "chats.jsonl", {"test": (TABLE, "held out.csv")}),
        (CHATS, "chats.jsonl", {"validation": (CHATS, "steer.jsonl")}),
    ],
)
def test_the_reference_is_made_anew_as_it_was(content: bytes, name: str, more: dict[str, Any]) -> None:
    first = adopt(content, name, today=DAY, **more)
    assert data_ref(Path(first.train).parent, today=DAY) == first


def test_rows_with_a_prompt_over_columns_are_read_as_they_were() -> None:
    first = adopt(TABLE, "rows.csv", template="Do this: {question} ({code})", output="answer", today=DAY)
    folder = Path(first.train).parent
    manifest = manifest_of(folder)
    assert manifest is not None and manifest.template == "Do this: {question} ({code})"
    original = read_original(folder, "original", manifest)
    assert original is not None
    asked = [row.user_text for row in original.rows]
    assert asked[:2] == ["Do this: move 0 (x0)", "Do this: move 37 (x1)"]
    in_parts = [row.user_text for part in (first.train, first.validation, first.test) for row in read(Path(part)).rows]
    assert sorted(in_parts) == sorted(asked)
    assert read_original(folder, "test_original", manifest) is None


def test_a_new_name_is_in_the_new_reference() -> None:
    folder = Path(adopt(CHATS, "chats.jsonl", today=DAY).train).parent
    write_label(folder, Label(name="Moves"))
    assert data_ref(folder, today=DAY).name == "Moves"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": 3}'])
def test_a_broken_label_is_no_label(tmp_path: Path, text: str) -> None:
    (tmp_path / "label.json").write_text(text)
    assert label_of(tmp_path) == Label()


@pytest.mark.parametrize("gone", ["train.jsonl", "original.jsonl", "manifest.json"])
def test_a_set_that_is_not_whole_is_refused_in_words(gone: str) -> None:
    folder = Path(adopt(CHATS, "chats.jsonl", today=DAY).train).parent
    (folder / gone).unlink()
    with pytest.raises(BadInput, match=r"not whole|lost its original") as told:
        data_ref(folder, today=DAY)
    assert "Delete it" in told.value.hint
