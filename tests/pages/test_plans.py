"""The Plans page."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.answers import Answers
from core.errors import Refused
from core.store import open_store
from tests.pages.test_app import fake_job

APP = str(Path(__file__).parents[2] / "app.py")


def page(plan_id: str | None = None) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=30)
    if plan_id:
        app.query_params["plan"] = plan_id
    return app.run().switch_page("app_pages/plans.py").run()


def names(app: AppTest) -> list[str]:
    return [text.value.strip("*") for text in app.markdown if text.value.startswith("**")]


def test_without_plans_the_page_says_how_one_starts() -> None:
    assert "first answer" in page().info[0].value


def test_plans_are_listed_the_one_touched_last_first() -> None:
    store = open_store()
    one = store.new_plan("one")
    store.new_plan("two")
    store.update_plan(one.id, answers=Answers(task="x"))
    assert names(page()) == ["one", "two"]


def test_a_name_with_markdown_signs_is_shown_as_it_is() -> None:
    open_store().new_plan("a*b_c [x](y)")
    assert names(page()) == ["a\\*b\\_c \\[x\\](y)"]


def test_a_plan_is_renamed_and_an_empty_name_is_not_taken() -> None:
    plan = open_store().new_plan("one")
    app = page()
    app.text_input(key=f"plans.name.{plan.id}").set_value("better").run()
    assert open_store().plan(plan.id).name == "better"
    app.text_input(key=f"plans.name.{plan.id}").set_value("  ").run()
    assert open_store().plan(plan.id).name == "better"


def test_archive_hides_and_restore_brings_back() -> None:
    plan = open_store().new_plan("one")
    app = page()
    app.button(key=f"plans.archive.{plan.id}").click().run()
    assert names(app) == [] and open_store().plan(plan.id).archived
    app.toggle(key="plans.archived").set_value(True).run()
    app.button(key=f"plans.archive.{plan.id}").click().run()
    assert not open_store().plan(plan.id).archived


def test_delete_says_first_what_goes_and_then_forgets_the_open_plan() -> None:
    plan = open_store().new_plan("one")
    app = page(plan.id)
    app.button(key=f"plans.delete.{plan.id}").click().run()
    assert open_store().plans() and any("the plan `one`" in text.value for text in app.markdown)
    app.button(key="plans.delete.sure").click().run()
    assert open_store().plans() == [] and "plan" not in app.query_params


def test_keeping_it_deletes_nothing() -> None:
    plan = open_store().new_plan("one")
    app = page()
    app.button(key=f"plans.delete.{plan.id}").click().run()
    app.button(key="plans.delete.keep").click().run()
    assert [kept.id for kept in open_store().plans()] == [plan.id]


def test_open_shows_the_plan_on_the_advise_page() -> None:
    store = open_store()
    plan = store.new_plan("one")
    store.update_plan(plan.id, answers=Answers(labelled_examples=77))
    other = store.new_plan("two")
    app = page(other.id)
    app.button(key=f"plans.open.{plan.id}").click().run()
    assert app.number_input(key="answer.labelled_examples").value == 77


def test_a_new_plan_starts_empty_and_is_made_at_the_first_answer() -> None:
    store = open_store()
    plan = store.new_plan("one")
    store.update_plan(plan.id, answers=Answers(labelled_examples=77))
    app = page(plan.id)
    app.button(key="plans.new").click().run()
    assert app.number_input(key="answer.labelled_examples").value is None
    assert len(store.plans()) == 1


def test_each_plan_has_its_link() -> None:
    plan = open_store().new_plan("one")
    assert any(f"?plan={plan.id}" in block.value for block in page().code)


def test_two_plans_are_compared_in_advice_cost_and_the_answers_that_differ() -> None:
    store = open_store()
    assert not page().expander
    one, two = store.new_plan("one"), store.new_plan("two")
    store.update_plan(one.id, answers=Answers(task_kind="qa", knowledge_need="very_high", labelled_examples=40))
    store.update_plan(two.id, answers=Answers(task_kind="qa", knowledge_need="low", labelled_examples=40))
    app = page()
    rows = {row[""]: (row["One"], row["Other"]) for row in app.table[0].value.to_dict("records")}
    assert set(rows["Facts that the model cannot know"]) == {"Very high", "Low"}
    assert "Examples with the right answer" not in rows
    assert "RAG" in rows["**Recommended**"]
    assert rows["Verdict"] == ("Not judged", "Not judged")
    app.selectbox(key="plans.other.2").set_value(app.selectbox(key="plans.one.2").value).run()
    assert not app.table


def test_what_was_spent_is_added_up_over_all_plans() -> None:
    assert not page().metric
    fake_job(0.01)
    fake_job(0.01, outcome="failed")
    fake_job(600)
    app = page()
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Jobs ended"] == "2"
    assert shown["Spent to date"].startswith("\\$") or shown["Spent to date"].startswith("$")


def test_a_deletion_that_is_refused_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise Refused("a job of this plan still runs.", "Cancel it first.")

    monkeypatch.setattr("backends.removal.remove", refuse)
    store = open_store()
    plan = store.new_plan("one")
    app = page()
    app.button(key=f"plans.delete.{plan.id}").click().run()
    app.button(key="plans.delete.sure").click().run()
    assert "still runs" in app.error[0].value and "Cancel it first" in app.error[0].value
    assert [kept.id for kept in store.plans()] == [plan.id]
