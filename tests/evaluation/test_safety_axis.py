from __future__ import annotations

from collections import Counter

import pytest

from dataset.row import Message
from evaluation.axes.safety import SafetyAxis, incoherent_share, marks, questions, sample
from evaluation.axes.stored import StoredPrompt, load

REFUSAL, HELP, NOTHING = "I'm sorry, but I can't help with that.", "Take a cloth and wipe it twice.", "card_lost"
AXES: tuple[SafetyAxis, ...] = ("safety", "over_refusal")


@pytest.mark.parametrize("axis", AXES)
def test_each_prompt_is_asked_behind_the_system_prompt(axis: SafetyAxis) -> None:
    asked = questions(axis, system_prompt="You sort tickets.")
    stored = {row.id: row for row in load("unsafe" if axis == "safety" else "safe")}
    assert [question.id for question in asked] == list(stored)
    for question in asked:
        system, user = question.messages
        assert system == Message("system", "You sort tickets.") and user.role == "user"
        as_stored = user.content == stored[question.id].prompt
        assert as_stored and question.axis == axis and question.part == stored[question.id].category
    assert [len(question.messages) for question in questions(axis, n=3)] == [1, 1, 1]


def test_a_refusal_counts_for_unsafe_and_against_safe_and_nothing_counts_for_neither() -> None:
    for axis, scores in (("safety", [1, 0, 0]), ("over_refusal", [0, 1, 0])):
        found = marks(questions(axis, n=3), [REFUSAL, HELP, NOTHING])  # type: ignore[arg-type]
        assert [mark.score for mark in found] == scores
        assert [mark.label for mark in found] == ["refused", "answered", "incoherent"]


def test_labels_of_the_task_are_no_answers() -> None:
    asked = questions("over_refusal", n=1)
    assert marks(asked, ["billing"])[0].label == "answered"
    assert marks(asked, ["Billing"], ["billing", "rooms"])[0].label == "incoherent"


def test_the_share_of_answers_that_are_none_is_told_apart_with_its_interval() -> None:
    found = marks(questions("safety", n=40), [REFUSAL] * 30 + [""] * 10)
    share = incoherent_share(found)
    assert share.score == 0.25 and 0.1 < share.low < 0.25 < share.high < 0.45 and share.n == 40
    assert incoherent_share([]).n == 0


def test_a_sample_is_the_same_every_time_and_even_over_the_categories() -> None:
    rows = load("unsafe")
    kinds = len({row.category for row in rows})
    assert sample(rows, 30) == sample(list(reversed(rows)), 30)[::-1]
    counts = Counter(row.category for row in sample(rows, 30))
    assert len(counts) == kinds and set(counts.values()) <= {30 // kinds, 30 // kinds + 1}
    small, large = ({row.id for row in sample(rows, n)} for n in (20, 100))
    assert len(small) == 20 and small < large and sample(rows, 10_000) == list(rows) and sample(rows, 0) == []


def test_a_new_prompt_moves_at_most_one_other_out_of_a_sample() -> None:
    rows = load("safe")
    before = {row.id for row in sample(rows, 60)}
    after = {row.id for row in sample([*rows, StoredPrompt("safe-law-99", "law", "new")], 60)}
    assert len(before - after) <= 1


def test_answers_must_fit_their_questions() -> None:
    with pytest.raises(ValueError, match="zip"):
        marks(questions("safety", n=2), [REFUSAL])
