"""Answers drawn for a person to label, the labels in their file, and how far a judge agrees with them."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise

import pytest

from core.errors import BadInput
from core.home import new_id
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from evaluation.agreement import cohens_kappa
from evaluation.blind_labels import draw, keep_label, labels_file, read_labels
from evaluation.person_agreement import with_person
from evaluation.report import AxisAnswer, AxisReport, EvaluationReport
from tests.pages.judgements import report_of


def judged(right: int, of: int = 100, safety: int = 0) -> EvaluationReport:
    """A report whose tuned model has `right` rows right, each with words of its own."""
    report = report_of({"base": [0.0] * of, "tuned": [1.0] * right + [0.0] * (of - right)})
    for row in report.answers:
        row.answers = {name: f"{name} on {row.line}" for name in row.answers}
    kinds = ("refused", "answered", "incoherent")
    answers = [
        AxisAnswer(
            id=f"unsafe-{n}", part="p", answers={"tuned": f"answer {n}"}, labels={"tuned": kinds[0 if n % 5 else n % 3]}
        )
        for n in range(safety)
    ]
    return report.model_copy(update={"axes": {"safety": AxisReport(words="w", n=safety, answers=answers)}})


@pytest.fixture
def folder() -> RunFolder:
    return RunFolder.create(new_id("job"), JobSpec(kind="evaluate"))


def test_the_same_thirty_are_drawn_every_time_and_others_by_another_seed() -> None:
    report = judged(60)
    drawn = draw(report, "task")
    assert drawn == draw(report, "task") and len({answer.key for answer in drawn}) == 30
    other = draw(report.model_copy(update={"seed": 8}), "task")
    assert {answer.key for answer in other} != {answer.key for answer in drawn}


def test_rare_right_answers_are_drawn_as_often_as_wrong_ones() -> None:
    assert Counter(answer.judged for answer in draw(judged(20), "task")) == {"right": 15, "wrong": 15}
    assert Counter(answer.judged for answer in draw(judged(3), "task")) == {"right": 3, "wrong": 27}


def test_their_order_does_not_tell_the_labels() -> None:
    labels = [answer.judged for answer in draw(judged(60), "task")]
    turns = sum(one != other for one, other in pairwise(labels))
    assert 5 <= turns <= 24, "neither all of one kind first nor one after the other"


def test_rows_that_stand_in_training_and_answers_given_twice_are_not_asked_again() -> None:
    report = report_of({"base": [0.0] * 8, "tuned": [1.0] * 4 + [0.0] * 4})
    report.answers[0].in_training = True
    drawn = draw(report, "task")
    assert Counter(answer.line for answer in drawn) == {2: 2, 3: 2, 4: 2, 5: 1, 6: 1, 7: 1, 8: 1}


def test_of_the_safety_axes_all_kinds_are_drawn_and_no_question_is_kept() -> None:
    drawn = draw(judged(1, safety=60), "safety")
    assert len(drawn) == 30 and {answer.judged for answer in drawn} == {"refused", "answered", "incoherent"}
    assert all(answer.asked == answer.expected == "" for answer in drawn)
    assert draw(judged(1), "safety") == []


def test_labels_are_kept_at_once_in_their_order_and_can_be_taken_back(folder: RunFolder) -> None:
    first, second, third = (answer.key for answer in draw(judged(60), "task")[:3])
    assert read_labels(folder) == {}
    keep_label(folder, first, "right")
    keep_label(folder, second, "wrong")
    assert list(keep_label(folder, third, "skipped")) == [first, second, third]
    assert keep_label(folder, third, None) == read_labels(folder) == {first: "right", second: "wrong"}
    assert json.loads(labels_file(folder).read_text())["labels"][second] == "wrong"


def test_a_label_that_does_not_exist_and_a_file_that_is_not_ours_are_said(folder: RunFolder) -> None:
    with pytest.raises(BadInput, match="no label `refused`"):
        keep_label(folder, "task-1", "refused")
    labels_file(folder).write_text("[1]")
    with pytest.raises(BadInput, match="no labels"):
        keep_label(folder, "task-1", "right")
    assert labels_file(folder).read_text() == "[1]", "what somebody else wrote is left alone"


def test_labels_stay_true_when_the_job_is_judged_again(folder: RunFolder) -> None:
    before, after = judged(60), judged(61)
    for answer in draw(before, "task"):
        keep_label(folder, answer.key, "right")
    known = {answer.answer for answer in draw(before, "task")}
    labels = read_labels(folder)
    assert all((answer.key in labels) == (answer.answer in known) for answer in draw(after, "task", n=200))


def test_a_judge_who_differs_on_three_of_thirty_can_be_trusted() -> None:
    person = ["right"] * 17 + ["wrong"] * 13
    judge = ["right"] * 15 + ["wrong"] * 14 + ["right"]
    found = with_person(person, judge)
    assert found is not None and found.found.kappa == cohens_kappa(judge, person)
    assert found.sentence.startswith("agrees with you on 27 of 30 (74 % to 97 %); kappa 0.80 (")
    assert found.sentence.endswith(": good enough to trust")
    assert found.low is not None and found.high is not None and 0.4 < found.low < 0.8 < found.high <= 1


def test_a_judge_who_says_one_thing_always_is_not_trusted_however_often_it_agrees() -> None:
    found = with_person(["wrong"] * 27 + ["right"] * 3, ["wrong"] * 30)
    assert found is not None and found.found.kappa == 0 and "27 of 30" in found.sentence
    assert found.advice.startswith("do not rely on it")


def test_what_cannot_be_told_is_said() -> None:
    assert with_person([], []) is None
    few = with_person(["right", "wrong"] * 5, ["right", "wrong"] * 5)
    assert few is not None and few.found.kappa == 1 and few.advice.startswith("too few")
    one = with_person(["right"] * 30, ["right"] * 30)
    assert one is not None and one.found.kappa is None and "kappa not defined" in one.sentence
    fair = with_person(["right", "wrong"] * 15, ["right", "wrong"] * 11 + ["wrong", "right"] * 4)
    assert fair is not None and fair.advice.startswith("fair")
