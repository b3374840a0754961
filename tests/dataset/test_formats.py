"""Tool calls, preference pairs, prompts over columns, and tagged words."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInput
from dataset.check import check
from dataset.prompt_template import PromptTemplate
from dataset.read import read
from dataset.write import write_chat

Write = Callable[[str, str | bytes], Path]
TOOLS = [{"type": "function", "function": {"name": "find_parcel", "parameters": {"type": "object"}}}]


def lines(*values: object) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def call(name: str, arguments: Any, number: int = 1) -> dict[str, Any]:
    return {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}


def test_tool_calls_read_as_text_without_their_ids(write: Write, tmp_path: Path) -> None:
    both = [call("find_parcel", '{"id": 7}'), call("find_parcel", {"id": 8}, 2)]
    row = {
        "messages": [
            {"role": "user", "content": "Where are 7 and 8?"},
            {"role": "assistant", "tool_calls": both},
        ],
        "tools": TOOLS,
        "parallel_tool_calls": True,
    }
    data = read(write("a.jsonl", lines(row, row)))
    assert data.format == "openai_chat"
    assert [json.loads(line) for line in data.rows[0].answer.splitlines()] == [
        {"name": "find_parcel", "arguments": {"id": 7}},
        {"name": "find_parcel", "arguments": {"id": 8}},
    ]
    (found,) = data.findings
    assert (found.check, found.severity, found.rows) == ("text_only", "warning", [1, 2])
    assert "4 tool calls" in found.message
    write_chat(data.rows, tmp_path / "copy.jsonl")
    assert [row.messages for row in read(tmp_path / "copy.jsonl").rows] == [row.messages for row in data.rows]


def test_a_conversation_with_tools_keeps_all_its_turns(write: Write) -> None:
    turns = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Where is 7?"}]},
        {"role": "assistant", "content": None, "tool_calls": [call("find_parcel", '{"id": 7}')], "weight": 0},
        {"role": "tool", "tool_call_id": "call_1", "content": "shelf 3"},
        {"role": "assistant", "content": "On shelf 3."},
        {"role": "user", "content": "And 8?"},
        {"role": "assistant", "content": None, "function_call": {"name": "find_parcel", "arguments": "8"}},
        {"role": "function", "name": "find_parcel", "content": "nowhere"},
        {"role": "assistant", "content": None, "refusal": "That I may not say."},
    ]
    row = read(write("a.jsonl", lines({"messages": turns}, {"messages": turns}))).rows[0]
    assert [(turn.role, turn.content, turn.learned) for turn in row.messages] == [
        ("system", "Be brief.", True),
        ("user", "Where is 7?", True),
        ("assistant", '{"name": "find_parcel", "arguments": {"id": 7}}', False),
        ("tool", "shelf 3", True),
        ("assistant", "On shelf 3.", True),
        ("user", "And 8?", True),
        ("assistant", '{"name": "find_parcel", "arguments": "8"}', True),
        ("function", "nowhere", True),
        ("assistant", "That I may not say.", True),
    ]


@pytest.mark.parametrize("calls", ["find", [1], {"name": "find"}])
def test_tool_calls_of_another_make_cost_their_line(write: Write, calls: object) -> None:
    good = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}
    bad = {"messages": [{"role": "assistant", "content": None, "tool_calls": calls}]}
    data = read(write("a.jsonl", lines(good, bad)))
    assert [(found.check, found.rows) for found in data.findings] == [("bad_line", [2])]


HELLO = [{"role": "user", "content": "Where is it?"}]
GOOD = {"role": "assistant", "content": "On shelf 3."}
POOR = {"role": "assistant", "content": "Dunno."}


@pytest.mark.parametrize(
    "record",
    [
        {"input": {"messages": HELLO}, "preferred_output": [GOOD], "non_preferred_output": [POOR]},
        {"prompt": "Where is it?", "chosen": "On shelf 3.", "rejected": "Dunno."},
        {"prompt": HELLO, "chosen": [GOOD], "rejected": [POOR]},
        {"prompt": "Where is it?", "chosen": [*HELLO, GOOD], "rejected": [*HELLO, POOR]},
        {"chosen": [*HELLO, GOOD], "rejected": [*HELLO, POOR]},
        {
            "conversations": [{"from": "human", "value": "Where is it?"}],
            "chosen": {"from": "gpt", "value": "On shelf 3."},
            "rejected": {"from": "gpt", "value": "Dunno."},
        },
        {"question": "Where is it?", "chosen": "On shelf 3.", "rejected": "Dunno.", "id": 7},
    ],
)
def test_preference_pairs_are_checked_and_not_trained_on(write: Write, record: dict[str, Any]) -> None:
    data = read(write("a.jsonl", lines(record, record)))
    assert data.format == "preference"
    assert (data.rows[0].user_text, data.rows[0].answer) == ("Where is it?", "On shelf 3.")
    assert data.rows[0].extra["rejected"] == "Dunno."
    assert "exact_duplicate" in {found.check for found in check(data, today=date(2026, 1, 1)).findings}
    with pytest.raises(BadInput, match=r"preference pairs .* not trained on"):
        data.usable()


def test_a_system_prompt_beside_a_pair_is_kept(write: Write) -> None:
    pair = {"system": "Be brief.", "prompt": "Where is it?", "chosen": "Here.", "rejected": "There."}
    assert read(write("a.jsonl", lines(pair, pair))).rows[0].messages[0].content == "Be brief."


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_preference_pairs_in_a_table_are_known_too(write: Write, name: str) -> None:
    text = "prompt,chosen,rejected\nWhere is it?,On shelf 3.,Dunno.\n"
    path = write(name, text.replace(",", "\t") if name == "a.tsv" else text)
    assert read(path).format == "preference"
    chosen = read(path, inputs=["prompt"], output="chosen").usable()
    assert chosen.rows[0].answer == "On shelf 3.", "who names the columns wants them learned"


def test_a_pair_among_other_rows_is_left_out(write: Write) -> None:
    row = {"prompt": "Where is it?", "completion": "On shelf 3."}
    pair = {"prompt": "And that?", "chosen": "Here.", "rejected": "There."}
    data = read(write("a.jsonl", lines(row, pair, row)))
    assert data.format == "prompt_completion"
    assert [row.line for row in data.usable().rows] == [1, 3]
    assert [(found.check, found.rows) for found in data.findings] == [("bad_line", [2])]


def test_a_prompt_is_written_over_columns(write: Write) -> None:
    path = write("a.csv", "subject,body,team\nLamp,It broke,refund\nParcel,,post\n")
    data = read(path, template="Sort this mail.\n{subject}: {body}\n{{team}}?", output="team")
    assert data.inputs == ("subject", "body")
    assert [row.user_text for row in data.rows] == [
        "Sort this mail.\nLamp: It broke\n{team}?",
        "Sort this mail.\nParcel: \n{team}?",
    ]
    assert data.rows[0].answer == "refund"


def test_a_prompt_reaches_into_records_and_runs_nothing(write: Write) -> None:
    rows = [{"mail": {"text": "{label}", "tags": ["a", "b"]}, "label": "post"}] * 2
    data = read(write("a.jsonl", lines(*rows)), template="{mail.text} {mail.tags.1}", output="label")
    assert data.rows[0].user_text == "{label} b"
    path = write("b.csv", "text,label\na,b\n")
    assert read(path, template="[{label.__class__}]", output="text").rows[0].user_text == "[]"
    with pytest.raises(BadInput, match="no column `name`"):
        read(path, template="{text} {name}", output="label")


@pytest.mark.parametrize(
    ("template", "words"),
    [("Sort it.", "names no column"), ("{}", "brace without"), ("{text", "brace without"), ("{a}" * 9000, "27,000")],
)
def test_a_prompt_without_a_column_is_refused(template: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        PromptTemplate.parse(template)


CONLL = "Anna\tB-PER\nlives\tO\nin\tO\nOslo\tB-LOC\n\nBen\tB-PER\nleft\tO\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", CONLL),
        ("a.tsv", "word\ttag\n" + CONLL),
        ("a.conll", "-DOCSTART- -X- -X- O\n\nAnna NNP B-NP B-PER\nleft VBD B-VP O\nOslo NNP B-NP B-LOC\n"),
        ("a.conllu", "# text = Anna left.\n" + "".join(f"{n}\tAnna" + "\t_" * 8 + "\n" for n in range(1, 5))),
    ],
)
def test_tagged_words_are_refused_with_what_to_do(write: Write, name: str, content: str) -> None:
    with pytest.raises(BadInput, match=r"tagged words.*one row of each sentence"):
        read(write(name, content))


def test_a_table_of_short_labels_is_not_taken_for_tagged_words(write: Write) -> None:
    data = read(write("a.tsv", "text\tlabel\n" + "My blood\tO\n" * 5 + "His blood\tB\n" * 5))
    assert len(data.rows) == 10
