from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.stats import Interval, Paired, compare, wilson
from evaluation.verdict import judge
from evaluation.widened import WITH_NOISE, widened_interval, widened_pair


def pair_of(difference: float, low: float, high: float, p_value: float = 0.001) -> Paired:
    return Paired(
        first="tuned",
        second="base",
        n=100,
        better=30,
        worse=10,
        difference=difference,
        low=low,
        high=high,
        p_value=p_value,
        test="exact McNemar",
        sentence="",
    )


def test_half_widths_add_by_their_squares_on_each_side() -> None:
    # 3-4-5 below, 5-12-13 above (in hundredths, with e = 4 and e = 12).
    assert widened_pair(pair_of(0.2, 0.17, 0.29), 0.04).low == pytest.approx(0.2 - 0.05)
    assert widened_pair(pair_of(0.2, 0.17, 0.25), 0.12).high == pytest.approx(0.2 + 0.13)
    score = widened_interval(Interval(score=0.5, low=0.47, high=0.53, n=100), 0.04)
    assert (score.low, score.high, score.score) == (pytest.approx(0.45), pytest.approx(0.55), 0.5)


def test_no_noise_changes_nothing() -> None:
    pair, score = compare("tuned", [1.0] * 20, "base", [0.0] * 10 + [1.0] * 10, seed=1), wilson(3, 9)
    assert widened_pair(pair, 0.0) is pair and widened_interval(score, 0.0) is score


def test_a_score_never_leaves_its_scale() -> None:
    found = widened_interval(wilson(19, 20), 0.4)
    assert 0 <= found.low < wilson(19, 20).low and found.high == 1.0
    assert widened_pair(pair_of(0.9, 0.8, 0.95), 0.5).high == 1.0


def test_the_luck_that_is_told_is_that_of_the_wider_interval() -> None:
    still = widened_pair(pair_of(0.2, 0.1, 0.3), 0.1)  # 0.2 / hypot(0.1, 0.1) * 1.96 = 2.77 standard deviations
    assert still.p_value == pytest.approx(0.00557, abs=1e-4) and still.beats
    assert still.test == WITH_NOISE + "exact McNemar" and "1 time in 100" in still.sentence
    gone = widened_pair(pair_of(0.2, 0.1, 0.3), 0.2)
    assert not gone.beats and "we cannot tell" in gone.sentence
    assert widened_pair(pair_of(-0.2, -0.3, -0.1), 0.1).p_value == still.p_value
    assert widened_pair(pair_of(0.0, -0.1, 0.1, 1.0), 0.1).p_value == 1.0


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 40), st.floats(0.001, 0.5))
@settings(max_examples=40, deadline=None)
def test_noise_only_ever_widens_and_never_makes_sure(better: int, worse: int, same: int, half: float) -> None:
    one, other = [1.0] * better + [0.0] * worse + [1.0] * same, [0.0] * better + [1.0] * worse + [1.0] * same
    pair = compare("tuned", one, "base", other, seed=1)
    found = widened_pair(pair, half)
    assert found.low <= pair.low and found.high >= pair.high and found.p_value >= pair.p_value
    assert not (found.beats and found.low <= 0) and not (found.loses and found.high >= 0)


def test_a_gain_within_the_luck_of_the_seed_does_not_ship() -> None:
    scores = {"base": [0.0] * 100, "best_prompt": [0.0] * 80 + [1.0] * 20, "tuned": [0.0] * 60 + [1.0] * 40}
    assert judge(scores, metric_words="exact match").verdict == "ship"
    assert judge(scores, metric_words="exact match", spread={"tuned": 0.05}).verdict == "ship"
    found = judge(scores, metric_words="exact match", spread={"tuned": 0.3})
    assert found.verdict == "not_enough_evidence"
    assert found.reasons[0].startswith("By the rows alone the tuned model beats the base with its best prompt")
    assert "seed of training" in found.reasons[0] and "between -11 and +51 points" in found.reasons[0]
