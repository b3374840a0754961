"""The form of a method shows its own settings and what it forbids, and keeps every change at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app_pages.method_form import GUARDS, bits_of, changed
from core.jobspec import JobSpec, MethodSpec
from training.methods import METHODS

SCRIPT = """
import streamlit as st
from app_pages import method_form
from core.jobspec import JobSpec, MethodSpec

st.session_state.setdefault("spec", JobSpec().model_dump())
spec = JobSpec.model_validate(st.session_state["spec"])

def keep(method, rate):
    st.session_state["spec"] = spec.model_copy(update={"method": method, "learning_rate": rate}).model_dump()

def keep_field(field, value):
    st.session_state["spec"] = spec.model_copy(update={field: value}).model_dump()

method_form.choose(spec.method, spec.learning_rate, keep)
method_form.guards(spec, keep_field)
"""


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    return AppTest.from_string(SCRIPT, default_timeout=20).run()


def spec_of(app: AppTest) -> JobSpec:
    return JobSpec.model_validate(app.session_state["spec"])


def test_each_method_shows_its_settings_and_what_it_forbids(app: AppTest) -> None:
    for kind, method in METHODS.items():
        app.selectbox(key="launch.kind").set_value(kind).run()
        assert not app.exception
        assert spec_of(app).method == MethodSpec(kind=kind) and spec_of(app).learning_rate == method.learning_rate
        said = " ".join(caption.value for caption in app.caption)
        assert method.why in said and method.rate_source in said
        assert all(each.because in said for each in method.forbids)
        shown = {str(each.key).removeprefix("launch.") for each in (*app.number_input, *app.toggle, *app.selectbox)}
        assert shown - set(GUARDS) == {"kind", "bits", "learning_rate", *method.settings} - {"targets"}


def test_a_changed_setting_is_kept_and_another_method_starts_anew(app: AppTest) -> None:
    app.number_input(key="launch.rank").set_value(4).run()
    app.toggle(key="launch.dora").set_value(True).run()
    app.selectbox(key="launch.bits").set_value("4").run()
    app.number_input(key="launch.weight_decay").set_value(0.1).run()
    app.number_input(key="launch.neftune_alpha").set_value(5.0).run()
    kept = spec_of(app)
    assert kept.method == MethodSpec(rank=4, dora=True, bits="4")
    assert (kept.weight_decay, kept.neftune_alpha) == (0.1, 5.0)
    app.selectbox(key="launch.kind").set_value("prefix").run()
    assert spec_of(app).method == MethodSpec(kind="prefix") and spec_of(app).weight_decay == 0.1


def test_only_bits_that_the_method_allows_are_offered() -> None:
    assert bits_of(METHODS["lora"]) == ["16", "8", "4", "fp8"]
    assert bits_of(METHODS["full"]) == ["16"] and bits_of(METHODS["ia3"]) == ["16", "8", "4"]


def test_a_change_of_the_rate_leaves_the_method_as_it_is() -> None:
    values = MethodSpec(rank=8).model_dump() | {"learning_rate": 1e-3}
    assert changed("learning_rate", 5e-4, values) == (MethodSpec(rank=8), 5e-4)
    assert changed("kind", "full", values) == (MethodSpec(kind="full"), 1e-4)
