from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from core.errors import BadInput, Refused
from serving.schema_plain import plain

pytest.importorskip("torch")
pytest.importorskip("outlines_core")

from serving import schema_automaton
from serving.constrained import ConstrainedModel
from serving.model import ChatModel

TICKET = {
    "type": "object",
    "properties": {
        "queue": {"type": "string", "enum": ["rooms", "fees", "exams"]},
        "course": {"type": "string"},
        "seats": {"type": ["integer", "null"]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "room": {"type": ["object", "null"], "properties": {"floor": {"type": "number"}}, "required": ["floor"]},
    },
    "required": ["queue", "course", "seats", "room"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def model(base: Path) -> ChatModel:
    return ChatModel.load(base)


def _prompts(model: ChatModel, count: int) -> list[list[int]]:
    return [model.tokenizer.encode(f"please send parcel {number} to the office {'now ' * number}").ids
            for number in range(count)]  # fmt: skip


@pytest.mark.parametrize("room", [60, 150])
def test_every_answer_of_a_model_that_writes_noise_is_valid_and_none_is_cut(model: ChatModel, room: int) -> None:
    constrained = ConstrainedModel(model, TICKET)
    found = dict(constrained.completions(_prompts(model, 9), max_new_tokens=room))
    assert sorted(found) == list(range(9)) and len({answer.text for answer in found.values()}) > 1
    for answer in found.values():
        jsonschema.validate(json.loads(answer.text), TICKET)
        assert not answer.truncated and answer.tokens < room
    free = model.generate(_prompts(model, 9), max_new_tokens=room)
    assert not any(answer.text.startswith("{") for answer in free)


def test_the_end_is_allowed_only_where_the_answer_is_whole(model: ChatModel) -> None:
    automaton = schema_automaton.SchemaAutomaton({"enum": ["yes", "yesterday"]}, model.tokenizer, model.end_ids)
    width = model.tokenizer.get_vocab_size()
    state, at = automaton.first, []
    for token in model.tokenizer.encode('"yes"').ids:
        at.append(bool(automaton.allowed(state, 50, width)[automaton.end_ids].any()))
        state = automaton.next(state, token)
    assert not any(at) and bool(automaton.allowed(state, 50, width)[automaton.end_ids].all())
    assert int(automaton.allowed(state, 50, width).sum()) == len(automaton.end_ids), "nothing may follow but the end"


def test_a_choice_that_would_not_fit_is_not_begun(model: ChatModel) -> None:
    wordy = {"enum": ["no", "a very long answer " * 4]}
    constrained = ConstrainedModel(model, wordy)
    for room in (5, 6, 10):
        for _, answer in constrained.completions(_prompts(model, 6), max_new_tokens=room):
            assert answer.text == '"no"' and not answer.truncated
    cut = dict(constrained.completions(_prompts(model, 1), max_new_tokens=2))[0]
    assert cut.truncated and '"no"'.startswith(cut.text)


def test_one_row_alone_and_many_side_by_side_write_the_same(model: ChatModel) -> None:
    constrained = ConstrainedModel(model, TICKET)
    prompts = _prompts(model, 6)
    together = dict(constrained.completions(prompts, max_new_tokens=80))
    for number, prompt in enumerate(prompts):
        alone = dict(constrained.completions([prompt], max_new_tokens=80))[0]
        assert alone.text == together[number].text


def test_a_shared_beginning_and_a_stop_are_kept_to(model: ChatModel) -> None:
    shared = model.tokenizer.encode("send the parcel " * 12).ids
    prompts = [shared + prompt for prompt in _prompts(model, 4)]
    constrained = ConstrainedModel(model, TICKET)
    found = dict(constrained.completions(prompts, max_new_tokens=60))
    for answer in found.values():
        jsonschema.validate(json.loads(answer.text), TICKET)
    assert list(constrained.completions(prompts, max_new_tokens=60, stop=lambda: True)) == []


def test_a_missing_extra_is_said(model: ChatModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_automaton, "is_installed", lambda: False)
    with pytest.raises(Refused, match="not installed") as refused:
        ConstrainedModel(model, TICKET)
    assert "tuneworthy[constrained]" in refused.value.hint


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/x"},
        {"allOf": [{"type": "string"}]},
        {"type": "object", "properties": {'a"b': {"type": "string"}}},
        {"type": "array", "items": False},
        {"type": "string", "pattern": "(?<=a)b"},
    ],
)
def test_what_cannot_be_followed_is_refused(model: ChatModel, schema: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        ConstrainedModel(model, schema)


def test_open_values_become_plain_ones_and_types_become_branches() -> None:
    found = plain({"type": ["object", "null"], "properties": {"a": {}, "b": {"const": 3, "type": "integer"}}})
    assert [branch["type"] for branch in found["anyOf"]] == ["object", "null"]
    assert found["anyOf"][0]["properties"]["b"] == {"enum": [3]}
    jsonschema.Draft202012Validator.check_schema(found)
