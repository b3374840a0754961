"""A small classifier stands in the tuned model's place: what it can be asked is asked, and the rest is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from commands.judged import print_report
from core.errors import NotFound
from core.home import new_id
from core.job import Outcome
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from evaluation.axes.question import Axis
from evaluation.gate import weigh
from evaluation.judged_classifier import WHY_NOT
from evaluation.report import EvaluationReport, read_report
from evaluation.run import run_evaluation
from serving.classic_classifier import save_classic
from training.classic import fit_classic

from .conftest import RuleModel, question

QUEUES = {"the room is locked": "rooms", "my bill is wrong": "fees", "two exams clash": "exams"}
Rule = Callable[[str, bool], str]


def rows(numbers: range) -> list[tuple[str, str]]:
    places = list(QUEUES)
    return [(f"Hello, {places[at % 3]} in MAT-{at} again, says Emma.", QUEUES[places[at % 3]]) for at in numbers]


def write(path: Path, pairs: list[tuple[str, str]]) -> str:
    path.write_text("".join(json.dumps({"prompt": text, "completion": label}) + "\n" for text, label in pairs))
    return str(path)


@pytest.fixture
def spec(tmp_path: Path) -> JobSpec:
    """A judgement of a classifier that an ended training has left, at the usual bar, of all axes."""
    train = RunFolder.create(new_id("job"), JobSpec(learner="classic"))
    fitted = fit_classic(*(list(part) for part in zip(*rows(range(100, 160)), strict=True)), seed=7)
    save_classic(train.classifier, fitted.card, fitted.weights)
    return JobSpec(
        kind="evaluate",
        job=train.job_id,
        device="cpu",
        look="quick",
        dataset=write(tmp_path / "train.jsonl", rows(range(100, 160))),
        test=write(tmp_path / "test.jsonl", rows(range(300, 345))),
    )


@pytest.fixture
def judge(open_rule: Any) -> Callable[[JobSpec, Rule], EvaluationReport]:
    def judged(spec: JobSpec, rule: Rule) -> EvaluationReport:
        folder = RunFolder.create(new_id("job"), spec)
        run_evaluation(spec, folder, lambda: False, open_rule(RuleModel(rule)))
        return read_report(folder.evaluation_file)

    return judged


def right(prompt: str, tuned: bool) -> str:
    assert not tuned, "the base has no adapter here"
    return next(label for text, label in QUEUES.items() if text in question(prompt))


def test_a_classifier_that_is_right_ships_without_the_axes_of_free_text(
    spec: JobSpec, judge: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    report = judge(spec, lambda prompt, tuned: "I am happy to help.")
    assert report.verdict == "ship" and report.reasons[0].startswith("A classifier does this (TF-IDF")
    assert report.classifier == "classic"
    assert list(report.models) == ["base", "best_prompt", "tuned"], "the same classifier stands in the table twice"
    assert report.models["tuned"]["task"].score == 1.0 and report.models["tuned"]["task"].low < 1.0
    assert set(report.not_applicable) == {"knowledge", "safety", "over_refusal", "bias"}
    assert set(report.axes) == {"new_inputs", "names"} and report.axes["new_inputs"].n
    assert report.models["tuned"]["new_inputs"].score > report.models["base"]["new_inputs"].score
    assert report.models["tuned"]["names"].n and report.axes["names"].kept is not None
    assert not any("Safety was not measured" in limit or "Forgetting" in limit for limit in report.limits)
    assert report.adapter is not None and report.adapter_sha256 and report.train_job == spec.job
    print_report(report)
    printed = " ".join(capsys.readouterr().out.split())
    assert "a small classifier: a thousand texts take" in printed
    assert "Not applicable, as it writes no text: knowledge, safety, over_refusal, bias." in printed


def test_its_labels_one_by_one_and_its_waiting_time_are_told(spec: JobSpec, judge: Any) -> None:
    report = judge(spec.model_copy(update={"axes": ["task"], "latency_ms": 5000}), right)
    confusion = report.details.confusion["tuned"]
    assert confusion.n == 45 and [score.support for score in confusion.labels] == [15, 15, 15]
    latency = report.latency["tuned"]
    assert latency.n >= 20 and latency.within is not None and latency.within.score == 1.0
    assert 0 < report.seconds_per_answer["tuned"] < 1 and "tuned" not in report.tokens
    assert report.not_applicable == {}, "nobody asked for those axes"


def test_a_prompt_that_is_as_good_does_not_stop_it_once_the_rows_show_that(
    spec: JobSpec, judge: Any, tmp_path: Path
) -> None:
    few = spec.model_copy(update={"axes": ["task"]})
    report = judge(few, right)
    assert report.verdict == "not_enough_evidence" and "45 rows it may still lose" in report.reasons[0]
    report = judge(few.model_copy(update={"test": write(tmp_path / "more.jsonl", rows(range(300, 420)))}), right)
    assert report.verdict == "ship" and "it loses at most" in report.reasons[0]


def test_it_can_be_judged_without_any_base(spec: JobSpec) -> None:
    folder = RunFolder.create(new_id("job"), spec)

    def never(*_: Any) -> Any:
        raise AssertionError("no base is needed")

    run_evaluation(spec.model_copy(update={"models": ["tuned"]}), folder, lambda: False, never)
    report = read_report(folder.evaluation_file)
    assert list(report.models) == ["tuned"] and report.verdict == "not_enough_evidence"
    assert report.models["tuned"]["new_inputs"].n and report.axes["new_inputs"].kept is None


def test_a_training_that_left_none_is_said_to(spec: JobSpec, judge: Any) -> None:
    empty = RunFolder.create(new_id("job"), JobSpec(learner="classic"))
    with pytest.raises(NotFound, match="no classifier"):
        judge(spec.model_copy(update={"job": empty.job_id}), right)


def test_a_folder_is_judged_as_a_job_is(spec: JobSpec, judge: Any) -> None:
    folder = RunFolder.of(spec.job or "").classifier
    report = judge(spec.model_copy(update={"job": None, "adapter": str(folder), "axes": ["task"]}), right)
    assert report.classifier == "classic" and report.adapter == str(folder)


def test_the_gate_does_not_wait_for_what_does_not_apply() -> None:
    asked: dict[Axis, Any] = {}
    medium = JobSpec(stakes="medium")
    assert weigh("ship", asked, medium, closed=True)[0] == "not_enough_evidence"
    assert weigh("ship", asked, medium, closed=True, without=WHY_NOT)[0] == "ship"
    verdict, reasons, _ = weigh("ship", asked, JobSpec(stakes="high"), closed=True, without=WHY_NOT)
    assert verdict == "not_enough_evidence" and "new inputs" in reasons[0] and "knowledge" not in reasons[0]


def test_an_outcome_names_the_classifier() -> None:
    told = {"state": "succeeded", "result": {"classifier": "runs/x/classifier"}, "at": "2026-11-25T12:00:00Z"}
    assert Outcome.model_validate(told).result.classifier == "runs/x/classifier"
