from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import BadInput, NotFound, TuneworthyError
from evaluation.axes.general_set import general_set

OWN = {"question": "What boils at 100 degrees?", "choices": ["Water", "Iron"], "answer": 0}


def write(tmp_path: Path, text: str, name: str = "set.jsonl") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "row",
    [
        OWN,
        OWN | {"answer": "A"},
        OWN | {"answer": "Water"},
        {"question": OWN["question"], "choices": {"text": ["Water", "Iron"], "label": ["1", "2"]}, "answerKey": "1"},
        {"query": "Question: What boils at 100 degrees?", "choices": ["Water", "Iron"], "gold": 0},
    ],
)
def test_usual_layouts_are_the_same_question(tmp_path: Path, row: dict[str, object]) -> None:
    (found,) = general_set(write(tmp_path, json.dumps(row))).questions
    assert found.text == "Question: What boils at 100 degrees?\nAnswer:"
    assert (found.choices, found.right, found.axis) == ((" Water", " Iron"), 0, "knowledge")


def test_beginnings_are_gone_on_with_and_not_asked(tmp_path: Path) -> None:
    row = {"ctx": "She opens the door and", "endings": ["walks in.", "flies."], "label": "0", "activity_label": "Doors"}
    (found,) = general_set(write(tmp_path, json.dumps([row]), "set.json")).questions
    assert (found.text, found.choices, found.part) == ("She opens the door and", (" walks in.", " flies."), "Doors")


def test_tables_are_read_by_their_header(tmp_path: Path) -> None:
    text = 'question,choice0,choice1,answer\n"Ice, warmed, becomes",water,stone,0\n'
    (found,) = general_set(write(tmp_path, text, "set.csv")).questions
    assert found.expected == "water" and found.text == "Question: Ice, warmed, becomes\nAnswer:"


def test_a_number_is_a_text_where_it_is_a_choice_and_an_index_in_a_table(tmp_path: Path) -> None:
    row = {"question": "How many legs has a spider?", "choices": ["4", "6", "8", "2"], "answer": "2"}
    (text,) = general_set(write(tmp_path, json.dumps(row))).questions
    assert text.expected == "2"
    table = "question,choice0,choice1,choice2,choice3,answer\nHow many legs has a spider?,4,6,8,2,2\n"
    (cell,) = general_set(write(tmp_path, table, "set.csv")).questions
    assert cell.expected == "8"


def test_published_files_can_be_asked(shared: Path) -> None:
    data = shared / "data"
    counts = {
        name: (len(found.questions), len(found.left_out))
        for name in (
            "general_knowledge/arc_easy_part.jsonl",
            "truthfulqa/TruthfulQA.csv",
            "hellaswag_part/hellaswag_300.txt",
        )
        for found in [general_set(data / name)]
    }
    assert counts["hellaswag_part/hellaswag_300.txt"] == (300, 0)
    assert counts["truthfulqa/TruthfulQA.csv"][0] > 700
    assert all(asked > 200 and out < 0.02 * asked for asked, out in counts.values())


def test_a_few_rows_that_cannot_be_asked_are_left_out_and_named(tmp_path: Path) -> None:
    rows = [json.dumps(OWN)] * 9 + [json.dumps(OWN | {"choices": ["Water", "Water"]})]
    found = general_set(write(tmp_path, "\n".join(rows)))
    assert (len(found.questions), found.left_out) == (9, [10])


def test_a_file_of_something_else_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"set.jsonl:1: is not a question"):
        general_set(write(tmp_path, '{"text": "hello"}'))
    with pytest.raises(BadInput, match=r"set.jsonl:2: is not JSON"):
        general_set(write(tmp_path, json.dumps(OWN) + "\n{"))
    with pytest.raises(BadInput, match="holds no questions"):
        general_set(write(tmp_path, ""))
    with pytest.raises(NotFound):
        general_set(tmp_path / "none.jsonl")


COLUMNS = st.sampled_from(["question", "choices", "answer", "ctx", "label"])
VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(COLUMNS, inner),
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_questions_or_a_clear_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "any.jsonl"
    path.write_bytes(data)
    try:
        found = general_set(path)
    except TuneworthyError as error:
        assert str(error)
    else:
        assert found.questions
        assert all(0 <= question.right < len(question.choices) for question in found.questions)
