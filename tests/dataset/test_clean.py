"""Fixes touch what they name and nothing else, and the cleaned copy tells every line of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from core.errors import BadInput
from dataset.check import check
from dataset.clean import FIXES, Cleaned, clean, offered
from dataset.cleaned_copy import manifest_path, read_clean_manifest, write_cleaned
from dataset.finding import finding
from dataset.masking import mask_personal, mask_secrets, veiled
from dataset.read import read
from dataset.report_text import as_markdown
from dataset.row import Message, Row

DAY = date(2026, 11, 25)
Pair = Callable[..., Row]


def gone(cleaned: Cleaned) -> dict[int, str]:
    return {
        change.before.line: change.reason for step in cleaned.steps for change in step.changes if change.after is None
    }


def test_the_first_of_repeated_inputs_stays(pair: Pair) -> None:
    rows = [pair("Where is it?", "here", 1), pair("where is IT", "here", 2), pair("Where is it?", "there", 3)]
    cleaned = clean(rows, ["exact_duplicate"])
    assert [row.line for row in cleaned.rows] == [1]
    assert gone(cleaned) == {2: "repeats the input of line 1", 3: "repeats the input of line 1, with another answer"}


def test_rows_without_an_input_are_no_repetition_of_each_other(pair: Pair) -> None:
    rows = [pair(" ", "a", 1), pair("", "b", 2)]
    assert clean(rows, ["exact_duplicate"]).rows == tuple(rows)


def test_near_copies_go_only_where_the_answer_is_the_same(pair: Pair) -> None:
    question = "Could you please tell me where my parcel with the red lamp is right now"
    rows = [pair(question, "parcel", 1), pair(f"{question}?!x", "parcel", 2), pair(f"{question}?!y", "lamp", 3)]
    cleaned = clean(rows, ["near_duplicate"])
    assert [row.line for row in cleaned.rows] == [1, 3]


def test_rows_that_are_no_example_go(pair: Pair) -> None:
    no_answer = Row((Message("user", "Hello?"),), 2)
    rows = [pair("Hi", "Hello", 1), no_answer, pair("Hi there", "  ", 3), pair("", "x", 4)]
    cleaned = clean(rows, ["missing_assistant", "empty_text"])
    assert [row.line for row in cleaned.rows] == [1]
    assert gone(cleaned)[2] == "the last turn is not the assistant's" and "assistant" in gone(cleaned)[3]


def test_an_empty_system_turn_costs_no_row() -> None:
    row = Row((Message("system", " "), Message("user", "Hi"), Message("assistant", "Hello")), 1)
    cleaned = clean([row], ["empty_text"])
    assert [turn.role for turn in cleaned.rows[0].messages] == ["user", "assistant"] and cleaned.dropped == 0


def test_conflicts_go_on_both_sides_or_by_majority(pair: Pair) -> None:
    rows = [pair("A cat?", "pets", 1), pair("a  cat?", "pets", 2), pair("A cat?", "room", 3), pair("A dog?", "pets", 4)]
    assert [row.line for row in clean(rows, ["conflicting_labels"]).rows] == [4]
    assert [row.line for row in clean(rows, ["conflicting_labels_majority"]).rows] == [1, 2, 4]
    assert [row.line for row in clean(rows[1:], ["conflicting_labels_majority"]).rows] == [4]  # one against one


def test_inputs_that_differ_in_signs_are_no_conflict(pair: Pair) -> None:
    rows = [pair("C++", "a", 1), pair("C#", "b", 2)]
    assert clean(rows, ["conflicting_labels"]).rows == tuple(rows)


def test_conflicts_are_decided_before_the_first_of_repeated_inputs_is_kept(pair: Pair) -> None:
    rows = [pair("A cat?", "room", 1), pair("A cat?", "pets", 2), pair("A cat?", "pets", 3)]
    cleaned = clean(rows, ["exact_duplicate", "conflicting_labels_majority"])
    assert [(row.line, row.answer) for row in cleaned.rows] == [(2, "pets")]


def test_the_two_ways_to_decide_conflicts_exclude_each_other(pair: Pair) -> None:
    with pytest.raises(BadInput, match="not both"):
        clean([pair("a")], ["conflicting_labels", "conflicting_labels_majority"])


def test_roles_that_hosts_refuse_are_renamed_and_others_stay() -> None:
    rows = [
        Row((Message("human", "Hi"), Message("Chatbot", "Hello")), 1),
        Row((Message("user", "Hi"), Message("model", "Hello", learned=False)), 2),
        Row((Message("user", "Hi"), Message("tool", "{}"), Message("assistant", "Hello")), 3),
    ]
    cleaned = clean(rows, ["bad_roles"])
    assert [[turn.role for turn in row.messages] for row in cleaned.rows] == [
        ["user", "assistant"],
        ["user", "assistant"],
        ["user", "tool", "assistant"],
    ]
    assert not cleaned.rows[1].messages[1].learned and rows[1].messages[1].role == "model"


def test_labels_get_their_most_frequent_spelling(pair: Pair) -> None:
    labels = ["refund"] * 6 + ["Refund"] * 2 + ["C++"] * 4 + ["C#"] * 3
    rows = [pair(f"row {n}", label, n) for n, label in enumerate(labels, 1)]
    cleaned = clean(rows, ["label_spelling"])
    assert {row.answer for row in cleaned.rows} == {"refund", "C++", "C#"}
    assert [change.before.line for change in cleaned.steps[0].changes] == [7, 8]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Write to anna.b@shop.eu, please", "Write to [email], please"),
        ("Call +49 30 901820 now", "Call [phone] now"),
        ("Card 4539 1488 0343 6467.", "Card [card number]."),
        ("IBAN DE89 3704 0044 0532 0130 00", "IBAN [iban]"),
        ("from 8.8.8.8 today", "from [ip address] today"),
        ("Order 4711 at 10.0.0.1, me@example.com", "Order 4711 at 10.0.0.1, me@example.com"),
    ],
)
def test_personal_data_gives_way_to_its_kind(text: str, masked: str) -> None:
    assert mask_personal(text)[0] == masked


def test_secrets_are_taken_out_whole() -> None:
    key = "sk-" + "abcdEFGH1234" * 3
    assert mask_secrets(f"use {key} here")[0] == "use [secret] here"
    assert mask_secrets("db at postgres://me:hunter22@db.local/x")[0] == "db at [secret]db.local/x"
    private = "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\nxyz\n-----END RSA PRIVATE KEY-----"
    assert mask_secrets(f"a {private} b")[0] == "a [secret] b"
    assert mask_secrets(private.partition("\n---")[0])[0] == "[secret]"  # cut off: the rest of it goes too
    assert key not in veiled(f"use {key}") and veiled(f"use {key}").startswith("use sk****")


def test_masked_rows_pass_their_checks(pair: Pair) -> None:
    texts = ["mail to anna.b@shop.eu", "call +49 30 901820", "hf_" + "aB3" * 12, "DE89 3704 0044 0532 0130 00 is mine"]
    rows = clean([pair(text, line=n) for n, text in enumerate(texts, 1)], ["pii", "secret"]).rows
    from dataset.checks.privacy import check_privacy

    assert list(check_privacy(rows)) == []


def test_held_out_rows_that_training_has_seen_go(pair: Pair) -> None:
    training = [pair("Could you please tell me where my parcel with the lamp is", line=7), pair("It broke", line=8)]
    near = "Could you please tell me where my parcel with the lamp is now"
    held_out = [pair("it broke!", line=1), pair(near, line=2), pair("Something else entirely", line=3)]
    assert gone(clean(held_out, ["split_overlap"], training=training)) == {1: "its input stands in line 8 of training"}
    both = clean(held_out, ["split_overlap", "split_near_overlap"], training=training)
    assert [row.line for row in both.rows] == [3]
    with pytest.raises(BadInput, match="compares held-out rows"):
        clean(held_out, ["split_overlap"])


def test_a_fix_that_is_not_there_is_named() -> None:
    with pytest.raises(BadInput, match="no fix `nonsense`"):
        clean([], ["nonsense"])


def test_fixes_are_offered_only_for_what_was_found() -> None:
    found = [finding("pii", "warning", [1], "", ""), finding("conflicting_labels", "note", [1], "", "")]
    assert [fix.id for fix in offered(found)] == ["pii"]
    assert offered([]) == []


def test_every_fix_leaves_clean_rows_alone(pair: Pair) -> None:
    towns = ("Oslo", "Lima", "Cairo", "Quito", "Delhi", "Accra")
    rows = [pair(f"How far is {town} from {n * n * 977}?", f"very {n}", n) for n, town in enumerate(towns, 1)]
    for fix in FIXES:
        assert clean(rows, [fix], training=[]).rows == tuple(rows), fix


def test_the_copy_is_new_and_the_manifest_names_every_line(write: Callable[..., Path]) -> None:
    lines = ["text,label,shop"] + [f"parcel {n * 977},late,s{n % 3}" for n in range(5)]
    source = write("rows.csv", "\n".join([*lines, "PARCEL 0,late,s1", "x,y"]))
    before = source.read_bytes()
    data = read(source)
    out = source.with_name("clean.jsonl")
    manifest = write_cleaned(data, clean(data.rows, ["exact_duplicate"]), out, today=DAY, keep=["shop"])
    assert source.read_bytes() == before and read_clean_manifest(manifest_path(out)) == manifest
    assert [(one.line, one.fix) for one in manifest.dropped] == [(7, "exact_duplicate"), (8, "bad_line")]
    assert manifest.sha256 == data.sha256 and manifest.name == "rows.csv"
    assert (manifest.rows_read, manifest.rows_kept, manifest.lines) == (6, 5, [2, 3, 4, 5, 6])
    again = read(out)
    assert again.sha256 == manifest.cleaned_sha256 and [row.extra["shop"] for row in again.rows][:2] == ["s0", "s1"]
    assert [row.messages for row in again.rows] == [row.messages for row in data.rows[:5]]
    with pytest.raises(BadInput, match="exists already"):
        write_cleaned(data, clean(data.rows, []), out, today=DAY)


def test_a_copy_that_is_cleaned_again_still_tells_lines_of_the_first_original(write: Callable[..., Path]) -> None:
    texts = ["a one", "", "a two", "A ONE", "a three"]
    source = write("rows.jsonl", "".join(json.dumps({"prompt": t, "completion": "x"}) + "\n" for t in texts))
    data = read(source)
    first = source.with_name("first.jsonl")
    write_cleaned(data, clean(data.rows, ["empty_text"]), first, today=DAY)
    middle = read(first)
    told = write_cleaned(middle, clean(middle.rows, ["exact_duplicate"]), source.with_name("b.jsonl"), today=DAY)
    assert [(one.line, one.fix) for one in told.dropped] == [(2, "empty_text"), (4, "exact_duplicate")]
    assert told.dropped[1].reason == "repeats the input of line 1"
    assert told.sha256 == data.sha256 and told.lines == [1, 3, 5] and told.rows_read == 5


def test_what_was_masked_stands_in_no_manifest(write: Callable[..., Path]) -> None:
    row = {"prompt": "I am anna.b@shop.eu", "completion": "sk-" + "abcdEFGH1234" * 3}
    data = read(write("rows.jsonl", json.dumps(row) + "\n"))
    out = data.path.with_name("out.jsonl")
    write_cleaned(data, clean(data.rows, ["pii", "secret"]), out, today=DAY)
    for text in (out.read_text(), manifest_path(out).read_text()):
        assert "anna" not in text and "EFGH" not in text


def test_nothing_is_written_where_no_row_would_be_left(write: Callable[..., Path]) -> None:
    data = read(write("rows.jsonl", '{"prompt": "", "completion": "x"}\n'))
    out = data.path.with_name("out.jsonl")
    with pytest.raises(BadInput, match="no row would be left"):
        write_cleaned(data, clean(data.rows, ["empty_text"]), out, today=DAY)
    assert not out.exists()


def test_what_a_fix_drops_is_what_the_check_counts(shared: Path) -> None:
    folder = shared / "data" / "banking77"
    train, test = read(folder / "train.csv"), read(folder / "test.csv")
    assert clean(train.rows, ["exact_duplicate"]).dropped == 31
    both = clean(test.rows, ["split_overlap", "split_near_overlap"], training=train.rows)
    assert [step.dropped for step in both.steps] == [25, 126]


def test_the_report_reads_as_markdown_and_shows_no_markup_of_the_data(pair: Pair, write: Callable[..., Path]) -> None:
    rows = "".join(
        json.dumps({"text": f"parcel {n % 9}", "label": "a|<b>" if n % 2 else "c"}) + "\n" for n in range(20)
    )
    report = check(read(write("rows.jsonl", rows)), today=DAY)
    text = as_markdown(report, "rows *1*.jsonl")
    assert text.startswith("# Data check: rows \\*1\\*.jsonl\n") and "**Exact duplicate** (11)" in text
    assert "| a\\|\\<b\\> | 10 |" in text and "checked on 25 Nov 2026" in text
