"""Settings of the curves, and what they rest on, on the Advise page."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from core.answers import Answers
from core.plan import Plan
from core.store import open_store

APP = str(Path(__file__).parents[2] / "app.py")


def page(plan: Plan) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=30)
    app.query_params["plan"] = plan.id
    app.run()
    assert not app.exception
    return app


def new_plan(**fields: object) -> Plan:
    store = open_store()
    plan = store.new_plan("curves")
    answers = Answers(volume_per_month=50_000, task_kind="extract")
    return store.update_plan(plan.id, answers=answers, **fields)


def options(plan: Plan) -> dict[str, object]:
    return open_store().plan(plan.id).cost_options


def test_settings_are_kept_with_the_plan_and_ours_are_not_written_down() -> None:
    plan = new_plan()
    app = page(plan)
    app.number_input(key="curve.volume_growth").set_value(50).run()
    app.slider(key="curve.months").set_value(36).run()
    assert options(plan) == {"volume_growth": 0.5, "months": 36}
    assert any(heading.value == "Cost over 36 months" for heading in app.header)
    app.number_input(key="curve.volume_growth").set_value(0).run()
    assert options(plan) == {"months": 36}
    app.button(key="curve.reset").click().run()
    assert options(plan) == {}
    assert any(heading.value == "Cost over 24 months" for heading in app.header)


def test_what_the_work_costs_today_is_held_against_the_recommendation() -> None:
    plan = new_plan()
    app = page(plan)
    assert not any("Against today's cost" in text.value for text in app.markdown)
    app.number_input(key="curve.present_usd_per_month").set_value(9_000.0).run()
    assert any("Against today's cost" in text.value for text in app.markdown)


def test_another_card_is_chosen_from_the_price_book_and_taken_back() -> None:
    plan = new_plan()
    app = page(plan)
    card = app.selectbox(key="curve.choice.serving_gpu")
    label = next(option for option in card.options if "H100" in option and "Lambda" in option)
    card.set_value(label).run()
    assert str(options(plan)["choices"]["serving_gpu"]).startswith("gpu.h100")  # type: ignore[index]
    assert app.selectbox(key="curve.choice.serving_gpu").value == options(plan)["choices"]["serving_gpu"]  # type: ignore[index]


def test_settings_that_no_longer_hold_are_ours_again() -> None:
    app = page(new_plan(cost_options={"months": 99}))
    assert any(heading.value == "Cost over 24 months" for heading in app.header)


def test_every_number_of_the_curves_is_listed_with_its_source() -> None:
    app = page(new_plan())
    listed = next(frame.value for frame in app.dataframe if {"Low", "Likely", "High"} <= set(frame.value.columns))
    calls = listed[listed["What"] == "calls per month"].iloc[0]
    assert (calls["Likely"], calls["From"]) == (50_000, "Your answer")
    assert all(listed["From"])
    assert len(listed) > 40


def test_worth_is_shown_once_quality_was_measured() -> None:
    quality = {"zero_shot": 0.4, "few_shot": 0.6, "ft_self": 0.9}
    app = page(new_plan(cost_options={"quality": quality, "usd_per_right_answer": 0.5}))
    worth = next(table.value for table in app.table if "One more right answer" in table.value.columns)
    assert list(worth["Right answers"]) == ["40 %", "60 %", "90 %"]
    assert "month" in worth["Paid back"].iloc[2]
    assert not any("One more right answer" in table.value.columns for table in page(new_plan()).table)
