from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import pytest

from core.errors import BadInput
from dataset.check import check
from dataset.checks.privacy import is_iban, passes_luhn, personal_data, secret_kinds
from dataset.finding import Finding, Report
from dataset.read import Dataset, read
from dataset.render import Renderer
from dataset.row import Message, Row

TODAY = date(2026, 1, 1)
Pair = Callable[..., Row]


def dataset(rows: Sequence[Row]) -> Dataset:
    return Dataset(Path("a.jsonl"), "a.jsonl", "0" * 64, "utf-8", "openai_chat", tuple(rows), ())


def found(report: Report) -> dict[str, Finding]:
    return {finding.check: finding for finding in report.findings}


def checked(rows: Sequence[Row], **settings: object) -> dict[str, Finding]:
    return found(check(dataset(rows), today=TODAY, **settings))  # type: ignore[arg-type]


@pytest.fixture
def clean(pair: Pair) -> list[Row]:
    places = ["Aberdeen", "Bergen", "Cork", "Dundee", "Exeter", "Fife", "Galway", "Hull", "Inverness", "Jersey"]
    verbs = ["reach", "leave", "pass", "miss", "find", "see", "know", "like", "visit", "avoid"]
    rows = []
    for line, (place, verb) in enumerate(((place, verb) for place in places for verb in verbs), 1):
        rows.append(pair(f"How do I {verb} {place * 3} when it is {verb * 2}?", f"{place} {verb}ed {line}", line))
    return rows


def test_clean_rows_have_no_finding(clean: list[Row]) -> None:
    assert checked(clean) == {}


def test_the_report_has_the_keys_of_the_contract(clean: list[Row]) -> None:
    report = json.loads(check(dataset(clean[:4]), today=TODAY).model_dump_json())
    assert {"format", "rows", "tokens", "findings"} <= report.keys()
    assert {"total", "p50", "p95", "max", "tokenizer"} <= report["tokens"].keys()
    assert {"check", "severity", "count", "rows", "message", "fix"} == report["findings"][0].keys()


@pytest.mark.parametrize(("count", "severity"), [(3, "error"), (30, "warning"), (100, None)])
def test_fewer_than_100_rows_are_said_to_be_few(clean: list[Row], count: int, severity: str | None) -> None:
    few = checked(clean[:count]).get("too_few_examples")
    assert (few.severity if few else None) == severity


def test_a_row_without_an_answer_is_named_by_its_line(clean: list[Row]) -> None:
    findings = checked([*clean, Row((Message("user", "Hello?"),), 400)])
    assert findings["missing_assistant"].rows == [400]


def test_unknown_roles_late_system_turns_and_repeated_roles_are_told_apart(clean: list[Row]) -> None:
    late = Row((Message("user", "a"), Message("system", "b"), Message("assistant", "c")), 401)
    odd = Row((Message("user", "d"), Message("Chatbot", "e"), Message("assistant", "f")), 402)
    twice = Row((Message("user", "g"), Message("user", "h"), Message("assistant", "i")), 403)
    alone = Row((Message("assistant", "j"),), 404)
    found = checked([*clean, late, odd, twice, alone])["bad_roles"]
    assert (found.severity, found.count, found.rows) == ("error", 4, [401, 402, 403, 404])
    for words in (
        "with a system turn that is not the first (line 401)",
        "with the unknown role `Chatbot` (line 402)",
        "with the same role twice in a row (`user`) (line 403)",
        "without a user turn (line 404)",
    ):
        assert words in found.message
    assert "Rename `Chatbot` to assistant." in found.fix and "Put the system turn first." in found.fix
    mild = checked([*clean, twice])["bad_roles"]
    assert (mild.severity, mild.rows) == ("warning", [403])
    assert "Rename" not in mild.fix and "Join" in mild.fix


def test_rows_without_an_answer_are_told_apart(clean: list[Row]) -> None:
    asked = Row((Message("user", "a"), Message("assistant", "b"), Message("user", "c")), 401)
    never = Row((Message("system", "d"), Message("user", "e")), 402)
    named = Row((Message("user", "f"), Message("model", "g")), 404)
    found = checked([*clean, asked, never, Row((), 403), named])["missing_assistant"]
    assert (found.severity, found.rows) == ("error", [401, 402, 403, 404])
    for words in (
        "1 whose last turn is of the role `user`, after answers before it (line 401)",
        "1 without any turn of the assistant (line 402)",
        "1 without any turn (line 403)",
        "1 whose last turn is of the unknown role `model` (line 404)",
    ):
        assert words in found.message


def test_empty_turns_are_named(clean: list[Row], pair: Pair) -> None:
    empty = checked([*clean, pair("What now?", " \n", 401), pair("", "yes", 402)])["empty_text"]
    assert (empty.rows, empty.severity) == ([401, 402], "error")


def test_repeated_inputs_are_counted_beyond_the_first(clean: list[Row], pair: Pair) -> None:
    rows = [*clean, pair("Is it open?", "a", 401), pair("is it OPEN", "a", 402), pair("Is it open?", "a", 403)]
    finding = checked(rows)["exact_duplicate"]
    assert (finding.count, finding.rows) == (2, [402, 403])
    assert "1 byte for byte" in finding.message


def test_a_shared_system_prompt_makes_no_near_duplicates(clean: list[Row], pair: Pair) -> None:
    prompt = "You answer the mail of a railway office, briefly and kindly, and you never promise a refund. " * 5
    assert "near_duplicate" not in checked([pair(row.user_text, row.answer, row.line, prompt) for row in clean])


def test_the_same_question_under_another_system_prompt_is_no_duplicate(clean: list[Row], pair: Pair) -> None:
    rows = [*clean, pair("Is it open?", "yes", 401, "Be brief."), pair("Is it open?", "Yes, it is.", 402, "Be chatty.")]
    assert checked(rows) == {}


def test_near_copies_are_both_named(clean: list[Row], pair: Pair) -> None:
    text = "Could you please tell me where the parcel is that I ordered on Monday"
    finding = checked([*clean, pair(text, "a1", 401), pair(text + " last", "a2", 402)])["near_duplicate"]
    assert (finding.count, finding.rows) == (2, [401, 402])


@pytest.mark.parametrize(
    ("inputs", "answers", "severity"),
    [
        (("is it open", "Is it  OPEN"), ("yes", "no"), "error"),
        (("is it C++", "is it C#"), ("yes", "no"), "note"),
        (("is it open", "is it open"), ("It is indeed open.", "No it is shut today."), "warning"),
    ],
)
def test_conflicts_are_errors_only_where_answers_are_labels_and_inputs_truly_equal(
    clean: list[Row], pair: Pair, inputs: tuple[str, str], answers: tuple[str, str], severity: str
) -> None:
    labels = [pair(row.user_text, "yes" if row.line % 2 else "no", row.line) for row in clean]
    rows = labels if len(answers[0]) < 4 else clean
    finding = checked([*rows, pair(inputs[0], answers[0], 401), pair(inputs[1], answers[1], 402)])["conflicting_labels"]
    assert (finding.severity, finding.count, finding.rows) == (severity, 1, [401, 402])


def test_validation_rows_seen_in_training_are_counted_once(clean: list[Row], pair: Pair) -> None:
    text = "Could you please tell me where the parcel is that I ordered on Monday"
    train = dataset([*clean, pair(text, "a", 401)])
    held_out = dataset([pair(text.upper(), "a", 1), pair(text + " last", "b", 2), pair("Quite another thing", "c", 3)])
    findings = found(check(train, validation=held_out, today=TODAY))
    assert (findings["split_overlap"].rows, findings["split_near_overlap"].rows) == ([1], [2])


def test_a_customer_on_both_sides_is_named_by_the_held_out_line(clean: list[Row], tmp_path: Path) -> None:
    held_out = tmp_path / "held_out.csv"
    held_out.write_text("text,label,customer\nWhere is my lamp?,a,7\nWhen do you open?,b,9\n", encoding="utf-8")
    train = tmp_path / "train.csv"
    train.write_text("text,label,customer\nWho sent the bill?,a,7\nWhat does it cost?,b,8\n", encoding="utf-8")
    report = check(read(train), validation=read(held_out), group="customer", today=TODAY)
    assert found(report)["split_group_overlap"].rows == [2]
    with pytest.raises(BadInput, match="no column `team`"):
        check(read(train), group="team", today=TODAY)


def test_a_system_prompt_on_one_side_only_is_a_mismatch(clean: list[Row], pair: Pair) -> None:
    held_out = dataset([pair("Quite another thing", "c", 3, "Be brief.")])
    assert "template_mismatch" in found(check(dataset(clean), validation=held_out, today=TODAY))


def test_personal_data_and_secrets_are_found_and_shown_masked(clean: list[Row], pair: Pair) -> None:
    mail, key = "jane.roe@mailhouse.co.uk", "hf_" + "Ab1" * 11 + "x"
    report = check(dataset([*clean, pair(f"Write to {mail}", "ok", 401), pair("q", f"use {key}", 402)]), today=TODAY)
    findings = found(report)
    assert (findings["pii"].rows, findings["secret"].rows) == ([401], [402])
    assert findings["secret"].severity == "error"
    assert mail not in report.model_dump_json()
    assert key not in report.model_dump_json()
    assert "jane" not in report.model_dump_json()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("mail me: a.b@firm.de, thanks", "e-mail address"),
        ("ring +44 20 7946 0018 please", "phone number"),
        ("ring (02) 5550 1234 please", "phone number"),
        ("ring 555-010-4477 please", "phone number"),
        ("card 4111 1111 1111 1111", "card number"),
        ("IBAN GB82 WEST 1234 5698 7654 32.", "IBAN"),
        ("from 81.2.69.160 at noon", "IP address"),
    ],
)
def test_each_kind_of_personal_data_is_seen(text: str, kind: str) -> None:
    assert [name for name, _ in personal_data(text)] == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "order 00004587345 of 2024-05-17 at 10:30, room 12",
        "write to someone@example.com",
        "card 4111 1111 1111 1112",
        "IBAN GB82 WEST 1234 5698 7654 33",
        "version 1.2.3.4567 on 192.168.0.1 and 127.0.0.1",
        "<<48/2=24>> and 3.14159265358979 and 1,000,000,000",
        "7302915",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert list(personal_data(text)) == []


@pytest.mark.parametrize(
    "secret",
    ["sk-proj-" + "a1B2" * 8, "AKIA" + "ABCD1234" * 2, "ghp_" + "a1" * 18, "-----BEGIN RSA PRIVATE KEY-----",
     "postgres://me:pa55word@host/db"],
)  # fmt: skip
def test_each_shape_of_secret_is_seen(secret: str) -> None:
    assert len(list(secret_kinds(f"here: {secret} ."))) == 1


def test_check_digits_are_those_of_the_standards() -> None:
    assert passes_luhn("79927398713")
    assert not passes_luhn("79927398710")
    assert is_iban("DE89370400440532013000")
    assert not is_iban("DE88370400440532013000")


def test_small_and_rare_classes_are_named(clean: list[Row], pair: Pair) -> None:
    rows = [pair(row.user_text, "refund", row.line) for row in clean]
    rows = [pair(row.user_text, "delivery" if row.line <= 4 else row.answer, row.line) for row in rows]
    report = check(dataset(rows), today=TODAY)
    findings = found(report)
    assert report.labels == {"refund": 96, "delivery": 4}
    assert findings["class_imbalance"].rows == findings["rare_class"].rows == [1, 2, 3, 4]


def test_template_tokens_and_unfilled_placeholders_are_named(clean: list[Row], pair: Pair) -> None:
    findings = checked([*clean, pair("<|im_start|>user hello", "a", 401), pair("Dear {{ name }}", "b", 402)])
    assert (findings["special_token"].rows, findings["special_token"].severity) == ([401], "error")
    assert findings["template_mismatch"].rows == [402]


def test_the_model_s_own_tokens_decide_what_is_cut_and_what_is_learned(
    clean: list[Row], pair: Pair, renderer: Renderer
) -> None:
    rows = [*clean, pair("word " * 400, "answer", 401), pair("short", "word " * 400, 402)]
    report = check(dataset(rows), renderer=renderer, max_tokens=128, today=TODAY)
    findings = found(report)
    assert report.tokens.tokenizer == "tiny"
    assert findings["too_long"].rows == [401, 402]
    assert findings["no_trainable_tokens"].rows == [401]
    assert report.tokens.max > 400


def test_rows_that_the_template_refuses_are_named(tmp_path: Path, clean: list[Row], tokenizer_folder: Path) -> None:
    strict = tmp_path / "strict"
    strict.mkdir()
    (strict / "tokenizer.json").write_bytes((tokenizer_folder / "tokenizer.json").read_bytes())
    (strict / "chat_template.jinja").write_text(
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system turns here') }}{% endif %}"
        "{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
    )
    refused = Row((Message("system", "a"), Message("user", "b"), Message("assistant", "c")), 401)
    findings = checked([*clean, refused], renderer=Renderer.from_folder(strict))
    assert findings["template_mismatch"].rows == [401]
    assert "no system turns here" in findings["template_mismatch"].message
