from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.metrics import (
    choose_metric,
    exact_match,
    field_matches,
    json_match,
    json_valid,
    normalised_match,
    token_f1,
)

TICKET = '{"queue": "rooms", "student": null, "urgent": true, "seats": 2}'


def test_exact_match_forgives_white_space_around_and_nothing_else() -> None:
    assert exact_match("rooms", " rooms\n") == 1
    assert exact_match("rooms", "Rooms") == 0
    assert normalised_match("Rooms!", "rooms") == 1


def test_token_f1_counts_repeated_words() -> None:
    # 2 words in common ("the", "book"), 3 expected, 4 said.
    assert token_f1("the red book", "the the book now") == pytest.approx(2 * 2 / (3 + 4))
    assert token_f1("yes", "no") == 0
    assert token_f1("", "") == 1
    assert token_f1("yes", "") == 0


def test_scripts_without_spaces_are_counted_by_the_character() -> None:
    assert token_f1("東京都", "東京") == pytest.approx(0.8)


@pytest.mark.parametrize(
    "answer",
    [
        '{"seats": 2, "urgent": true, "student": null, "queue": "rooms"}',
        '```json\n{"queue":"rooms","student":null,"urgent":true,"seats":2.0}\n```',
        'Here is the ticket: {"queue": "rooms", "student": null, "urgent": true, "seats": 2} Anything else?',
    ],
)
def test_the_same_object_matches_whatever_its_order_and_wrapping(answer: str) -> None:
    assert json_match(TICKET, answer) == 1


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "rooms",
        '{"queue": "rooms", "student": null, "urgent": 1, "seats": 2}',
        '{"queue": "rooms", "urgent": true, "seats": 2}',
        '{"queue": "rooms", "student": null, "urgent": true, "seats": "2"}',
        '{"queue": "rooms", "student": null, "urgent": true, "seats": 2',
        "[" * 5000,
    ],
)
def test_another_object_does_not_match(answer: str) -> None:
    assert json_match(TICKET, answer) == 0


def test_valid_json_means_the_whole_answer() -> None:
    assert json_valid(TICKET) == 1
    assert json_valid(f"Sure: {TICKET}") == 0
    assert json_valid("3") == 0


def test_fields_are_scored_one_by_one() -> None:
    assert field_matches(TICKET, '{"queue": "rooms", "student": "x", "urgent": true}') == {
        "queue": 1.0,
        "student": 0.0,
        "urgent": 1.0,
        "seats": 0.0,
    }
    assert field_matches("rooms", "rooms") == {}


def test_the_metric_follows_the_answers_unless_told() -> None:
    assert choose_metric("auto", [TICKET] * 9 + ["none"]) == "json_match"
    assert choose_metric("auto", ["card_lost", "card_stolen"]) == "exact_match"
    assert choose_metric("auto", ["Dear customer, " + "we are sorry to hear this. " * 9]) == "token_f1"
    assert choose_metric("token_f1", [TICKET]) == "token_f1"
    assert choose_metric("exact_match", ["a long answer. " * 20]) == "exact_match"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(json_values, st.text(max_size=60))
@settings(max_examples=80, deadline=None)
def test_no_text_breaks_a_metric(value: object, text: str) -> None:
    expected = json.dumps(value)
    assert json_match(expected, expected) == 1
    for metric in (exact_match, normalised_match, token_f1, json_match):
        assert 0 <= metric(expected, text) <= 1
        assert 0 <= metric(text, expected) <= 1
