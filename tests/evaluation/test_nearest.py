"""The training rows nearest to a held-out row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import NotFound, Refused
from core.jobspec import JobSpec
from dataset.row import Message, Row
from evaluation.nearest import MOST_ROWS, nearest, nearest_of_job

PAIRS = [("The room is locked.", "rooms"), ("My bill is wrong.", "fees"), ("Two exams clash.", "exams"), ("", "x")]


@pytest.fixture
def training(tmp_path: Path) -> str:
    path = tmp_path / "train.jsonl"
    turns = [[{"role": "user", "content": asked}, {"role": "assistant", "content": said}] for asked, said in PAIRS]
    path.write_text("\n".join(json.dumps({"messages": each}) for each in turns) + "\n")
    return str(path)


def test_the_nearest_training_row_is_the_one_that_says_the_same(training: str) -> None:
    found = nearest_of_job(JobSpec(dataset=training), ["The rooms are locked!", "xyz"])
    first = found["The rooms are locked!"][0]
    assert (first.line, first.answer) == (1, "rooms") and 0.2 < first.alike < 1
    assert found["xyz"] == [], "what is like nothing has no nearest row"
    same = nearest_of_job(JobSpec(dataset=training), ["Two exams clash."])["Two exams clash."][0]
    assert same.alike == pytest.approx(1.0, abs=1e-5)


def test_a_row_that_teaches_no_answer_is_not_near() -> None:
    rows = [
        Row(line=at, messages=(Message("user", "The room is locked."), Message("assistant", answer)))
        for at, answer in enumerate(["", "rooms"], 1)
    ]
    assert [[each.line for each in found] for found in nearest(rows, ["The room is locked."])] == [[2]]
    assert nearest([], ["a"]) == [[]] and nearest(rows, []) == []


def test_at_most_fifty_rows_are_looked_up(training: str) -> None:
    assert len(nearest_of_job(JobSpec(dataset=training), [f"room {n}" for n in range(80)])) == MOST_ROWS == 50


def test_without_the_rows_that_were_trained_on_nothing_is_called_near(training: str, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        nearest_of_job(JobSpec(), ["a"])
    with pytest.raises(NotFound):
        nearest_of_job(JobSpec(dataset=str(tmp_path / "gone.jsonl")), ["a"])
    with pytest.raises(Refused):
        nearest_of_job(JobSpec(dataset=training, dataset_sha256="00" * 32), ["a"])
