"""The classifier stands in the table wherever the check of the data speaks of labels."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset.checks.labels import labels_of
from dataset.row import Message, Row
from evaluation.classic import is_label_task


def rows(answers: list[str]) -> list[Row]:
    return [Row((Message("user", f"q {at}"), Message("assistant", text)), at + 1) for at, text in enumerate(answers)]


@pytest.mark.parametrize("labels", [2, 3, 25, 33])
def test_three_rows_a_label_make_a_label_task(labels: int) -> None:
    assert is_label_task([f"label {at % labels}" for at in range(3 * labels)])
    assert not is_label_task([f"label {at % labels}" for at in range(3 * labels - 1)])


def test_labels_in_json_are_labels() -> None:
    assert is_label_task([f'{{"team": "{"ab"[at % 2]}"}}' for at in range(40)])


def test_rows_without_an_answer_do_not_count() -> None:
    assert is_label_task(["yes", "no", ""] * 3) and not is_label_task(["yes", ""] * 20)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", "d", "long " * 30, '{"x": 1}', "e", "f"]), max_size=40))
def test_what_the_data_check_calls_labels_is_judged_beside_a_classifier(answers: list[str]) -> None:
    if labels_of(rows(answers)):
        assert is_label_task(answers)
