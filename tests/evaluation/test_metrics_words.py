from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.metrics import rouge_l, token_f1
from evaluation.metrics.word_overlap import MAX_ROUGE_WORDS, common_subsequence


def table_by_table(one: list[str], other: list[str]) -> int:
    """The textbook recursion, cell by cell."""
    rows = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, word in enumerate(one, 1):
        for j, said in enumerate(other, 1):
            rows[i][j] = rows[i - 1][j - 1] + 1 if word == said else max(rows[i - 1][j], rows[i][j - 1])
    return rows[-1][-1]


def test_rouge_l_rewards_the_same_order_where_token_f1_does_not() -> None:
    assert token_f1("police killed the gunman", "the gunman killed police") == 1
    # The longest common subsequence is "the gunman": 2 of 4 words on either side (an example of Lin 2004).
    assert rouge_l("police killed the gunman", "the gunman killed police") == pytest.approx(0.5)
    assert rouge_l("police killed the gunman", "Police kill the gunman.") == pytest.approx(0.75)


def test_texts_without_words_match_each_other_only() -> None:
    assert rouge_l("", "...") == 1
    assert rouge_l("", "word") == rouge_l("word", "") == 0


@given(st.lists(st.sampled_from("abcd"), max_size=90), st.lists(st.sampled_from("abcd"), max_size=90))
@settings(max_examples=150, deadline=None)
def test_the_subsequence_is_that_of_the_textbook(one: list[str], other: list[str]) -> None:
    assert common_subsequence(one, other) == table_by_table(one, other)


def test_long_texts_are_compared_by_their_beginning() -> None:
    long = " ".join(f"w{number}" for number in range(MAX_ROUGE_WORDS))
    assert rouge_l(long, f"{long} and a tail that is not read") == 1
    assert rouge_l("never said", "again " * 200_000) == 0
