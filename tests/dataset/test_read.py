from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import BadInput, NotFound, TuneworthyError
from dataset.read import Dataset, read

Write = Callable[[str, str | bytes], Path]
CHAT = {"messages": [{"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": "delivery"}]}

SHAREGPT = {"conversations": [{"from": "human", "value": "Where is it?"}, {"from": "gpt", "value": "delivery"}]}
LABELLED = {"text": "Where is it?", "label": "delivery"}


def lines(*values: object) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def checks(data: Dataset) -> dict[str, list[int]]:
    return {finding.check: finding.rows for finding in data.findings}


@pytest.mark.parametrize(
    ("name", "content", "format_name"),
    [
        ("a.jsonl", lines(CHAT, CHAT), "openai_chat"),
        ("a.jsonl", lines({"prompt": "Where is it?", "completion": "delivery"}), "prompt_completion"),
        ("a.json", lines([{"instruction": "Where is it?", "input": "", "output": "delivery"}]), "instruction"),
        ("a.jsonl", lines({"instruction": "Where is it?", "response": "delivery"}), "instruction"),
        (
            "a.json",
            lines([SHAREGPT]),
            "sharegpt",
        ),
        ("a.jsonl", lines({"text": "Where is it?", "label": "delivery"}), "text_label"),
        ("a.jsonl", lines({"question": "Where is it?", "sql": "delivery", "answer": "4"}), "question_answer"),
        ("a.jsonl", lines({"question": "Where is it?", "answer": "delivery"}), "question_answer"),
        ("a.csv", "text,category\nWhere is it?,delivery\n", "csv"),
        ("a.tsv", "utterance\tintent\nWhere is it?\tdelivery\n", "tsv"),
        ("a.csv", "Text;Label\nWhere is it?;delivery\n", "csv"),
        ("a.txt", "text|label\nWhere is it?|delivery\n", "csv"),
        ("a.txt", lines(CHAT, CHAT), "openai_chat"),
        ("a.jsonl", json.dumps([CHAT], indent=2), "openai_chat"),
        ("a.jsonl", json.dumps(CHAT, indent=2) + "\n" + json.dumps(CHAT, indent=2), "openai_chat"),
        ("a.json", json.dumps({"about": "us", "rows": [CHAT]}), "openai_chat"),
        ("a.json", json.dumps({"1": LABELLED, "2": LABELLED}), "text_label"),
    ],
)
def test_every_usual_format_is_known_by_its_looks(write: Write, name: str, content: str, format_name: str) -> None:
    data = read(write(name, content))
    assert data.format == format_name
    assert data.rows[0].user_text.strip() == "Where is it?"
    assert data.rows[0].answer == "delivery"


def test_a_document_under_a_jsonl_name_is_read_and_reported(write: Write) -> None:
    data = read(write("a.jsonl", json.dumps([CHAT, CHAT], indent=1)))
    assert len(data.rows) == 2
    assert "unknown_format" in checks(data)


def test_broken_json_on_one_line_costs_that_line_alone(write: Write) -> None:
    content = lines(CHAT) + '{"messages": [\n' + lines(CHAT) + "\n" + lines([1], CHAT)
    data = read(write("a.jsonl", content))
    assert [row.line for row in data.rows] == [1, 3, 6]
    assert checks(data) == {"bad_line": [2, 5]}


def test_a_broken_first_line_costs_that_line_alone(write: Write) -> None:
    data = read(write("a.jsonl", "{oops\n" + lines(CHAT, CHAT)))
    assert [row.line for row in data.rows] == [2, 3]
    assert checks(data) == {"bad_line": [1]}


def test_a_broken_document_is_refused_with_its_line(write: Write) -> None:
    with pytest.raises(BadInput) as caught:
        read(write("a.json", '[\n {"text": "a", "label": "b"},\n {"text": oops}\n]'))
    assert caught.value.line == 3


def test_ragged_rows_of_a_table_are_named_and_the_others_kept(write: Write) -> None:
    content = 'text,label\na,b\nc,d,e\n"two\nlines",f\ng\nh,i,,\n'
    data = read(write("a.csv", content))
    assert [(row.line, row.user_text, row.answer) for row in data.rows] == [
        (2, "a", "b"),
        (4, "two\nlines", "f"),
        (7, "h", "i"),
    ]
    assert checks(data) == {"bad_line": [3, 6]}


def test_a_quote_that_is_never_closed_does_not_swallow_the_file(write: Write) -> None:
    data = read(write("a.csv", 'text,label\na,b\n"never closed,c\nd,e\nf,g\n'))
    assert [row.line for row in data.rows] == [2, 4, 5]
    assert checks(data) == {"bad_line": [3]}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-32", "cp1252", "latin-1"])
def test_other_encodings_read_the_same(write: Write, encoding: str) -> None:
    text = "text,label\nWo ist mein Paket für Zürich?,Lieferung\nCafé à la crème?,menü\n" * 3
    data = read(write("a.csv", text.encode(encoding)))
    assert data.rows[0].user_text == "Wo ist mein Paket für Zürich?"
    assert data.rows[1].answer == "menü"


def test_a_few_broken_bytes_are_reported_by_line(write: Write) -> None:
    content = "text,label\ncafé,très bien\n".encode() + b"caf\xff,good\n" + "thé,déjà\n".encode()
    data = read(write("a.csv", content))
    assert data.encoding == "utf-8"
    assert checks(data) == {"encoding": [3]}
    assert len(data.rows) == 3


def test_null_bytes_and_old_line_ends_do_no_harm(write: Write) -> None:
    data = read(write("a.csv", b"text,label\ra\x00b,c\rd,e\r"))
    assert [row.user_text for row in data.rows] == ["ab", "d"]


def test_columns_can_be_chosen(write: Write) -> None:
    path = write("a.csv", "id,subject,body,team\n7,Hello,Where is it?,post\n")
    data = read(path, inputs=["subject", "body"], output="team")
    assert (data.rows[0].user_text, data.rows[0].answer) == ("Hello\nWhere is it?", "post")
    assert data.rows[0].extra == {"id": "7"}


def test_chosen_columns_may_lie_deep_in_the_records(write: Write) -> None:
    content = json.dumps({"data": {"items": [{"user": {"text": "Hi", "slots": ["a", "b"]}, "tags": [{"x": 1}]}]}})
    data = read(write("a.json", content), records="data.items", inputs=["user.text", "user.slots"], output="tags.0.x")
    assert (data.rows[0].user_text, data.rows[0].answer) == ("Hi\na, b", "1")
    assert data.records == "data.items"


def test_a_missing_column_is_named_with_those_that_exist(write: Write) -> None:
    with pytest.raises(BadInput, match=r"no column `message`.*text, label"):
        read(write("a.csv", "text,label\na,b\n"), inputs=["message"], output="label")


def test_a_missing_records_path_is_named_with_the_keys_that_exist(write: Write) -> None:
    with pytest.raises(BadInput, match=r"no records at `items`.*rows"):
        read(write("a.json", '{"rows": [{"text": "a", "label": "b"}]}'), records="items")


def test_unknown_columns_come_back_to_be_chosen_from(write: Write) -> None:
    data = read(write("a.csv", "alpha,beta,gamma\n1,2,3\n"))
    assert (data.format, data.rows, data.columns) == ("unknown", (), ("alpha", "beta", "gamma"))
    assert "alpha, beta, gamma" in data.findings[0].message
    with pytest.raises(BadInput, match="alpha, beta, gamma"):
        data.usable()


@pytest.mark.parametrize("extra", [{"chosen": "a", "rejected": "b"}, {"messages": CHAT["messages"], "label": True}])
def test_preference_data_is_refused_politely(write: Write, extra: dict[str, object]) -> None:
    data = read(write("a.jsonl", lines(extra, extra)))
    assert data.rows == ()
    assert "preference" in data.findings[0].message


def test_a_system_prompt_is_put_before_rows_that_have_none(write: Write) -> None:
    own = {"messages": [{"role": "system", "content": "Mine."}, *CHAT["messages"]]}
    data = read(write("a.jsonl", lines(CHAT, own)), system_prompt="Be brief.")
    assert [row.messages[0].content for row in data.rows] == ["Be brief.", "Mine."]


def test_roles_and_weights_of_hosts_are_understood(write: Write) -> None:
    turns = [
        {"role": "developer", "content": [{"type": "text", "text": "Be "}, {"type": "text", "text": "brief."}]},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello", "weight": 0},
    ]
    row = read(write("a.jsonl", lines({"messages": turns}, CHAT))).rows[0]
    assert [(m.role, m.content, m.learned) for m in row.messages] == [
        ("system", "Be brief.", True),
        ("user", "Hi", True),
        ("assistant", "Hello", False),
    ]


def test_a_picture_becomes_a_marker_that_is_counted_and_not_learned(write: Write) -> None:
    def asking(url: str) -> dict[str, object]:
        parts = [{"type": "text", "text": "What is it? "}, {"type": "image_url", "image_url": {"url": url}}]
        return {"messages": [{"role": "user", "content": parts}, {"role": "assistant", "content": "A lamp."}]}

    data = read(write("a.jsonl", lines(CHAT, asking("one.png"), asking("two.png"), asking("one.png"))))
    asked = [row.user_text for row in data.rows[1:]]
    assert all(text.startswith("What is it? [image ") for text in asked)
    assert asked[0] == asked[2] != asked[1], "one picture has one marker"
    (found,) = data.findings
    assert (found.check, found.severity, found.count, found.rows) == ("text_only", "note", 3, [2, 3, 4])
    assert "3 pictures" in found.message and "text only" in found.fix


def test_a_picture_in_an_answer_costs_its_line(write: Write) -> None:
    turns = [{"role": "assistant", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]
    data = read(write("a.jsonl", lines(CHAT, {"messages": turns})))
    assert checks(data) == {"bad_line": [2]}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "is empty"),
        ("a.jsonl", b"\n \n\xef\xbb\xbf", "is empty"),
        ("a.csv", b"\x89PNG\r\n\x1a\n\x00\x00", "a picture"),
        ("a.jsonl", b"PK\x03\x04rest", "broken or a cut off zip"),
        ("a.csv", bytes(range(256)) * 20, "is not text"),
        ("a.json", b"[" * 100_000, "nested too deeply"),
        ("a.json", b'[{"a":' * 300 + b"1" + b"}]" * 300, "nested"),
        ("a.json", b"hello there", "is not JSON"),
        ("a.json", b"7", "a number"),
    ],
)
def test_what_is_no_data_is_refused_in_one_sentence(write: Write, name: str, content: bytes, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        read(write(name, content))


def test_nesting_bombs_and_endless_numbers_cost_their_line(write: Write) -> None:
    content = lines(CHAT) + "[" * 50_000 + "\n" + '{"n": ' + "9" * 5000 + "}\n" + lines(CHAT)
    data = read(write("a.jsonl", content))
    assert [row.line for row in data.rows] == [1, 4]
    assert checks(data) == {"bad_line": [2, 3]}


def test_a_line_beyond_all_measure_is_skipped(write: Write) -> None:
    content = lines(CHAT) + '{"text": "' + "x" * (17 << 20) + '"}\n' + lines(CHAT)
    data = read(write("a.jsonl", content))
    assert [row.line for row in data.rows] == [1, 3]
    assert checks(data) == {"bad_line": [2]}


def test_half_characters_can_be_written_again(write: Write) -> None:
    data = read(write("a.jsonl", '{"prompt": "a\\ud800b", "completion": "c"}\n'))
    assert data.rows[0].user_text.encode() == "a\ufffdb".encode()


def test_a_file_above_the_cap_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.jsonl"
    with path.open("wb") as file:
        file.truncate((1 << 30) + 1)
    with pytest.raises(BadInput, match=r"up to 1 GiB.*sample"):
        read(path)


@pytest.mark.parametrize("where", ["missing.csv", "folder", "missing/deeper.csv", "nul\x00byte.csv"])
def test_a_path_that_is_no_file_is_an_error_of_ours(tmp_path: Path, where: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(TuneworthyError):
        read(tmp_path / where)


def test_the_original_is_never_altered(write: Write) -> None:
    path = write("a.csv", "text,label\r\na,b\r\n")
    before = path.read_bytes()
    read(path)
    assert path.read_bytes() == before


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read(tmp_path / "nowhere.csv")


def test_one_row_alone_is_json_lines(write: Write) -> None:
    row = '{"text": "Where is it?", "label": "delivery"}'
    assert not read(write("a.jsonl", row + "\n")).findings
    for other in (f"[{row}]", row.replace(", ", ",\n"), f'{{"rows": [{row}, {row}]}}'):
        assert [found.check for found in read(write("a.jsonl", other)).findings] == ["unknown_format"]
