from __future__ import annotations

import pytest

from evaluation.answer_length import answer_lengths
from evaluation.stats import wilson

EXPECTED = ["four words are enough"] * 30


def test_a_model_that_rambles_is_told_from_one_that_is_concise() -> None:
    found = answer_lengths(
        EXPECTED,
        {"tuned": ["Four are enough, indeed."] * 30, "base": ["so many words " * 4] * 20 + ["no"] * 10},
        seed=1,
    )
    assert (found["tuned"].median_ratio, found["tuned"].longer) == (1, wilson(0, 30))
    assert found["base"].median_ratio == 3 and found["base"].longer == wilson(20, 30)
    assert found["base"].low <= 3 <= found["base"].high
    assert found["base"].sentence == (
        "3.0 words for each expected one; 67% of the answers are more than 1.5 times as long as expected"
    )


def test_exactly_half_as_long_again_is_not_too_long() -> None:
    found = answer_lengths(["one two"] * 4, {"tuned": ["one two three"] * 3 + ["one two three four"]}, seed=1)["tuned"]
    assert found.longer.score == 0.25 and found.median_ratio == 1.5


def test_rows_without_expected_words_are_left_out_and_silence_is_short() -> None:
    found = answer_lengths(["", "...", "yes"], {"tuned": ["a", "b", ""]}, seed=1)["tuned"]
    assert (found.n, found.median_ratio, found.low) == (1, 0, 0)
    assert answer_lengths([""], {"tuned": ["a"]}, seed=1) == {}


def test_each_row_needs_an_answer() -> None:
    with pytest.raises(ValueError):
        answer_lengths(EXPECTED, {"tuned": ["one"]}, seed=1)
