from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset.row import Message, Row
from evaluation.overfitting import Copied, copying, difference_of, gap, gaps
from evaluation.stats import wilson

LONG = "Thank you for your letter about the lamp, which we will replace at our own cost within two weeks from today"


def row(asked: str, answer: str, line: int) -> Row:
    return Row((Message("user", asked), Message("assistant", answer)), line)


def train_rows() -> list[Row]:
    answers = [LONG, "We will send the missing chair with the next van", "It is open", *(f"Note {n}" for n in range(5))]
    return [row(f"question {n}", answer, n + 1) for n, answer in enumerate(answers)]


def test_the_interval_of_a_difference_is_the_published_one() -> None:
    # Newcombe (1998), table II, method 10: 56 of 70 against 48 of 80.
    low, high = difference_of(wilson(56, 70), wilson(48, 80))
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)


def test_a_model_that_knows_only_its_own_rows_is_called_overfitted() -> None:
    found = gaps([1.0] * 40, {"validation": [1.0] * 20 + [0.0] * 20, "shifted": [0.0] * 40})
    assert [each.found for each in found] == ["overfitted", "overfitted"]
    assert [each.difference for each in found] == [0.5, 1.0]
    assert found[0].sentence.startswith(
        "overfitted: 1.00 on training rows, 0.50 on validation rows; a gap of 50 points"
    )


def test_a_gap_that_luck_could_make_is_left_open() -> None:
    found = gap([1.0] * 18 + [0.0] * 7, [1.0] * 15 + [0.0] * 10, "test")
    assert found.difference == pytest.approx(0.12) and found.low < 0 < found.high
    assert found.found == "cannot tell"


def test_a_small_gap_is_no_overfitting_however_sure() -> None:
    found = gap([1.0] * 9_700 + [0.0] * 300, [1.0] * 9_400 + [0.0] * 600, "test")
    assert found.low > 0 and found.found == "no gap" and found.sentence.startswith("no overfitting seen")
    assert gap([1.0] * 9_700 + [0.0] * 300, [1.0] * 9_400 + [0.0] * 600, "test", margin=0.02).found == "overfitted"


def test_few_rows_are_too_few() -> None:
    found = gap([1.0] * 9, [0.0] * 300, "test")
    assert found.found == "cannot tell" and "10 rows on each side" in found.sentence


def test_the_same_rows_changed_are_compared_in_pairs() -> None:
    plain = [float(n % 3 > 0) for n in range(60)]
    changed = [score if n % 5 else 0.0 for n, score in enumerate(plain)]
    pairs = gap(plain, changed, "misspelled", paired=True)
    apart = gap(plain, changed, "misspelled")
    assert pairs.difference == pytest.approx(apart.difference) == pytest.approx(8 / 60)
    assert pairs.low > 0 > apart.low, "pairs tell more"
    assert (pairs.found, apart.found) == ("overfitted", "cannot tell")
    with pytest.raises(ValueError, match="zip"):
        gap(plain, changed[1:], "misspelled", paired=True)


scores = st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=60)


@given(scores, scores)
@settings(max_examples=30, deadline=None)
def test_a_gap_lies_in_its_own_interval_and_turns_with_its_sides(one: list[float], other: list[float]) -> None:
    there, back = gap(one, other, "test"), gap(other, one, "test")
    assert -1 <= there.low <= there.difference <= there.high <= 1
    assert there.difference == pytest.approx(-back.difference)
    if there.found == "overfitted":
        assert there.difference > 0.05 and back.found == "no gap"


def test_a_training_answer_to_another_input_is_a_copy() -> None:
    answers = [LONG.upper() + "!", "Dear guest. We will send the missing chair with the next van", "It is open"]
    rows = [row("my lamp", "Sorry.", 11), row("my chair", "Sorry.", 12), row("hours", "From nine.", 13)]
    found = copying(answers, rows, train_rows())
    # The second holds only 10 words of a training answer, and the third is too short.
    assert found.found == [Copied(line=11, train_line=1, words=21)]
    assert found.share is not None and (found.share.score, found.share.n) == (pytest.approx(1 / 3), 3)
    assert found.sentence.startswith("1 of 3 answer repeats the training answer to another input: line 11")


def test_a_run_of_twelve_words_is_a_copy_and_one_of_eleven_is_not() -> None:
    words = LONG.split()
    for length, expected in ((12, [Copied(line=5, train_line=1, words=12)]), (11, [])):
        answer = f"Dear guest, as I said, {' '.join(words[4 : 4 + length])} and then some"
        assert copying([answer], [row("my lamp", "Sorry.", 5)], train_rows()).found == expected


def test_a_whole_answer_of_eight_words_is_a_copy() -> None:
    answer = "we will send the missing chair with the next van"
    assert copying([answer], [row("my chair", "Sorry.", 5)], train_rows()).found == [
        Copied(line=5, train_line=2, words=10)
    ]


def test_what_is_right_quoted_or_learned_for_this_very_input_is_no_copy() -> None:
    for asked, right in (("my lamp", LONG), (f"What does '{LONG}' mean?", "A letter."), ("Question 0", "Sorry.")):
        found = copying([LONG], [row(asked, right, 5)], train_rows())
        assert found.found == [] and found.share is not None and found.share.score == 0
        assert found.sentence == "none of 1 answers repeats the training answer to another input"


def test_labels_and_short_answers_are_not_looked_at() -> None:
    labels = [row(f"q {n}", ["a long label of more than eight words, it repeats", "no"][n % 2], n) for n in range(12)]
    assert copying(["no"], [row("x", "no", 1)], labels).share is None
    assert "labels" in copying(["no"], [row("x", "no", 1)], labels).sentence
    short = [row(f"q {n}", f"answer {n}", n) for n in range(12)]
    assert copying(["answer 1"], [row("x", "no", 1)], short).sentence.startswith(
        "not measured: no training answer has 8"
    )
    assert copying([], [], short).share is None


def test_ten_thousand_training_answers_are_searched_at_once() -> None:
    many = [row(f"q {n}", " ".join(f"w{n * k % 9973}" for k in range(1, 61)), n) for n in range(10_000)]
    found = copying([many[9_000].answer] * 50, [row(f"x {n}", "y", n) for n in range(50)], many)
    assert len(found.found) == 50 and {each.train_line for each in found.found} == {9_000}
