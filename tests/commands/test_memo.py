"""`tuneworthy memo`: the memo of a plan in the store, as text, as files and as one object."""

from __future__ import annotations

from pathlib import Path

from core.answers import Answers
from core.plan import Plan
from core.store import open_store

from .conftest import Tune


def kept() -> Plan:
    store = open_store()
    plan = store.new_plan("Night shift")
    old = {"item": "no.such.row", "label": "An old model", "amount": 1.0, "unit": "USD per hour", "source": "a page"}
    answers = Answers(task="Sort the night's reports.", task_kind="classify", labelled_examples=900)
    return store.update_plan(plan.id, answers=answers, prices_used=[old])


def test_memo_prints_markdown_with_the_reminders_at_its_end(tune: Tune) -> None:
    said = tune("memo", kept().id)
    assert said.code == 0 and said.out.startswith("# Night shift\n")
    assert "Sort the night's reports." in said.out and "Not decided yet." in said.out
    assert "An old model: the price book has no such row any more." in said.out.partition("## Reminders")[2]


def test_memo_as_json_is_one_object(tune: Tune) -> None:
    plan = kept()
    said = tune("memo", plan.id, "--json")
    assert said.code == 0 and said.json["plan"] == plan.id
    assert said.json["markdown"] == tune("memo", plan.id).out
    (reminder,) = said.json["reminders"]
    assert reminder["kind"] == "price_gone" and reminder["items"] == ["no.such.row"]


def test_memo_writes_files_and_says_which(tune: Tune, tmp_path: Path) -> None:
    plan, pdf, text = kept(), tmp_path / "memo.pdf", tmp_path / "memo.md"
    said = tune("memo", plan.id, "--pdf", pdf, "--markdown", text)
    assert said.code == 0 and str(pdf) in said.out and str(text) in said.out and "no such row" in said.out
    assert pdf.read_bytes().startswith(b"%PDF-") and text.read_text(encoding="utf-8").startswith("# Night shift")


def test_a_plan_that_is_not_there_and_a_folder_that_is_not_there_are_one_line_each(tune: Tune, tmp_path: Path) -> None:
    said = tune("memo", "plan-20260101-00000000")
    assert said.code == 2 and "no plan" in said.err and len(said.err.strip().splitlines()) == 1
    said = tune("memo", kept().id, "--markdown", tmp_path / "nowhere" / "memo.md")
    assert said.code == 2 and "cannot write" in said.err and len(said.err.strip().splitlines()) == 1
