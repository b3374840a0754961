"""Dry run first: the button beside the launch, what it starts, and its result; and the history on the Settings page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app_pages import error_view, launch_probe
from app_pages.launch_probe import as_probe, last_probe
from backends.history import past_runs, reset_at
from backends.local import LocalEngine
from core.home import run_dir
from core.jobspec import JobSpec
from core.store import JobRecord, open_store
from tests.backends.test_history import ended
from tests.training.conftest import colour_rows, write_rows


@pytest.fixture(autouse=True)
def _without_other_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of a page has nothing to link to."""
    monkeypatch.setattr("app_pages.state.link_to", lambda *_, **__: None)


@pytest.fixture
def spec(tmp_path: Path) -> JobSpec:
    base = tmp_path / "base"
    base.mkdir()
    config = {"model_type": "llama", "hidden_size": 576, "num_hidden_layers": 30, "num_attention_heads": 9}
    config |= {"num_key_value_heads": 3, "intermediate_size": 1536, "vocab_size": 49152, "tie_word_embeddings": True}
    for name, text in {"config.json": json.dumps(config), "tokenizer.json": "{}", "model.safetensors": ""}.items():
        (base / name).write_text(text)
    rows = write_rows(tmp_path / "rows.jsonl", colour_rows())
    return JobSpec(name="Colours", base_model=str(base), dataset=rows, micro_batch=4, device="cpu")


def shown(spec: JobSpec, plan_id: str) -> AppTest:
    def script() -> None:
        import streamlit as st

        from app_pages import launch_probe
        from core.jobspec import JobSpec
        from core.store import open_store

        spec = JobSpec.model_validate(st.session_state["spec"])
        launch_probe.show(open_store().plan(st.session_state["plan"]), spec, "tune", blocked=False)

    app = AppTest.from_function(script)
    app.session_state["spec"], app.session_state["plan"] = spec.model_dump(), plan_id
    return app.run(timeout=30)


def with_result(spec: JobSpec, plan_id: str) -> JobRecord:
    """A dry run of that plan that has ended."""
    kept = ended(as_probe(spec))
    store = open_store()
    record = store.add_job(as_probe(spec), plan_id=plan_id, predicted=kept.predicted)
    run_dir(kept.id).rename(run_dir(record.id))
    ref = LocalEngine().find(record.id)
    assert ref is not None
    store.set_ref(record.id, ref)
    return store.job(record.id)


def test_the_button_starts_a_dry_run_of_this_training(spec: JobSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalEngine, "_start", lambda *_: None)
    plan = open_store().new_plan("Colours")
    app = shown(spec, plan.id)
    assert not app.exception and not app.button(key="launch.probe").disabled
    app.button(key="launch.probe").click().run()
    assert not app.exception
    (job,) = open_store().jobs()
    assert (job.kind, job.name, job.plan_id) == ("probe", "Colours: dry run", plan.id)
    assert job.spec.dataset == spec.dataset and job.spec.micro_batch == 4
    assert app.button(key="launch.probe").disabled, "one at a time"


def test_its_result_stands_predicted_beside_measured_until_the_shape_changes(spec: JobSpec) -> None:
    plan = open_store().new_plan("Colours")
    record = with_result(spec, plan.id)
    assert last_probe(plan, spec) == record
    assert last_probe(plan, spec.model_copy(update={"max_tokens": 64})) is None
    rows = launch_probe.rows_of(record)
    assert [row[""] for row in rows] == ["Memory", "Speed", "Time of the dry run"]
    assert rows[1]["Measured"].endswith("predicted") and "tokens/s" in rows[1]["Predicted"]
    app = shown(spec, plan.id)
    assert not app.exception and len(app.get("arrow_table") or app.table) == 1
    assert any("Saved in 0.4 s" in caption.value for caption in app.caption)
    assert not app.button(key="launch.probe").disabled


def test_settings_show_the_errors_and_forget_what_was_learned(spec: JobSpec) -> None:
    def script() -> None:
        from app_pages import error_view

        error_view.show()

    empty = AppTest.from_function(script).run(timeout=30)
    assert not empty.exception and "Once a job of this machine has ended" in empty.caption[0].value
    ended(spec, times=1.2)
    runs = past_runs(open_store())
    assert error_view.summary(runs)[0] == {
        "": "Memory", "Runs": "1", "Off by (median)": "20%", "Inside the range": "100%"
    }  # fmt: skip
    assert error_view.by_run(runs)[0]["Memory"].endswith(", 1.20")
    app = AppTest.from_function(script).run(timeout=30)
    app.button(key="settings.correction.reset").click().run()
    assert not app.exception and reset_at() is not None
