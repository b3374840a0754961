"""The launch panel says what all of its jobs will need, together and in turn, not what the first of them does."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app_pages.example_answers import EXAMPLES
from app_pages.steps import ARROW
from backends.fake import FakeEngine
from core.estimate import Estimate, RunEstimate
from core.jobspec import JobSpec
from core.store import open_store
from dataset.prepare import adopt

APP = str(Path(__file__).parents[2] / "app.py")
TRAIN_SECONDS, SECONDS_A_MODEL = 120.0, 20.0


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[JobSpec]:
    """What the fake engine was asked to estimate: two minutes for a training, one for a judgement of three models."""
    specs: list[JobSpec] = []

    def estimate(self: FakeEngine, spec: JobSpec) -> RunEstimate:
        specs.append(spec)
        seconds = TRAIN_SECONDS if spec.kind == "train" else SECONDS_A_MODEL * len(spec.models or "123")
        return RunEstimate(
            memory_gib=Estimate(low=seconds / 60, likely=seconds / 60, high=seconds / 60, unit="GiB"),
            seconds=Estimate(low=seconds, likely=seconds, high=seconds, unit="s", because=[f"{spec.kind}."]),
            tokens_per_second=Estimate(unit="tokens/s"),
            usd=Estimate(low=0, likely=0, high=0, unit="USD"),
        )

    monkeypatch.setattr(FakeEngine, "estimate", estimate)
    return specs


def panel() -> AppTest:
    """A plan whose advice is a tune, with rows, on the fake engine."""
    store = open_store()
    plan = store.new_plan("Bookings")
    rows = "\n".join(["question,answer", *(f"Move booking {37 * n} of guest {n * n},moved {n}" for n in range(40))])
    spec = JobSpec(engine="fake")
    store.update_plan(plan.id, answers=EXAMPLES[2].answers, data=adopt(rows.encode(), "rows.csv"), spec=spec)
    app = AppTest.from_file(APP, default_timeout=30)
    app.query_params["plan"] = plan.id
    return app.run()


def figures(app: AppTest) -> dict[str, str]:
    return {metric.label: str(metric.value) for metric in app.metric}


def test_a_tune_needs_the_time_of_all_its_jobs_and_asks_the_base_once(asked: list[JobSpec]) -> None:
    app = panel()
    assert not app.exception
    assert [spec.kind for spec in asked] == ["evaluate", "train", "evaluate"]
    shown = figures(app)
    assert shown["Time"] == "3 min 20 s" and shown["Memory"] == "2.0 GiB" and "0.00" in shown["Dollars"]
    turns = f"Baseline 1 min {ARROW} Train 2 min {ARROW} Judge 20 s. "
    assert any(caption.value.startswith(turns) for caption in app.caption)


def test_rows_that_were_removed_from_the_plan_are_asked_for_again() -> None:
    app = panel()
    app.button(key="launch.go").click().run()
    store = open_store()
    (plan,) = store.plans()
    assert plan.spec is not None and plan.spec.dataset is not None, "the spec that was launched is kept"
    store.update_plan(plan.id, data=None)
    app.run()
    assert not app.exception and not app.error
    assert any("Choose rows first" in info.value for info in app.info) and app.button(key="launch.go").disabled


def test_a_measurement_is_estimated_as_it_would_be_launched(asked: list[JobSpec]) -> None:
    app = panel()
    way = next(control for control in app.segmented_control if str(control.key).startswith("launch.way."))
    asked.clear()
    way.set_value("measure").run()
    assert not app.exception
    assert {spec.kind for spec in asked} == {"tournament"} and figures(app)["Time"] == "1 min"
    app.button(key="launch.go").click().run()
    (job,) = open_store().jobs()
    assert job.kind == "tournament" and job.spec.test == asked[-1].test
