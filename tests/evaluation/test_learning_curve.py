"""Learning curves through made-up points of which the truth is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest
from scipy.stats import norm

from core.errors import BadInput
from evaluation.learning_curve import LearningCurve, curve_of_intervals, curve_of_reports, curve_of_rows
from evaluation.report import EvaluationReport, JudgedAnswer
from evaluation.stats import interval, wilson

SIZES = [100, 300, 1000]
CASES = 100
HELD = 85
"""Of 100 cases, in so many the truth must lie inside the 95 % band."""
Truth = Callable[[float], float]
TRUTHS: dict[str, Truth] = {
    "slow, no plateau": lambda rows: 1 - 0.4 * (rows / 100) ** -0.3,
    "plateau at 0.95": lambda rows: 0.95 - 0.35 * (rows / 100) ** -0.5,
    "early plateau": lambda rows: 0.85 - 0.4 * (rows / 100) ** -1.5,
    "flat": lambda rows: 0.8,
}


def answers(chance: np.random.Generator, shares: list[float], judged: int) -> list[list[float]]:
    """Right and wrong at each size; rows that are hard at one size are mostly hard at the others."""
    hard = chance.normal(size=judged)
    return [
        (np.sqrt(0.7) * hard + np.sqrt(0.3) * chance.normal(size=judged) < norm.ppf(share)).astype(float).tolist()
        for share in shares
    ]


def scores(right: list[int], judged: int) -> list[list[float]]:
    return [[1.0] * count + [0.0] * (judged - count) for count in right]


@pytest.mark.parametrize(("name", "judged"), list(zip(TRUTHS, (80, 500, 500, 80), strict=True)))
def test_the_truth_lies_in_the_band_and_so_does_the_true_gain(name: str, judged: int) -> None:
    truth = TRUTHS[name]
    chance = np.random.default_rng(20_11)
    inside = Counter[str]()
    for case in range(CASES):
        curve = curve_of_rows(SIZES, answers(chance, [truth(rows) for rows in SIZES], judged), seed=case)
        for read in curve.band:
            inside[f"score at {read.rows}"] += read.low <= truth(read.rows) <= read.high
            gain = truth(read.rows) - truth(SIZES[-1])
            inside[f"gain at {read.rows}"] += read.gain_low <= gain <= read.gain_high
    assert len(inside) == 4 and min(inside.values()) >= HELD, dict(inside)


def verdicts(truth: Truth, judged: int) -> Counter[str]:
    chance = np.random.default_rng(7)
    shares = [truth(rows) for rows in SIZES]
    return Counter(curve_of_rows(SIZES, answers(chance, shares, judged), seed=case).verdict for case in range(20))


def test_a_flat_curve_on_many_rows_says_stop() -> None:
    assert verdicts(TRUTHS["flat"], 1000)["stop"] >= 19
    curve = curve_of_rows(SIZES, scores([320, 320, 320], 400), metric_words="exact match")
    assert curve.words.startswith("Stop labelling: the curve is flat within the noise. 1,000 more labels")
    assert curve.band[-1].gain_high < curve.worth


def test_a_curve_that_still_rises_says_what_more_labels_buy() -> None:
    assert verdicts(TRUTHS["slow, no plateau"], 400)["label_more"] >= 19
    curve = curve_of_rows([40, 120, 400], scores([200, 260, 308], 400), metric_words="exact match")
    one, two = curve.band
    assert curve.words == (
        f"200 more labels would buy about {one.gain:+.3f} ({one.gain_low:+.3f} to {one.gain_high:+.3f}) on exact match,"
        f" 400 more about {two.gain:+.3f} ({two.gain_low:+.3f} to {two.gain_high:+.3f})."
    )
    assert 0 < one.gain < two.gain < 0.1


def test_three_equal_noisy_points_are_no_evidence() -> None:
    chance = np.random.default_rng(3)
    for judged in (30, 60):
        rows = scores([judged * 4 // 5] * 3, judged)
        mixed = [chance.permutation(each).tolist() for each in rows]  # as many right, on other rows each time
        curve = curve_of_rows(SIZES, mixed)
        assert curve.verdict == "not_enough_evidence"
        assert f"Judge on more than {judged} rows" in curve.words
        assert curve.band[-1].gain_low < 0 < curve.worth < curve.band[-1].gain_high


def test_few_rows_or_a_perfect_score_are_never_taken_for_a_flat_curve() -> None:
    assert curve_of_rows(SIZES, scores([20, 20, 20], 20)).verdict == "not_enough_evidence"
    assert curve_of_rows(SIZES, scores([1000, 1000, 1000], 1000)).verdict == "stop"
    assert curve_of_rows(SIZES, scores([45, 45, 45], 45), worth=0.02).verdict == "not_enough_evidence"
    assert curve_of_rows(SIZES, scores([45, 45, 45], 45), worth=0.05).verdict == "stop"


def test_a_curve_that_falls_points_to_the_labels() -> None:
    curve = curve_of_rows(SIZES, scores([120, 110, 90], 200))
    assert curve.verdict == "stop" and "more rows make it worse: look at the labels" in curve.words


def test_the_same_rows_at_every_size_make_the_band_narrower() -> None:
    right = [690, 700, 710]
    paired = curve_of_rows(SIZES, scores(right, 1000))
    alone = curve_of_intervals(SIZES, [wilson(count, 1000) for count in right])
    assert (paired.paired, alone.paired) == (True, False)
    width = [each.band[-1].gain_high - each.band[-1].gain_low for each in (paired, alone)]
    assert width[0] < 0.8 * width[1]
    assert any("wider than it could be" in limit for limit in alone.limits)


def test_points_on_no_curve_widen_the_noise() -> None:
    smooth = curve_of_rows(SIZES, scores([1200, 1410, 1560], 2000))
    crooked = curve_of_rows(SIZES, scores([1200, 1150, 1560], 2000))
    assert smooth.widened == 1 and crooked.widened > 2
    assert any("do not lie on one curve" in limit for limit in crooked.limits)
    assert crooked.band[-1].high - crooked.band[-1].low > 2 * (smooth.band[-1].high - smooth.band[-1].low)


def test_scores_in_between_are_read_as_well() -> None:
    chance = np.random.default_rng(5)
    rows = [np.clip(chance.normal(mean, 0.2, 300), 0, 1).tolist() for mean in (0.4, 0.55, 0.65)]
    curve = curve_of_rows(SIZES, rows)
    assert curve.verdict == "label_more" and [each.score for each in curve.points] == pytest.approx(
        [float(np.mean(each)) for each in rows]
    )


def test_the_line_stays_in_its_band_and_runs_to_twice_the_rows() -> None:
    curve = curve_of_rows(SIZES, scores([200, 260, 308], 400))
    assert (curve.line[0].rows, curve.line[-1].rows) == (100, 2000)
    assert all(0 <= each.low <= each.score <= each.high <= 1 for each in curve.line)
    assert sum(each.weight for each in curve.fit) == pytest.approx(1)
    assert curve == curve_of_rows(SIZES, scores([200, 260, 308], 400)), "the same seed gives the same curve"


@pytest.mark.parametrize("sizes", [[10, 20], [10, 20, 20], [30, 20, 10]])
def test_fewer_than_three_rising_sizes_are_refused(sizes: list[int]) -> None:
    with pytest.raises(BadInput, match="three sizes or more"):
        curve_of_rows(sizes, scores([5] * len(sizes), 10))


def report(values: list[float], leaked: tuple[int, ...] = (), test_sha256: str = "00") -> EvaluationReport:
    honest = [value for at, value in enumerate(values) if at not in leaked]
    return EvaluationReport(
        verdict="not_enough_evidence",
        reasons=[],
        metric="exact_match",
        metric_words="exact match",
        models={"tuned": {"task": interval(honest)}},
        answers=[
            JudgedAnswer(line=at + 1, input=f"{at}", expected="yes", in_training=at in leaked, scores={"tuned": value})
            for at, value in enumerate(values)
        ],
        base_model="base",
        test_file="test.jsonl",
        test_sha256=test_sha256,
        rows=len(honest),
        rows_in_file=len(values),
        seed=7,
        created_at=datetime(2026, 11, 25, tzinfo=UTC),
    )


def of_reports(reports: list[EvaluationReport]) -> LearningCurve:
    return curve_of_reports(list(zip(SIZES, reports, strict=True)))


def test_rows_that_one_training_has_seen_count_for_none() -> None:
    rows = scores([50, 60, 70], 100)
    curve = of_reports([report(rows[0]), report(rows[1]), report(rows[2], leaked=(0, 99))])
    assert curve.judged_rows == 98 and curve.paired
    assert [each.score for each in curve.points] == pytest.approx([49 / 98, 59 / 98, 69 / 98])


def test_reports_without_their_answers_are_read_by_their_intervals() -> None:
    reports = [report(each).model_copy(update={"answers": []}) for each in scores([50, 60, 70], 100)]
    curve = of_reports(reports)
    assert not curve.paired and curve.judged_rows == 100 and curve.points[2].score == 0.7


def test_judgements_on_other_rows_are_not_compared() -> None:
    with pytest.raises(BadInput, match="not judged alike"):
        of_reports([report([1.0]), report([1.0]), report([1.0], test_sha256="ff")])
    bare = report([1.0]).model_copy(update={"models": {}})
    with pytest.raises(BadInput, match="not of a tuned model"):
        of_reports([bare, bare, bare])
