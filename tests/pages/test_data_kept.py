"""Kept data on the Data page: who uses it, into this plan, another name, away, gone."""

from __future__ import annotations

import json
from pathlib import Path

from streamlit.testing.v1 import AppTest

from backends.kept_data import KeptData, kept_data
from backends.launch import launch
from core.jobspec import JobSpec
from core.store import open_store
from dataset.prepare import adopt

APP = str(Path(__file__).parents[2] / "app.py")


def page(plan_id: str | None = None) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=30)
    if plan_id:
        app.query_params["plan"] = plan_id
    return app.run().switch_page("app_pages/data.py").run()


def chats(count: int = 30) -> bytes:
    rows = [
        {"messages": [{"role": "user", "content": f"Guest {n * n}: move booking {1000 + 37 * n}"},
                      {"role": "assistant", "content": f"move {1000 + 37 * n}"}]}
        for n in range(count)
    ]  # fmt: skip
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def texts(app: AppTest) -> str:
    return "\n".join(str(element.value) for kind in (app.markdown, app.caption) for element in kind).replace("\\", "")


def labels(app: AppTest) -> list[str]:
    return [expander.label for expander in app.expander]


def only() -> KeptData:
    (found,) = kept_data(open_store())
    return found


def test_where_nothing_was_taken_in_there_is_no_list() -> None:
    assert not any("Kept data" in label for label in labels(page()))


def test_kept_data_says_how_much_it_is_and_who_uses_it() -> None:
    store = open_store()
    plan = store.new_plan("Tickets")
    data = adopt(chats(), "rows.jsonl")
    store.update_plan(plan.id, data=data)
    launch(store, JobSpec(engine="fake", name="Colours", dataset=data.train, fake={"seconds": 0.01}))
    adopt(chats(40), "unused.jsonl")
    app = page(plan.id)
    assert not app.exception and "Kept data (2)" in labels(app)
    assert "Used by the plan **Tickets** and the job **Colours**." in texts(app)
    assert "40 rows" in texts(app) and "Used by no plan and no job." in texts(app)


def test_rows_that_no_plan_has_come_back_into_a_plan() -> None:
    store = open_store()
    first = adopt(chats(), "rows.jsonl")
    plan = store.new_plan("Later")
    app = page(plan.id)
    app.button(key=f"data.kept.use.{only().id}").click().run()
    assert not app.exception and not app.error
    assert store.plan(plan.id).data == first
    assert f"data.kept.use.{only().id}" not in [button.key for button in app.button], "it is in this plan now"


def test_without_a_plan_a_new_one_gets_them() -> None:
    adopt(chats(), "rows.jsonl")
    app = page()
    assert open_store().plans() == []
    app.button(key=f"data.kept.use.{only().id}").click().run()
    (plan,) = open_store().plans()
    assert plan.data is not None and plan.data.rows == 30


def test_a_new_name_is_kept_and_an_empty_one_refused() -> None:
    store = open_store()
    plan = store.new_plan("Tickets")
    store.update_plan(plan.id, data=adopt(chats(), "rows.jsonl"))
    app = page(plan.id)
    app.text_input(key=f"data.kept.name.{only().id}").set_value("House style").run()
    data = store.plan(plan.id).data
    assert data is not None and data.name == only().name == "House style"
    app.text_input(key=f"data.kept.name.{only().id}").set_value(" ").run()
    assert "1 to 120 characters" in app.error[0].value and only().name == "House style"


def test_archived_data_is_out_of_the_list_and_comes_back() -> None:
    adopt(chats(), "rows.jsonl")
    app = page()
    key = f"data.kept.archive.{only().id}"
    app.button(key=key).click().run()
    assert only().archived and key not in [button.key for button in app.button]
    app.toggle(key="data.kept.archived").set_value(True).run()
    app.button(key=key).click().run()
    assert not only().archived


def test_deleting_says_first_what_else_goes() -> None:
    store = open_store()
    plan = store.new_plan("Tickets")
    store.update_plan(plan.id, data=adopt(chats(), "rows.jsonl"))
    app = page(plan.id)
    kept = only()
    app.button(key=f"data.kept.delete.{kept.id}").click().run()
    assert "the rows of the plan `Tickets`, which then has none" in texts(app)
    assert kept.folder.is_dir(), "deleted before the question was answered"
    app.button(key=f"data.kept.delete.{kept.id}").click()
    app.button(key="data.kept.delete.sure").click()
    app.run()
    assert not app.exception and not app.error
    assert not kept.folder.exists() and store.plan(plan.id).data is None


def test_data_at_work_stays_and_the_page_says_why() -> None:
    store = open_store()
    data = adopt(chats(), "rows.jsonl")
    launch(store, JobSpec(engine="fake", name="Colours", dataset=data.train, fake={"seconds": 60.0}))
    app = page()
    app.button(key=f"data.kept.delete.{only().id}").click()
    app.run()
    app.button(key=f"data.kept.delete.{only().id}").click()
    app.button(key="data.kept.delete.sure").click()
    app.run()
    assert not app.exception and "still at work" in app.error[0].value
    assert only().folder.is_dir()
