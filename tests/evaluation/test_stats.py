from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.stats import (
    bootstrap_mean,
    compare,
    exact_difference,
    interval,
    luck,
    mcnemar_exact,
    rows_needed,
    sentence,
    wilson,
)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # The last two are worked examples of Newcombe (1998, Statistics in Medicine 17).
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605)],
)
def test_wilson_gives_the_published_bounds(successes: int, n: int, low: float, high: float) -> None:
    found = wilson(successes, n)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_mcnemar_is_exact() -> None:
    # 1 against 9: 2 * (1 + 10) / 2**10.
    assert mcnemar_exact(9, 1) == pytest.approx(22 / 1024)
    assert mcnemar_exact(0, 0) == 1.0
    assert mcnemar_exact(3, 3) == 1.0


def test_the_exact_interval_of_a_difference_follows_from_clopper_and_pearson() -> None:
    # 9 of 10: 0.5550 to 0.9975 (Clopper and Pearson). Of 40 rows a quarter differ.
    low, high = exact_difference(9, 1, 40)
    assert (low, high) == (pytest.approx((2 * 0.5550 - 1) / 4, abs=1e-4), pytest.approx((2 * 0.9975 - 1) / 4, abs=1e-4))
    assert exact_difference(0, 0, 40) == (0.0, 0.0)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_the_interval_and_the_test_never_contradict_each_other(better: int, worse: int, same: int) -> None:
    one = [1.0] * better + [0.0] * worse + [1.0] * same
    other = [0.0] * better + [1.0] * worse + [1.0] * same
    paired = compare("tuned", one, "base", other, seed=1)
    if not (paired.beats or paired.loses):
        assert paired.low <= 0 <= paired.high
    low, high = exact_difference(better, worse, max(1, len(one)))
    assert ((low > 0) or (high < 0)) == (paired.p_value < 0.05)
    assert paired.low <= paired.difference <= paired.high


def test_the_sentence_is_plain_words() -> None:
    paired = compare("tuned", [1.0] * 61 + [0.0] * 39, "base", [0.0] * 61 + [1.0] * 9 + [0.0] * 30, seed=1)
    assert (paired.better, paired.worse, paired.n, paired.test) == (61, 9, 100, "exact McNemar")
    assert paired.sentence.startswith("better on 61 of 100 rows, worse on 9; luck would do this")
    assert paired.beats and not paired.loses
    assert paired.difference == pytest.approx(0.52)
    assert paired.low < 0.52 < paired.high


@pytest.mark.parametrize(
    ("p_value", "words"),
    [
        (0.0002, "luck would do this 1 time in 5,000"),
        (0.00018, "luck would do this 1 time in 5,000"),
        (1e-9, "luck would do this less than 1 time in 1,000,000"),
        (0.2, "luck would do this 1 time in 5: we cannot tell"),
        (1.0, "luck alone would do this more often than not"),
    ],
)
def test_luck_is_said_without_false_precision(p_value: float, words: str) -> None:
    assert luck(p_value) == words


def test_equal_models_are_called_the_same() -> None:
    assert sentence(0, 0, 12, 1.0) == "the same on all 12 rows"
    paired = compare("tuned", [1.0, 0.0] * 6, "base", [1.0, 0.0] * 6, seed=0)
    assert paired.p_value == 1.0
    assert paired.low < 0 < paired.high


def test_scores_in_between_are_tested_by_bootstrap() -> None:
    better = [0.9, 0.8, 0.7, 0.95] * 10
    worse = [0.3, 0.5, 0.2, 0.6] * 10
    paired = compare("tuned", better, "base", worse, seed=3)
    assert paired.test == "paired bootstrap"
    assert paired.beats
    back = compare("base", worse, "tuned", better, seed=3)
    assert back.loses
    assert back.difference == pytest.approx(-paired.difference)


def test_rows_needed_grows_as_the_difference_shrinks() -> None:
    # 20 points of difference, 30 % of the rows differing: Connor's formula gives 57.
    assert rows_needed(10, 2, 40) == 57
    near = rows_needed(11, 9, 40)
    assert near is not None and near > 1000
    assert rows_needed(5, 5, 40) is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_a_mean_lies_in_its_own_interval(scores: list[float], seed: int) -> None:
    found = bootstrap_mean(scores, seed, draws=200)
    assert 0 <= found.low <= found.score <= found.high <= 1
    assert found.n == len(scores)
    assert found == bootstrap_mean(scores, seed, draws=200)


@given(st.integers(0, 60), st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_no_sample_is_ever_certain(successes: int, n: int) -> None:
    found = interval([1.0] * min(successes, n) + [0.0] * (n - min(successes, n)))
    assert found.low < found.high
    assert 0 <= found.low <= found.score <= found.high <= 1


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60))
@settings(max_examples=60, deadline=None)
def test_swapping_the_models_turns_the_difference_round(rows: list[tuple[bool, bool]]) -> None:
    one = [float(a) for a, _ in rows]
    other = [float(b) for _, b in rows]
    there, back = compare("a", one, "b", other, 0), compare("b", other, "a", one, 0)
    assert there.difference == pytest.approx(-back.difference)
    assert (there.better, there.worse) == (back.worse, back.better)
    assert there.p_value == pytest.approx(back.p_value)
    assert not (there.beats and there.loses)
