"""What is said of an experiment with doubtful labels, for made-up judgements of which the truth is known."""

from __future__ import annotations

import pytest

from backends.quality import Arm
from core.errors import BadInput
from evaluation.quality import QualityResult, result_of_reports
from tests.evaluation.test_learning_curve import report, scores


def result(right: dict[Arm, int], judged: int = 400, dropped: int = 40) -> QualityResult:
    values = dict(zip(right, scores(list(right.values()), judged), strict=True))
    return result_of_reports({arm: report(each) for arm, each in values.items()}, dropped=dropped)


def test_a_gain_that_the_control_lacks_is_told_in_points() -> None:
    found = result({"all": 300, "without_suspects": 320, "control": 296})
    assert found.verdict == "helped"
    own = found.suspects
    assert found.words == (
        f"Dropping 40 suspects brought +5.0 points ({100 * own.low:+.1f} to {100 * own.high:+.1f}) on exact match; "
        f"dropping 40 others -1.0 points ({100 * found.control.low:+.1f} to {100 * found.control.high:+.1f}). "
        "Leave them out, or mend their labels."
    )
    assert 0 < own.low < 0.05 < own.high and found.against_control.difference == pytest.approx(0.06)
    assert found.scores["without_suspects"].score == 0.8 and found.judged_rows == 400


def test_a_gain_that_the_control_shares_is_not_the_suspects() -> None:
    found = result({"all": 300, "without_suspects": 320, "control": 319})
    assert found.verdict == "not_enough_evidence" and "cannot be told from the control" in found.words


def test_a_loss_says_keep_them() -> None:
    assert (found := result({"all": 320, "without_suspects": 290, "control": 318})).verdict == "hurt"
    assert "-7.5 points" in found.words and found.words.endswith("that the others do not.")


def test_few_rows_are_no_evidence() -> None:
    found = result({"all": 15, "without_suspects": 17, "control": 15}, judged=20, dropped=1)
    assert found.verdict == "not_enough_evidence"
    assert found.words.startswith("Dropping 1 suspect brought +10.0 points") and "20 judged rows" in found.words


def test_rows_that_one_training_has_seen_count_for_none() -> None:
    reports = {arm: report([1.0] * 10) for arm in ("without_suspects", "control")}
    found = result_of_reports({"all": report([0.0] * 10, leaked=(0, 1)), **reports}, dropped=1)  # type: ignore[dict-item]
    assert found.judged_rows == 8


def test_judgements_that_cannot_be_compared_are_refused() -> None:
    one = report([1.0, 0.0])
    for other, words in (
        (report([1.0, 0.0], test_sha256="ff"), "not judged alike"),
        (one.model_copy(update={"models": {}}), "not of a tuned model"),
        (one.model_copy(update={"answers": []}), "were not kept"),
    ):
        with pytest.raises(BadInput, match=words):
            result_of_reports({"all": one, "without_suspects": other, "control": one}, dropped=1)
