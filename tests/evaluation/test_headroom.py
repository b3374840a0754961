"""A baseline says whether any tune could still be worth it, by the rules of the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from evaluation.headroom import nothing_to_gain
from evaluation.report import EvaluationReport
from tests.pages.judgements import report_of


def right(of: int, rows: int) -> list[float]:
    return [1.0] * of + [0.0] * (rows - of)


def found(scores: Mapping[str, Sequence[float]], margin: float = 0.05) -> str:
    return nothing_to_gain(report_of(scores), margin)


def test_a_prompt_that_leaves_less_than_the_margin_does_this() -> None:
    assert found({"base": right(20, 400), "best_prompt": right(392, 400)}) == (
        "The best prompt already gets 98 % by exact match"
    )
    assert found({"base": right(400, 400), "best_prompt": right(392, 400)}) == (
        "The base alone already gets 100 % by exact match"
    )


def test_a_classifier_that_leaves_less_than_the_margin_does_this() -> None:
    assert found({"base": right(0, 400), "best_prompt": right(200, 400), "classic": right(399, 400)}) == (
        "A classifier already gets over 99 % by exact match"
    )


def test_where_the_gap_is_too_small_for_these_rows_that_is_said() -> None:
    assert found({"base": right(0, 40), "best_prompt": right(39, 40)}) == (
        "The best prompt already gets 98 % by exact match, and on 40 rows no tune can be shown to be better"
    )
    assert found({"best_prompt": right(9, 12)}) == "Only 12 held-out rows, too few for any verdict"


def test_a_classifier_comes_before_a_tune_where_it_is_as_good_as_the_prompt() -> None:
    assert found({"base": right(10, 100), "best_prompt": right(50, 100), "classic": right(70, 100)}) == (
        "A classifier gets 70 %, the best prompt 50 % by exact match"
    )


@pytest.mark.parametrize(
    "scores",
    [
        {"base": right(10, 100), "best_prompt": right(50, 100)},
        {"base": right(10, 100), "best_prompt": right(70, 100), "classic": right(50, 100)},
    ],
)
def test_where_a_tune_can_still_win_nothing_is_said(scores: Mapping[str, Sequence[float]]) -> None:
    assert found(scores) == ""


def test_the_margin_of_the_spec_decides() -> None:
    scores = {"base": right(0, 400), "best_prompt": right(360, 400)}
    assert found(scores) == "" and found(scores, margin=0.2) == "The best prompt already gets 90 % by exact match"


def test_a_judged_tune_and_rows_that_stand_in_training_are_none_of_its_business() -> None:
    perfect = right(40, 40)
    assert found({"base": perfect, "best_prompt": perfect, "tuned": perfect}) == ""
    report = report_of({"base": right(0, 100), "best_prompt": right(60, 100)})
    leaked = [answer.model_copy(update={"in_training": not answer.scores["best_prompt"]}) for answer in report.answers]
    assert nothing_to_gain(report.model_copy(update={"answers": leaked})).startswith("The best prompt already gets 100")
    assert nothing_to_gain(EvaluationReport.model_validate(report.model_dump() | {"answers": []})) == ""


def test_a_classifier_that_is_to_be_trained_is_not_told_that_a_classifier_comes_first() -> None:
    report = report_of({"base": right(10, 100), "best_prompt": right(50, 100), "classic": right(70, 100)})
    assert nothing_to_gain(report, learner="classic") == nothing_to_gain(report, learner="encoder") == ""
    good = report_of({"base": right(0, 400), "best_prompt": right(395, 400), "classic": right(399, 400)})
    assert nothing_to_gain(good, learner="classic") == ""
    assert nothing_to_gain(good, learner="encoder") == (
        "TF-IDF + logistic regression already gets over 99 % by exact match"
    )
    prompt_alone = report_of({"base": right(0, 400), "best_prompt": right(399, 400)})
    assert nothing_to_gain(prompt_alone) and nothing_to_gain(prompt_alone, learner="encoder") == ""
