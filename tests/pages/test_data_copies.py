"""Parts of our copies: chosen rows, answers alone, and what large data spares."""

from __future__ import annotations

from pathlib import Path

import pytest

from app_pages import data_classes, data_map, data_rows
from app_pages.data_copies import answers_of, rows_at
from core.errors import BadInput, NotFound
from dataset.prepare import adopt
from dataset.row import Message, Row
from dataset.write import write_chat
from tests.pages.test_data import chats


def row(number: int, answer: str = "") -> Row:
    return Row((Message("user", f"wish\u2028{number}"), Message("assistant", answer or f"done {number}")), number)


@pytest.fixture
def copy(tmp_path: Path) -> str:
    write_chat([row(number) for number in range(1, 41)], tmp_path / "train.jsonl")
    return str(tmp_path / "train.jsonl")


def test_chosen_rows_come_with_their_places(copy: str) -> None:
    assert rows_at(copy, [31, 3, 99]) == (row(3), row(31))
    assert rows_at(copy, range(39, 50)) == (row(39), row(40))
    assert rows_at(copy, []) == () == rows_at(copy, [41])


def test_a_copy_that_has_changed_is_read_anew(copy: str) -> None:
    assert rows_at(copy, [2]) == (row(2),)
    write_chat([row(1), row(2, "otherwise")], Path(copy))
    assert rows_at(copy, [2]) == (row(2, "otherwise"),)


def test_answers_come_without_the_rest(copy: str) -> None:
    assert list(answers_of(copy)) == [f"done {number}" for number in range(1, 41)]


def test_what_is_gone_or_altered_is_said(copy: str, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        rows_at(str(tmp_path / "none.jsonl"), [1])
    with pytest.raises(BadInput, match="gone or was altered"):
        list(answers_of(str(tmp_path / "none.jsonl")))
    Path(copy).write_text("[1, 2]\n")
    with pytest.raises(BadInput, match="gone or was altered"):
        list(answers_of(copy))


def test_the_classes_are_those_of_the_rows_in_each_part(tmp_path: Path) -> None:
    parts = {"train": "aaabbb", "validation": "ab", "test": "bb"}
    paths = []
    for part, labels in parts.items():
        paths.append(str(tmp_path / f"{part}.jsonl"))
        write_chat([row(number, label) for number, label in enumerate(labels, 1)], Path(paths[-1]))
    counts = data_classes._counts(tuple(paths), (1,))
    assert {label: dict(of) for label, of in counts.items()} == {
        "a": {"train": 3, "validation": 1},
        "b": {"train": 3, "validation": 1, "test": 2},
    }


def test_of_many_texts_only_the_first_are_looked_at_for_classes(
    copy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_rows, "MEASURED_ROWS", 20)
    assert data_classes._counts((copy, str(tmp_path / "never read"), ""), (2,)) == {}


def test_the_table_reads_its_hundred_rows_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    data = adopt(chats(300), "rows.jsonl")
    monkeypatch.setattr(data_rows, "rows_of", lambda _path: pytest.fail("the whole part was read"))
    seen: list[int] = []
    monkeypatch.setattr(data_rows, "_show", lambda cells: seen.append(len(cells)))
    data_rows.table(data)
    data_rows.lengths(data, None)
    assert seen == [data_rows.FIRST_ROWS]


def test_of_many_rows_a_sample_is_mapped_the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    data = adopt(chats(120), "rows.jsonl")
    every = data_map.sample(data)
    monkeypatch.setattr(data_map, "MOST_POINTS", 30)
    drawn = data_map.sample(data)
    assert len(every) == data.train_rows and len(drawn) == 30 and drawn == data_map.sample(data)
    assert set(drawn) < set(every) and drawn != every[:30]
