from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.clustered import clustered_interval, difference_bounds, holm, questions_for_margin, questions_for_width
from evaluation.stats import interval


def test_without_families_nothing_changes_but_it_is_never_narrower() -> None:
    scores = [1.0] * 60 + [0.0] * 40
    alone = clustered_interval(scores, [str(place) for place in range(100)])
    plain = interval(scores)
    assert alone.score == plain.score == 0.6
    assert alone.low <= plain.low and alone.high >= plain.high


def test_ten_families_that_stand_or_fall_together_are_ten_pieces_of_evidence() -> None:
    scores = [1.0] * 60 + [0.0] * 40
    families = [str(place // 10) for place in range(100)]
    wide, narrow = clustered_interval(scores, families), interval(scores)
    assert wide.high - wide.low > 2.5 * (narrow.high - narrow.low)


def test_bounds_hold_the_true_loss_as_often_as_they_say() -> None:
    chance = np.random.default_rng(4)
    held = tries = 0
    for _ in range(60):
        base = (chance.random(150) < 0.8).astype(float)
        tuned = np.where(chance.random(150) < 0.1, 1 - base, base)
        # A tenth of the answers flip: 0.8 falls to 0.8 - 0.1 * (0.8 - 0.2).
        bounds = difference_bounds(base.tolist(), tuned.tolist(), [str(place) for place in range(150)])
        held += bounds.high >= 0.06
        tries += 1
    assert held / tries > 0.88


def test_a_hundred_equal_answers_do_not_prove_that_none_ever_differs() -> None:
    same = [1.0] * 100
    bounds = difference_bounds(same, same, [str(place) for place in range(100)])
    assert (bounds.mean, bounds.low) == (0.0, pytest.approx(-0.0295, abs=1e-4))
    assert bounds.high == pytest.approx(0.0295, abs=1e-4), "1 - 0.05 ^ (1 / 100)"
    one_family = difference_bounds(same, same, ["all"] * 100)
    assert one_family.high == pytest.approx(0.95), "one family is one piece of evidence"


def test_nothing_asked_says_nothing() -> None:
    bounds = difference_bounds([], [], [])
    assert (bounds.low, bounds.high) == (-1.0, 1.0)


def test_unequal_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="2 values and 1 clusters"):
        clustered_interval([1.0, 0.0], ["a"])
    with pytest.raises(ValueError, match="zip"):
        difference_bounds([1.0], [1.0, 0.0], ["a"])


def test_holm_by_hand() -> None:
    # Sorted: 0.01 x 4, 0.02 x 3, 0.03 x 2, 0.5 x 1, each at least the one before.
    assert holm([0.03, 0.01, 0.5, 0.02]) == pytest.approx([0.06, 0.04, 0.5, 0.06])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_never_makes_a_part_surer_and_keeps_the_order(values: list[float]) -> None:
    adjusted = holm(values)
    assert all(0 <= before <= after <= 1 for before, after in zip(values, adjusted, strict=True))
    ranked = [after for _, after in sorted(zip(values, adjusted, strict=True), key=lambda pair: pair[0])]
    assert ranked == sorted(ranked)


def test_questions_for_a_margin_are_those_of_the_published_table() -> None:
    assert questions_for_margin(0.04, 0.05) == 99
    assert questions_for_margin(0.08, 0.05) == 198
    assert questions_for_margin(0.15, 0.05) == 371
    assert questions_for_margin(0.15, 0.03) == 1030
    # One-sided bound of 8 % discordance in 400 questions: 1.645 x root(0.08 / 400).
    assert questions_for_width(400, 1.645 * (0.08 / 400) ** 0.5, 0.05) == pytest.approx(198, abs=1)
