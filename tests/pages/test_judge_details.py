"""What stands beside the score of the task on the Judge page."""

from __future__ import annotations

from app_pages.task_details_view import sentences, table
from evaluation.answer_length import answer_lengths
from evaluation.latency import summarise
from evaluation.report import EvaluationReport
from evaluation.stats import wilson
from evaluation.task_details import TaskDetails
from tests.pages.judgements import WORTH_IT, evaluated, opened, report_of, text


def detailed() -> EvaluationReport:
    expected = ["one two three four"] * 30
    details = TaskDetails(
        beside={"normalised match": {"tuned": wilson(20, 40), "base": wilson(4, 40)}},
        length=answer_lengths(expected, {"tuned": expected, "base": [f"{words} {words}" for words in expected]}, 7),
        notes=["1 of 40 expected answers is odd."],
    )
    waited = summarise([0.2, 0.3], mean_prompt_tokens=9, mean_answer_tokens=3, device="cpu", limit_ms=250)
    return report_of(WORTH_IT).model_copy(update={"details": details, "latency": {"tuned": waited}})


def test_other_measures_stand_in_a_table_by_model() -> None:
    assert table(detailed()) == [
        {"Measure": "Normalised match", "Base": "0.10 (0.04 to 0.23)", "Tuned": "0.50 (0.35 to 0.65)"}
    ]


def test_length_and_waiting_time_are_said_in_a_sentence_a_model() -> None:
    said = [words.replace("\\", "") for words in sentences(detailed())]
    assert said[0].startswith("**Length, base**: 2.0 words for each expected one; 100%")
    assert said[1].startswith("**Length, tuned**: 1.0 words")
    assert said[2].startswith("**Waiting time, tuned**: 1 of 2 answers came within 250 ms")
    assert said[3] == "1 of 40 expected answers is odd."


def test_they_are_on_the_page_and_a_task_without_them_has_no_empty_box() -> None:
    app = opened(job=evaluated(detailed()).id)
    assert not app.exception and "Waiting time, tuned" in text(app)
    plain = opened(job=evaluated(report_of(WORTH_IT)).id)
    assert "Beside the score" not in [box.label for box in plain.expander]
