"""The Prices page."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from core.store import open_store
from cost_models.prices import PriceBook

APP = str(Path(__file__).parents[2] / "app.py")


def page(plan_id: str | None = None) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=30)
    if plan_id:
        app.query_params["plan"] = plan_id
    return app.run().switch_page("app_pages/prices.py").run()


def test_every_price_is_shown_with_its_source_and_day() -> None:
    app = page()
    table = app.dataframe[0].value
    assert len(table) == len(PriceBook.load().rows())
    assert all(table["Source"]) and table["Read"].notna().all()


def test_words_and_group_narrow_the_table() -> None:
    app = page()
    app.text_input(key="prices.words").set_value("h100").run()
    items = app.dataframe[0].value["Item"]
    assert len(items) and all("h100" in item for item in items if item.startswith("gpu."))
    assert len(items) < len(PriceBook.load().rows()) / 2
    app.selectbox(key="prices.group").set_value("api").run()
    assert not app.dataframe and "No price matches" in app.info[0].value


def test_a_price_of_this_plan_stands_in_the_table_as_its_own() -> None:
    store = open_store()
    plan = store.new_plan()
    store.update_plan(plan.id, price_overrides={"engineer.hour": 12.5})
    table = page(plan.id).dataframe[0].value.set_index("Item")
    assert table.loc["engineer.hour", "USD"] == 12.5
    assert "own figure" in table.loc["engineer.hour", "Source"]
