from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput, NotFound
from evaluation.metrics import field_f1, infer_schema, read_schema, schema_valid

QUEUES = ["rooms", "fees", "exams"]
TICKETS = [
    json.dumps({"queue": QUEUES[n % 3], "course": f"MAT-{n}", "seats": n, "due": None if n % 2 else "May"})
    for n in range(12)
]


def test_the_schema_of_the_house_is_read_off_its_answers() -> None:
    schema = infer_schema([*TICKETS, "not JSON"])
    assert schema is not None
    assert schema["properties"]["queue"] == {"type": "string", "enum": ["exams", "fees", "rooms"]}
    assert schema["properties"]["course"] == {"type": "string"}
    assert schema["properties"]["seats"] == {"type": "integer"}
    assert schema["properties"]["due"] == {"type": ["null", "string"], "enum": ["May", None]}
    assert schema["required"] == ["queue", "course", "seats", "due"]


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        ({}, 1),
        ({"course": "BIO-1", "seats": 10**6}, 1),
        ({"queue": "parking"}, 0),
        ({"seats": "2"}, 0),
        ({"seats": True}, 0),
        ({"colour": "red"}, 0),
        ({"due": "June"}, 0),
    ],
)
def test_an_answer_is_held_to_keys_types_and_lists_of_values(change: dict[str, Any], valid: float) -> None:
    schema = infer_schema(TICKETS)
    assert schema is not None
    assert schema_valid(schema, json.dumps(json.loads(TICKETS[0]) | change)) == valid


def test_a_key_that_some_lack_may_be_missing_and_prose_around_is_not_forgiven() -> None:
    schema = infer_schema(['{"a": 1, "b": [1, 2.5]}', '{"a": 2}'])
    assert schema is not None
    assert schema_valid(schema, '{"a": 3}') == schema_valid(schema, '{"a": 3, "b": [7, 0.5]}') == 1
    assert schema_valid(schema, '{"b": [1]}') == schema_valid(schema, '{"a": 3, "b": ["x"]}') == 0
    assert schema_valid(schema, 'Sure: {"a": 3}') == schema_valid(schema, "") == 0
    assert infer_schema(["rooms", "3"]) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), json_values, max_size=3), min_size=1, max_size=9))
@settings(max_examples=80, deadline=None)
def test_every_answer_is_valid_by_the_schema_that_it_was_read_off(values: list[dict[str, Any]]) -> None:
    answers = [json.dumps(value) for value in values]
    schema = infer_schema(answers)
    assert schema is not None
    assert all(schema_valid(schema, answer) for answer in answers)
    assert all(field_f1(answer, answer) == 1 for answer in answers)


def test_a_given_schema_may_use_all_of_the_language(tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    path.write_text('{"type": "object", "properties": {"n": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"minimum": 3}}}')
    schema = read_schema(path)
    assert schema_valid(schema, '{"n": 3}') == 1
    assert schema_valid(schema, '{"n": 2}') == 0


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"type": "things"}',
        '{"$ref": "http://example.com/schema.json"}',
        '{"properties": {"n": {"allOf": [{"$ref": "other.json#/n"}]}}}',
        '{"properties": {"n": {"$ref": "#/$defs/n"}}}',
    ],
)
def test_what_is_no_schema_is_said_and_nothing_is_fetched(text: str, tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    path.write_text(text)
    with pytest.raises(BadInput) as caught:
        read_schema(path)
    assert caught.value.file == str(path) and caught.value.hint
    with pytest.raises(NotFound):
        read_schema(tmp_path / "none.json")


def test_an_answer_of_brackets_alone_breaks_nothing(tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    path.write_text('{"$id": "https://house.example/ticket", "items": {"$ref": "#"}}')
    schema = read_schema(path)
    for depth in (3, 100, 400, 900):
        deep = "[" * depth + "]" * depth
        assert field_f1('{"a": 1}', deep) == 0
        assert schema_valid(schema, deep) in (0, 1)
    assert schema_valid(schema, "[[[]]]") == 1


def test_field_f1_counts_what_is_missed_and_what_is_made_up() -> None:
    expected = '{"name": "Ada", "city": "Bern", "seats": 2}'
    assert field_f1(expected, '{"name": "Ada", "city": "Basel", "seats": 2}') == pytest.approx(2 * 2 / 6)
    assert field_f1(expected, '{"name": "Ada", "city": "Bern", "seats": 2, "pet": "cat"}') == pytest.approx(2 * 3 / 7)
    assert field_f1(expected, 'Here: {"seats": 2.0, "name": "Ada", "city": "Bern"}') == 1
    assert field_f1(expected, "Ada, Bern, 2") == field_f1("Ada", "Ada") == 0


def test_one_item_missed_does_not_spoil_the_list_and_types_count() -> None:
    assert field_f1('{"tags": ["a", "b", "c"]}', '{"tags": ["b", "c"]}') == pytest.approx(2 * 2 / 5)
    assert field_f1('{"tags": []}', '{"tags": {}}') == 0
    assert field_f1('{"ok": true}', '{"ok": 1}') == 0
    assert field_f1("[]", "[]") == 1
