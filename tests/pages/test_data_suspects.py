"""Doubtful labels on the Data page: searched on request, shown with the lines of the original."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.store import open_store
from dataset.label_errors import LabelSearch
from dataset.prepare import adopt

APP = str(Path(__file__).parents[2] / "app.py")
WISHES = {"cancel": "cancel the booking of room", "food": "bring breakfast to table", "spa": "warm the sauna at"}


def rows(count: int, wrong: dict[int, str]) -> bytes:
    labels = list(WISHES)
    lines = ["text,label"]
    for n in range(count):
        label = labels[n % 3]
        lines.append(f"Guest {n * n * 37}: {WISHES[label]} {n * 91},{wrong.get(n + 2, label)}")
    return "\n".join(lines).encode()


def page(content: bytes) -> AppTest:
    plan = open_store().new_plan()
    open_store().update_plan(plan.id, data=adopt(content, "wishes.csv"))
    app = AppTest.from_file(APP, default_timeout=30)
    app.query_params["plan"] = plan.id
    app.run().switch_page("app_pages/data.py").run()
    assert not app.exception and not app.error
    return app


def headlines(app: AppTest) -> list[str]:
    return [str(head.value) for head in app.subheader]


def test_the_search_starts_at_a_click_and_shows_each_suspect_at_its_line() -> None:
    app = page(rows(180, {50: "food", 101: "spa"}))  # both ask to cancel a booking
    assert "Doubtful labels" in headlines(app)
    app.button(key="data.suspects.search").click().run()
    assert not app.exception and not app.error
    table = next(each.value for each in app.dataframe if "Likely label" in each.value)
    found = {line: (given, likely) for line, given, likely in
             table[["Line", "Label", "Likely label"]].itertuples(index=False)}  # fmt: skip
    assert found == {50: ("food", "cancel"), 101: ("spa", "cancel")}
    assert set(table["Part"]) <= {"Training", "Validation", "Held out"}
    assert any("2 labels are doubtful in 180 rows" in str(each.value) for each in app.caption)


def test_few_rows_and_texts_are_offered_no_search() -> None:
    assert "Doubtful labels" not in headlines(page(rows(60, {})))
    texts = "\n".join(["text,answer", *(f"Where is parcel {n * 37}?,On shelf {n} of hall {n % 7}" for n in range(120))])
    assert "Doubtful labels" not in headlines(page(texts.encode()))


def test_what_could_not_be_searched_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "app_pages.data_suspects.search_labels", lambda rows: LabelSearch(why_not="The words do not tell the labels.")
    )
    app = page(rows(180, {}))
    app.button(key="data.suspects.search").click().run()
    assert "The words do not tell the labels." in [each.value for each in app.info]
