"""Answers on screen are the answers that are kept, halves and all."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app_pages.wizard import words_of
from core.answers import Answers
from core.store import open_store

APP = str(Path(__file__).parents[2] / "app.py")


def page(plan_id: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=30)
    app.query_params["plan"] = plan_id
    return app.run()


def test_half_a_person_stays_half_a_person() -> None:
    store = open_store()
    plan = store.new_plan()
    store.update_plan(plan.id, answers=Answers(team_ml_fte=0.5))
    app = page(plan.id)
    assert not app.exception
    field = app.number_input(key="answer.team_ml_fte")
    assert field.value == 0.5 and field.step == 0.5
    field.set_value(1.5).run()
    assert store.plan(plan.id).answers.team_ml_fte == 1.5
    app.pills(key="answer.budget").set_value("small").run()
    assert store.plan(plan.id).answers.team_ml_fte == 1.5


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("team_ml_fte", 0.5, "0.5"),
        ("team_ml_fte", 2.0, "2"),
        ("volume_per_month", 1_250_000.0, "1,250,000"),
        ("volume_per_month", 1234.5, "1,234"),
        ("prompt_quality", 0.72, "72"),
    ],
)
def test_numbers_are_said_as_they_are(field: str, value: float, words: str) -> None:
    assert words_of(field, value) == words
