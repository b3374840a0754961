"""The Data page: uploads, paths, columns, findings, rows, removal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app_pages import data_rows
from core.home import data_dir
from core.plan import Plan
from core.store import open_store
from dataset.prepare import adopt

PAGE = "app_pages/data.py"
APP = str(Path(__file__).parents[2] / "app.py")
TOWNS = ("Oslo", "Lima", "Rome", "Cairo", "Quito", "Delhi", "Accra", "Paris")


def page(plan_id: str | None = None) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=30)
    if plan_id:
        app.query_params["plan"] = plan_id
    return app.run().switch_page(PAGE).run()


def chats(count: int = 30) -> bytes:
    rows = [
        {"messages": [
            {"role": "user", "content": f"Guest {n * n}: move booking {1000 + 37 * n} to {TOWNS[n % 8]}"},
            {"role": "assistant", "content": f"move {1000 + 37 * n}"},
        ]}
        for n in range(count)
    ]  # fmt: skip
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def csv(header: str, count: int = 30) -> bytes:
    return "\n".join([header, *(f"move {37 * n} {TOWNS[n % 8]},done {n * n},x{n}" for n in range(count))]).encode()


def upload(app: AppTest, name: str, content: bytes) -> AppTest:
    app.segmented_control(key="data.source.none").set_value("upload").run()
    app.file_uploader(key="data.upload").upload(name, content).run()
    return app


def the_plan() -> Plan:
    (plan,) = open_store().plans()
    return plan


def texts(app: AppTest) -> str:
    return "\n".join(element.value for kind in (app.markdown, app.caption, app.subheader) for element in kind)


def test_the_empty_page_makes_no_plan() -> None:
    app = page()
    assert not app.exception and not app.error and open_store().plans() == []


def test_an_upload_becomes_the_plans_data_under_a_name_of_our_own() -> None:
    app = upload(page(), "../../evil name.jsonl", chats())
    assert not app.exception and not app.error
    data = the_plan().data
    assert data is not None and data.rows == 30
    assert Path(data.train).parent.parent == data_dir()
    assert "evil" not in Path(data.train).parent.name
    assert data.train_rows + data.validation_rows + data.test_rows == 30
    assert "Understood as openai chat" in texts(app)


def test_the_same_upload_is_taken_once() -> None:
    app = upload(page(), "rows.jsonl", chats())
    first = the_plan().data
    app.run()
    assert the_plan().data == first
    assert len([folder for folder in data_dir().iterdir() if folder.is_dir()]) == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.jsonl", b""),
        ("binary.jsonl", bytes(range(256)) * 40),
        ("two.jsonl", chats(2)),
        ("list.json", b"[1, 2, 3]"),
        ("half.json", b'{"rows": ['),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_words_and_nothing_is_left_behind(name: str, content: bytes) -> None:
    app = upload(page(), name, content)
    assert not app.exception
    assert app.error and len(app.error[0].value) > 20
    assert open_store().plans() == [] or the_plan().data is None
    assert [path for path in data_dir().iterdir() if not path.name.startswith(".")] == []


def test_a_broken_line_is_named_and_the_others_are_kept() -> None:
    app = upload(page(), "rows.jsonl", chats(20) + b'{"messages": [\n' + chats(3))
    assert the_plan().data is not None
    assert "line 21" in texts(app).lower()


def test_columns_of_no_known_form_are_asked_for() -> None:
    app = upload(page(), "odd.csv", csv("wunsch,getan,nummer"))
    assert not app.exception and open_store().plans() == []
    app.multiselect(key="data.inputs").set_value(["wunsch"])
    app.selectbox(key="data.output").set_value("getan")
    app.button(key="data.mapped").click().run()
    assert not app.exception and not app.error
    data = the_plan().data
    assert data is not None
    row = data_rows.rows_of(data.train)[0]
    assert row.user_text.startswith("move") and row.answer.startswith("done")


def test_a_prompt_over_columns_stands_in_for_the_input() -> None:
    app = upload(page(), "odd.csv", csv("wunsch,getan,nummer"))
    app.text_area(key="data.template").set_value("Do it: {wunsch} ({wrong})")
    app.selectbox(key="data.output").set_value("getan")
    app.button(key="data.mapped").click().run()
    assert "no column `wrong`" in app.error[0].value and "wunsch, getan, nummer" in app.error[0].value
    app.text_area(key="data.template").set_value("Do it: {wunsch} ({nummer})")
    app.button(key="data.mapped").click().run()
    assert not app.exception and not app.error
    data = the_plan().data
    assert data is not None
    assert all(row.user_text.startswith("Do it: move") for row in data_rows.rows_of(data.train))


def test_columns_can_be_chosen_again() -> None:
    plan = open_store().new_plan()
    open_store().update_plan(plan.id, data=adopt(csv("question,answer,code"), "rows.csv"))
    app = page(plan.id)
    app.selectbox(key="data.again.output").set_value("code")
    app.button(key="data.again.mapped").click().run()
    assert not app.exception and not app.error
    data = open_store().plan(plan.id).data
    assert data is not None and data_rows.rows_of(data.train)[0].answer.startswith("x")


def test_a_file_on_this_machine_is_read_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_bytes(chats())
    app = page()
    app.segmented_control(key="data.source.none").set_value("path").run()
    app.text_input(key="data.path").set_value(str(path)).run()
    assert the_plan().data is not None and path.read_bytes() == chats()


def test_a_path_without_a_file_is_said() -> None:
    app = page()
    app.segmented_control(key="data.source.none").set_value("path").run()
    app.text_input(key="data.path").set_value("/no/such/file.csv").run()
    assert "/no/such/file.csv" in app.error[0].value and not app.exception


@pytest.mark.parametrize("path", ["/" + "a" * 300, "~nobody-of-this-name/rows.jsonl"])
def test_a_path_that_cannot_be_looked_at_is_said(path: str) -> None:
    app = page()
    app.segmented_control(key="data.source.none").set_value("path").run()
    app.text_input(key="data.path").set_value(path).run()
    assert not app.exception and "cannot be used" in app.error[0].value


def test_rows_with_a_finding_can_be_seen_alone_with_their_line() -> None:
    twice = chats(30) + chats(1)
    plan = open_store().new_plan()
    data = adopt(twice, "rows.jsonl")
    open_store().update_plan(plan.id, data=data)
    assert "exact duplicate" in data_rows.problems_by_line(data)[31]
    app = page(plan.id)
    app.segmented_control(key="data.part").set_value("marked").run()
    table = app.dataframe[0].value
    assert 31 in list(table["Line"]) and all(table["Found"])


def test_one_kind_of_problem_can_be_seen_alone() -> None:
    rows = chats(30) + chats(1) + b'{"prompt": "My key is hf_%s", "completion": "no"}\n' % (b"aBcD3fGh2k" * 4)
    plan = open_store().new_plan()
    open_store().update_plan(plan.id, data=adopt(rows, "rows.jsonl"))
    app = page(plan.id)
    app.segmented_control(key="data.part").set_value("marked").run()
    every = list(app.dataframe[0].value["Line"])
    app.selectbox(key="data.problem").set_value("secret").run()
    assert not app.exception and list(app.dataframe[0].value["Line"]) == [32] and len(every) > 1


def test_lines_of_a_held_out_file_are_not_taken_for_those_of_the_training_file() -> None:
    held_out = b"".join(chats(60).splitlines(keepends=True)[40:]) + chats(1)
    data = adopt(chats(30), "rows.jsonl", test=(held_out, "test.jsonl"))
    plan = open_store().new_plan()
    open_store().update_plan(plan.id, data=data)
    assert data_rows.problems_by_line(data, "test") == {21: ["split overlap"]}
    assert "split overlap" not in str([data_rows.problems_by_line(data, part) for part in ("train", "validation")])
    app = page(plan.id)
    assert "Line of the held-out file: 21" in texts(app)
    app.segmented_control(key="data.part").set_value("test").run()
    found = app.dataframe[0].value
    assert list(found["Line"][found["Found"] != ""]) == [21]


def test_nothing_is_removed_before_it_was_said_what_goes() -> None:
    plan = open_store().new_plan()
    data = adopt(chats(), "rows.jsonl")
    open_store().update_plan(plan.id, data=data)
    app = page(plan.id)
    app.button(key="data.remove").click().run()
    assert Path(data.train).is_file() and "30 rows" in texts(app)
    app.button(key="data.remove").click()
    app.button(key="data.remove.sure").click()
    app.run()
    assert not app.exception and not app.error
    assert not Path(data.train).exists() and open_store().plan(plan.id).data is None


def test_copies_that_are_gone_are_said() -> None:
    plan = open_store().new_plan()
    data = adopt(chats(), "rows.jsonl")
    open_store().update_plan(plan.id, data=data)
    for path in Path(data.train).parent.iterdir():
        path.unlink()
    app = page(plan.id)
    assert not app.exception and "gone" in app.error[0].value


def test_without_a_base_model_lengths_are_characters() -> None:
    data = adopt(chats(), "rows.jsonl")
    found, unit = data_rows.lengths(data, None)
    assert unit == "characters" and len(found) == data.train_rows
