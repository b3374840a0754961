"""The memo on the page: nothing is made before somebody asks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from streamlit.testing.v1 import AppTest

from app_pages.memo_panel import file_name, markdown_of, pdf_of
from core.answers import Answers
from core.plan import Plan
from core.store import open_store

ROOT = Path(__file__).parents[2]


def kept(name: str = "Night shift") -> Plan:
    store = open_store()
    gone = {"item": "no.such.row", "label": "An *old* model", "amount": 1.0, "source": "a page"}
    return store.update_plan(store.new_plan(name).id, answers=Answers(labelled_examples=900), prices_used=[gone])


def memo_buttons(app: AppTest) -> list[str]:
    return [button.label for button in app.get("download_button") if button.label.startswith("Memo")]


def test_each_plan_offers_its_memo_and_says_what_has_changed() -> None:
    kept()
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30).run().switch_page("app_pages/plans.py").run()
    assert not app.exception
    assert memo_buttons(app) == ["Memo (PDF)", "Memo (Markdown)"]
    assert any("An \\*old\\* model" in warning.value for warning in app.warning)


def test_the_advise_page_offers_the_memo_once_there_is_a_plan() -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30).run()
    assert memo_buttons(app) == []
    app.query_params["plan"] = kept().id
    app.run()
    assert not app.exception and memo_buttons(app) == ["Memo (PDF)", "Memo (Markdown)"]


def test_what_the_buttons_make_is_made_when_asked_for() -> None:
    plan = kept()
    assert pdf_of(plan.id).startswith(b"%PDF-") and "An \\*old\\* model" in markdown_of(plan.id)
    code = "import sys, app_pages.memo_panel; print([name for name in ('matplotlib', 'fpdf') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_file_is_named_after_the_plan_in_letters_that_every_disk_takes() -> None:
    plan = kept("Ünïcode / ../ E-mails: 2")
    assert file_name(plan) == "memo-n-code-e-mails-2"
    assert file_name(kept("日本")).startswith("memo-plan-")
