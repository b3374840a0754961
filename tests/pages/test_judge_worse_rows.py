"""Rows that got worse with the training rows nearest to them, and labels taken for each other, on the Judge page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app_pages.confusion_view import chart, confusion_of, in_sentences, judged_answers, short_label, table
from evaluation.confusion import confusion
from evaluation.report import EvaluationReport, WorseRow
from evaluation.task_details import TaskDetails
from tests.pages.judgements import evaluated, opened, report_of, text

RIGHT = {"base": [0.0] * 40, "tuned": [1.0] * 38 + [0.0] * 2}


@pytest.fixture
def training(tmp_path: Path) -> str:
    pairs = [("The room is locked.", "rooms"), ("My bill is wrong.", "fees"), ("Two exams clash.", "exams"), ("", "x")]
    path = tmp_path / "train.jsonl"
    turns = [[{"role": "user", "content": asked}, {"role": "assistant", "content": said}] for asked, said in pairs]
    path.write_text("\n".join(json.dumps({"messages": each}) for each in turns) + "\n")
    return str(path)


def labelled(wrong: str = "fees") -> EvaluationReport:
    report = report_of(RIGHT)
    labels = ["rooms", "fees"]
    answers = [
        answer.model_copy(
            update={
                "expected": labels[at % 2],
                "answers": {"base": "hm", "tuned": labels[at % 2] if answer.scores["tuned"] else wrong},
                "in_training": at == 0,
            }
        )
        for at, answer in enumerate(report.answers)
    ]
    worse = [WorseRow(line=39, input="The rooms are locked!", expected="rooms", tuned=wrong, base="rooms")]
    return report.model_copy(update={"answers": answers, "worse_rows": worse})


def test_the_page_shows_the_nearest_training_rows_when_it_is_asked_to(training: str) -> None:
    evaluated(labelled(), dataset=training)
    app = opened()
    assert not any("Training row" in table.value for table in app.table)
    app.toggle(key="judge.worse.nearest").set_value(True).run()
    assert not app.exception
    nearest = next(table.value for table in app.table if "Training row" in table.value)
    assert nearest["Training row"][0].startswith("Line 1, 0.") and nearest["Taught answer"][0] == "rooms"


def test_training_rows_that_are_gone_are_a_message() -> None:
    evaluated(labelled(), dataset="/nowhere/train.jsonl")
    app = opened()
    app.toggle(key="judge.worse.nearest").set_value(True).run()
    assert not app.exception and any("nowhere" in info.value for info in app.info)


def test_a_label_task_shows_which_label_is_taken_for_which() -> None:
    evaluated(labelled())
    app = opened()
    assert not app.exception
    assert "Most often `rooms` is taken for `fees`\\: 1 of its 19 rows." in text(app)
    labels = next(table.value for table in app.table if "Right when said" in table.value)
    assert labels["Label"].to_list() == ["fees", "rooms"] and labels["Rows"].to_list() == ["20", "19"]


def test_answers_that_are_no_label_have_a_column_of_their_own() -> None:
    answers = judged_answers(labelled(wrong="no idea"))
    found = confusion([each.expected for each in answers], [each.answers["tuned"] for each in answers])
    heatmap = chart(found).data[0]
    assert list(heatmap.x) == ["fees", "rooms", "(no label)"] and [list(row)[2] for row in heatmap.z] == [1, 1]
    assert "rooms answered with no label on 1" in in_sentences(found)
    assert [row["Found"].replace("\u00a0", " ")[:4] for row in table(found)] == ["95 %", "95 %"]


def test_a_task_without_labels_has_no_matrix() -> None:
    free = labelled().model_copy(update={"metric": "token_f1"})
    evaluated(free)
    assert "Which label is taken for which" not in text(opened())


def test_long_labels_are_cut_and_stay_apart() -> None:
    one, two = (short_label(f"a rather long label {n}", n) for n in (0, 1))
    assert one != two and len(one) <= 16
    assert short_label("<b>", 0) == "&lt;b&gt;"


def test_the_matrix_that_the_judge_wrote_down_is_the_one_that_is_shown() -> None:
    report = labelled()
    written = confusion(["rooms", "fees"], ["rooms", "rooms"], ["rooms", "fees", "exams"])
    details = TaskDetails(confusion={"tuned": written})
    assert confusion_of(report.model_copy(update={"details": details}), "tuned") == written
    assert confusion_of(report, "base").accuracy.score == 0
