"""Fixes on the Data page: offered for what was found, shown before they are done, and done by one click."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app_pages import data_classes, data_cleaned, data_fixes, data_report, data_rows
from core.plan import DataRef
from core.store import open_store
from dataset.clean import clean
from dataset.coverage import coverage
from dataset.prepare import adopt, read_manifest
from dataset.row import Message, Row

APP = str(Path(__file__).parents[2] / "app.py")
WISHES = {"cancel": "cancel the booking of room {n}", "food": "bring breakfast to table {n}", "spa": "warm sauna {n}"}


def chats(count: int = 36) -> list[dict[str, Any]]:
    labels = list(WISHES)
    return [
        {"prompt": f"Guest {n * n * 37}: {WISHES[labels[n % 3]].format(n=n * 91)}", "completion": labels[n % 3]}
        for n in range(count)
    ]


def lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def page(data: DataRef) -> AppTest:
    plan = open_store().new_plan()
    open_store().update_plan(plan.id, data=data)
    app = AppTest.from_file(APP, default_timeout=30)
    app.query_params["plan"] = plan.id
    return app.run().switch_page("app_pages/data.py").run()


def pills(app: AppTest) -> Any:
    return next((group for group in app.button_group if str(group.key).startswith("data.fixes.")), None)


def texts(app: AppTest) -> str:
    return "\n".join(element.value for kind in (app.markdown, app.caption, app.warning) for element in kind)


def test_clean_rows_are_offered_no_fix_and_a_report_all_the_same() -> None:
    app = page(adopt(lines(chats()), "rows.jsonl"))
    assert not app.exception and not app.error and pills(app) is None
    assert {"data.report.md", "data.report.json"} <= {str(button.key) for button in app.get("download_button")}


def test_a_fix_shows_what_would_go_and_one_click_makes_the_cleaned_rows_the_plans_data() -> None:
    rows = chats()
    first = adopt(lines([*rows, rows[4], {"prompt": " ", "completion": "spa"}]), "rows.jsonl")
    app = page(first)
    assert any("Drop repeated inputs" in option for option in pills(app).options)
    pills(app).set_value(["exact_duplicate", "empty_text"]).run()
    assert "repeats the input of line 5" in str(app.table[-1].value.to_dict())
    assert "**36 rows** of 38 would be left" in texts(app)
    app.button(key="data.fixes.apply").click().run()
    assert not app.exception and not app.error
    (plan,) = open_store().plans()
    now = plan.data
    assert now is not None and now.rows == 36 and now.name == "rows (cleaned).jsonl" and now.sha256 != first.sha256
    told = data_cleaned.history_of(now)
    assert told is not None and [one.line for one in told.dropped] == [37, 38] and told.sha256 == first.sha256
    assert "Cleaned copy of **rows.jsonl**: 2 rows dropped" in texts(app).replace("\\", "")
    assert Path(first.train).is_file(), "the rows from before stay"


def test_conflicts_cannot_be_dropped_and_decided_at_once() -> None:
    rows = [*chats(), {"prompt": "My dog?", "completion": "spa"}, {"prompt": "My dog?", "completion": "food"}]
    app = page(adopt(lines(rows), "rows.jsonl"))
    pills(app).set_value(["conflicting_labels", "conflicting_labels_majority"]).run()
    assert not app.exception and "not both" in app.error[0].value


def test_secrets_and_personal_data_are_not_shown_in_clear() -> None:
    key = "sk-" + "abcdEFGH1234" * 3
    rows = [*chats(), {"prompt": f"I am anna.b@shop.eu and my key is {key}", "completion": "spa"}]
    data = adopt(lines(rows), "rows.jsonl")
    app = page(data)
    pills(app).set_value(["pii", "secret"]).run()
    shown = str([table.value.to_dict() for table in app.table])
    assert "secret" in shown and "an\\*\\*" in shown.replace("\\\\", "\\") and key not in shown and "anna" not in shown
    assert key not in data_fixes.manifest_text(data, ("pii", "secret"))


def test_a_held_out_file_loses_what_training_has_seen_and_is_masked_alike() -> None:
    rows = chats()
    held_out = [rows[2], {"prompt": "My mail is anna.b@shop.eu", "completion": "spa"}]
    train = [*rows, {"prompt": "Write to otto.k@shop.eu", "completion": "food"}]
    data = adopt(lines(train), "rows.jsonl", test=(lines(held_out), "test.csv.jsonl"))
    fixes = ("pii", "split_overlap")
    now = data_cleaned.adopt_cleaned(data, fixes, None)
    assert now.test_rows == 1 and data_rows.rows_of(now.test)[0].user_text == "My mail is [email]"
    assert "split_overlap" not in {found["check"] for found in now.findings} and now.rows == 37


def test_the_split_of_a_cleaned_set_keeps_seed_shares_and_group() -> None:
    rows = [row | {"customer": f"c{n % 6}"} for n, row in enumerate(chats())]
    data = adopt(lines([*rows, rows[0]]), "rows.jsonl", seed=3, test_share=0.3, group="customer")
    manifest = read_manifest(data_cleaned.adopt_cleaned(data, ("exact_duplicate",), None))
    assert (manifest.seed, manifest.test_share, manifest.group) == (3, 0.3, "customer")


def test_lines_that_could_not_be_read_are_said_to_be_left_out_already() -> None:
    app = page(adopt(lines(chats()) + b'{"prompt": \n', "rows.jsonl"))
    assert "1 line that could not be read is left out already" in texts(app) and pills(app) is None


def test_the_report_says_what_was_found() -> None:
    rows = chats()
    data = adopt(lines([*rows, rows[4]]), "rows.jsonl")
    assert "**Exact duplicate** (1)" in data_report.text_of(data, "md")
    report = json.loads(data_report.text_of(data, "json"))
    assert report["rows"] == 37 and {found["check"] for found in report["findings"]} >= {"exact_duplicate"}


def test_class_bars_count_every_row_once() -> None:
    app = page(data := adopt(lines(chats(60)), "rows.jsonl"))
    assert "3 classes, from 20 rows" in texts(app)
    paths = tuple(str(getattr(data, part)) for part in data_rows.PARTS)
    counts = data_classes._counts(paths, (0, 0, 0))
    assert {label: count.total() for label, count in counts.items()} == dict.fromkeys(WISHES, 20)
    figure = data_classes.chart(counts, data_classes.ranked(counts))
    assert sum(sum(bar.x) for bar in figure.data) == 60


def test_texts_are_no_classes() -> None:
    rows = [{"prompt": f"Question {n * 977}?", "completion": f"Answer number {n}"} for n in range(20)]
    assert "classes" not in texts(page(adopt(lines(rows), "rows.jsonl")))


def test_the_map_is_drawn_when_it_is_asked_for() -> None:
    app = page(data := adopt(lines(chats(60)), "rows.jsonl"))
    assert len(app.get("plotly_chart")) == 2
    app.button(key="data.map.draw").click().run()
    assert not app.exception and not app.error and len(app.get("plotly_chart")) == 3
    topics = app.dataframe[-1].value if "Topic" in app.dataframe[-1].value else app.dataframe[-2].value
    assert topics["Rows"].sum() == data.train_rows == len(coverage(data_rows.rows_of(data.train)).points)


def test_few_rows_have_no_map_and_the_page_works() -> None:
    app = page(adopt(lines(chats(3)), "rows.jsonl"))
    assert not app.exception and not app.error
    assert "data.map.draw" not in {str(button.key) for button in app.button}


def test_only_the_turns_that_change_are_shown() -> None:
    row = Row((Message("system", "Be brief."), Message("user", "Hi"), Message("model", "Hello")), 4)
    (step,) = clean([row], ["bad_roles"]).steps
    assert data_fixes.cells(step.changes[0], step) == {
        "Line": 4,
        "Before": "model\\: Hello",
        "After": "assistant\\: Hello",
        "Why": "role model is now assistant",
    }


def test_rows_of_the_same_words_have_nothing_to_map_and_that_is_no_error() -> None:
    same = [{"prompt": f"Guest {n * n * 37}: warm sauna {n * 91}", "completion": f"done {n}"} for n in range(36)]
    same += [{"prompt": f"bring breakfast {n}, table {n}", "completion": f"brought {n}"} for n in (1, 2)]
    held_out = (lines(chats(3)), "test.jsonl")  # so that both rows of other words are trained on
    app = page(adopt(lines(same), "rows.jsonl", validation=held_out, test=held_out))
    app.button(key="data.map.draw").click().run()
    assert not app.exception and not app.error and "Nothing to map" in app.info[-1].value


@pytest.mark.parametrize(
    "name", ["rows.csv", "rows.parquet", "rows.xlsx", "rows.csv.gz", "rows.jsonl.zip", "rows (cleaned).jsonl", "rows"]
)
def test_a_cleaned_set_is_called_after_its_file_whatever_its_make(name: str) -> None:
    assert data_cleaned.cleaned_name(name) == "rows (cleaned).jsonl"
