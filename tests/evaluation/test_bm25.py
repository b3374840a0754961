from __future__ import annotations

import math

from evaluation.bm25 import K1, B, Bm25

TEXTS = ["the bill is wrong", "the room is locked", "a bill, a bill, and no room at all", "exam"]


def test_the_score_is_that_of_the_formula_by_hand() -> None:
    index = Bm25(TEXTS)
    lengths, mean = [4, 4, 9, 1], 18 / 4
    idf = math.log(1 + (4 - 2 + 0.5) / (2 + 0.5))

    def score(times: int, length: int) -> float:
        return idf * times * (K1 + 1) / (times + K1 * (1 - B + B * length / mean))

    assert score(2, lengths[2]) > score(1, lengths[0]), "twice in a long text beats once in a short one here"
    assert index.best("Bill!", 2) == [2, 0]
    assert index._norms[2] == K1 * (1 - B + B * 9 / mean)


def test_rare_words_count_for_more_and_ties_keep_their_order() -> None:
    index = Bm25(TEXTS)
    assert index.best("the exam", 1) == [3]
    assert index.best("nothing shared", 4) == [0, 1, 2, 3] and index.best("", 2) == [0, 1]
    assert Bm25([]).best("x", 3) == [] and Bm25(["", ""]).best("x", 9) == [0, 1]
