"""What the report, the card and the memo say of a hosted judge, in one line."""

from __future__ import annotations

import pytest

from core.home import new_id
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from evaluation.blind_labels import GOAL, SKIPPED, draw, keep_label
from evaluation.llm_marks import LlmJudgement, LlmMarks, keep_marks
from evaluation.llm_trust import keep_trust, summarise
from evaluation.report import EvaluationReport, read_report
from tests.pages.judgements import report_of

SCORES = {"base": [0.0] * 40, "tuned": [1.0] * 36 + [0.0] * 4}
REPORT = report_of(SCORES)
AGREES = LlmJudgement(
    judge="large at judge.example",
    models={
        name: LlmMarks(marks={n + 1: 5 if right else 2 for n, right in enumerate(SCORES[name])}) for name in SCORES
    },
)


def labels_of(report: EvaluationReport, wrong_on: int = 0) -> dict[str, str]:
    """A person who says what the metric says, but for the first few."""
    other = {"right": "wrong", "wrong": "right"}
    drawn = draw(report, "task")
    return {each.key: other[each.judged] if at < wrong_on else each.judged for at, each in enumerate(drawn)}


def test_marks_are_held_against_the_metric_on_every_marked_answer() -> None:
    marks = AGREES.model_copy(update={"models": AGREES.models | {"base": LlmMarks(marks={1: 5, 2: 2, 3: None})}})
    found = summarise(REPORT, marks, {})
    assert found.n == 42 and found.with_metric is not None and found.with_metric.score == pytest.approx(41 / 42)
    assert found.kappa is None and found.labels == 0
    assert found.words.startswith(
        "The LLM judge large at judge.example marked 42 answers and says the same as the metric"
    )
    assert found.words.endswith("of them; how far it agrees with a person is not known.") and " % (" in found.words


def test_a_person_counts_once_all_thirty_are_labelled() -> None:
    labels = labels_of(REPORT, wrong_on=3)
    assert len(labels) == GOAL
    found = summarise(REPORT, AGREES, labels)
    assert found.labels == 30 and found.with_person is not None and found.with_person.score == 0.9
    assert found.kappa == pytest.approx(0.8, abs=0.01) and "the same as a person on 27 of 30; kappa 0.80" in found.words
    key = next(iter(labels))
    assert summarise(REPORT, AGREES, labels | {key: SKIPPED}).labels == 29
    assert summarise(REPORT, AGREES, {name: said for name, said in labels.items() if name != key}).kappa is None


def test_the_report_learns_of_the_last_label_and_forgets_it_when_it_is_taken_back() -> None:
    folder = RunFolder.create(new_id("job"), JobSpec(kind="evaluate"))
    REPORT.save(folder.evaluation_file)
    keep_trust(folder)
    assert read_report(folder.evaluation_file).llm_judge is None, "no hosted judge was asked"
    keep_marks(folder, AGREES)
    for key, label in labels_of(REPORT).items():
        keep_label(folder, key, label)
    keep_trust(folder)
    found = read_report(folder.evaluation_file).llm_judge
    assert found is not None and found.kappa == 1.0 and "good enough to trust" in found.words
    keep_label(folder, key, None)
    keep_trust(folder)
    found = read_report(folder.evaluation_file).llm_judge
    assert found is not None and found.kappa is None and found.n == 80


def test_a_judge_without_a_readable_mark_is_said() -> None:
    silent = AGREES.model_copy(update={"models": {"tuned": LlmMarks(marks={1: None})}})
    assert summarise(REPORT, silent, {}).words == (
        "The LLM judge large at judge.example gave no mark that could be read."
    )
