from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.confusion import Confusion, confusion, confusions
from evaluation.metrics import exact_match
from evaluation.stats import wilson

RIGHT = ["fees"] * 4 + ["rooms"] * 3 + ["exams"]
SAID = ["fees", " fees\n", "rooms", "Fees.", "rooms", "rooms", "fees", "I cannot tell"]


def test_every_answer_stands_in_one_cell() -> None:
    found = confusion(RIGHT, SAID)
    assert [score.label for score in found.labels] == ["fees", "rooms", "exams"]
    assert found.matrix() == [[2, 1, 0, 1], [1, 2, 0, 0], [0, 0, 0, 1]]
    assert found.others == {"fees": 1, "exams": 1}
    assert found.nearly == 1  # "Fees."


def test_precision_recall_and_f1_are_those_of_the_matrix() -> None:
    fees, rooms, exams = confusion(RIGHT, SAID).labels
    assert (fees.support, fees.said, fees.right) == (4, 3, 2)
    assert fees.precision == pytest.approx(2 / 3) and fees.recall == wilson(2, 4)
    assert fees.f1 == pytest.approx(2 * (2 / 3) * 0.5 / (2 / 3 + 0.5))
    assert rooms.f1 == pytest.approx(2 / 3)
    assert (exams.precision, exams.f1) == (None, 0) and exams.recall == wilson(0, 1)
    assert confusion(RIGHT, SAID).macro_f1 == pytest.approx((4 / 7 + 2 / 3 + 0) / 3)


def test_a_label_that_only_training_knows_has_no_recall() -> None:
    parking = confusion(RIGHT, ["parking"] * 8, known=["parking", "fees", " "]).labels[-1]
    assert (parking.label, parking.support, parking.said, parking.precision) == ("parking", 0, 8, 0)
    assert parking.recall is None
    assert confusion(RIGHT, ["parking"] * 8).others == {"fees": 4, "rooms": 3, "exams": 1}


def test_the_worst_mistake_is_said_in_words() -> None:
    assert confusion(RIGHT, RIGHT).sentence == ""
    mixed = confusion(RIGHT, ["rooms"] * 7 + ["exams"]).sentence
    assert mixed == "Most often `fees` is taken for `rooms`: 4 of its 4 rows."
    assert confusion(RIGHT, [""] * 8).sentence == "Most often `fees` is answered with no label: 4 of its 4 rows."


def test_a_label_that_is_called_other_is_a_label() -> None:
    found = confusion(["other", "other", "a"], ["other", "what?", "other"])
    assert found.counts == {"other": {"other": 1}, "a": {"other": 1}}
    assert found.others == {"other": 1}


def test_all_models_stand_side_by_side_and_come_back_from_a_file() -> None:
    found = confusions(RIGHT, {"base": SAID, "tuned": RIGHT})
    assert found["tuned"].accuracy.score == 1
    assert Confusion.model_validate_json(found["base"].model_dump_json()) == found["base"]
    assert confusion([], []).macro_f1 == 0
    with pytest.raises(ValueError):
        confusion(RIGHT, SAID[:-1])


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["a", "b", "c", "A", ""])), min_size=1, max_size=40))
@settings(max_examples=80, deadline=None)
def test_the_diagonal_is_the_exact_match(pairs: list[tuple[str, str]]) -> None:
    found = confusion([right for right, _ in pairs], [said for _, said in pairs])
    matrix = found.matrix()
    right = sum(exact_match(*pair) for pair in pairs)
    assert sum(matrix[at][at] for at in range(len(matrix))) == right == round(found.accuracy.score * len(pairs))
    assert sum(map(sum, matrix)) == found.n == len(pairs)
    assert [sum(row) for row in matrix] == [score.support for score in found.labels]
