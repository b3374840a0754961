"""The Jobs page shows what a baseline has found while a person may still cancel the training behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app_pages import baseline_view
from app_pages.steps import ARROW, in_turn, named, predicted
from backends.chain import tune_specs
from backends.engines import engine
from backends.launch import launch, state_of
from core.estimate import Estimate
from core.job import EngineRef
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.store import JobRecord, open_store
from tests.pages.judgements import ended, report_of

ROOT = Path(__file__).parents[2]
ENOUGH: dict[str, Sequence[float]] = {"base": [0.0] * 400, "best_prompt": [1.0] * 392 + [0.0] * 8}
ROOM: dict[str, Sequence[float]] = {"base": [0.0] * 100, "best_prompt": [1.0] * 50 + [0.0] * 50}


def chain(scores: Mapping[str, Sequence[float]]) -> tuple[JobRecord, JobRecord, JobRecord]:
    """A baseline that has ended with these scores; a training at work and a judge that waits, on the fake engine."""
    store = open_store()
    spec = JobSpec(name="Tickets", group="one", dataset="train.jsonl", test="test.jsonl")
    first, train, judge = tune_specs(spec)
    record = store.add_job(first, plan_id=None, predicted=engine("fake").estimate(spec))
    folder = RunFolder.create(record.id, first)
    folder.announce(1)
    report_of(scores).save(folder.evaluation_file)
    ended(record, folder)
    host = {"engine": "fake", "fake": {"seconds": 1000.0}}
    running = launch(store, train.model_copy(update=host | {"after": []}))
    waiting = launch(store, judge.model_copy(update=host | {"job": running.id}))
    return store.job(record.id), running, waiting


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    app.run()
    app.switch_page("app_pages/jobs.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def captions(app: AppTest) -> str:
    return "\n".join(str(caption.value) for caption in app.caption)


def written(app: AppTest) -> str:
    return "\n".join(str(part.value) for part in [*app.caption, *app.markdown])


def test_the_list_asks_whether_to_stop_and_the_pages_of_both_jobs_too() -> None:
    first, train, _ = chain(ENOUGH)
    asked = "The best prompt already gets 98 % by exact match: stop here?"
    app = opened()
    assert not app.exception
    said = captions(app)
    assert "Exact match: base 0.00, best prompt 0.98" in said.replace("\\", "")
    assert any(asked in str(line.value) for line in app.markdown)
    assert "predicted to take about 33 min in all" in said
    for record in (first, train):
        assert [warning.value for warning in opened(job=record.id).warning] == [
            f"{asked} Cancel the training, and nothing more is computed."
        ]


def test_once_the_training_has_ended_there_is_nothing_to_stop() -> None:
    first, train, judge = chain(ENOUGH)
    engine("fake").cancel(EngineRef(engine="fake", ref=train.id))
    assert state_of(train).state == "cancelled"
    app = opened(job=first.id)
    assert [info.value for info in app.info] == ["The best prompt already gets 98 % by exact match."]
    assert "stop here" not in written(opened()) and not opened(job=judge.id).info


def test_where_a_tune_can_still_win_the_scores_stand_alone() -> None:
    first, train, _ = chain(ROOM)
    assert "stop here" not in written(opened())
    assert not opened(job=first.id).warning and not opened(job=train.id).warning
    found = baseline_view.finding(first)
    assert found == baseline_view.Finding("Exact match: base 0.00, best prompt 0.50", "")


def test_only_a_baseline_that_left_a_report_has_found_something() -> None:
    first, train, judge = chain(ENOUGH)
    assert baseline_view.finding(train) is None and baseline_view.finding(judge) is None
    RunFolder.of(first.id).evaluation_file.unlink()
    assert baseline_view.finding(first) is None


def test_the_steps_have_their_names_and_their_time() -> None:
    first, train, judge = chain(ROOM)
    specs = [first.spec, train.spec, judge.spec]
    assert in_turn(specs, [60.0, 120.0, None]) == f"Baseline 1 min {ARROW} Train 2 min {ARROW} Judge unknown"
    assert named(f"waits for {first.id}", [first, train]) == "Waits for the step Baseline"
    assert predicted([first, train]) == pytest.approx(1004.0)
    assert first.predicted is not None
    unknown = first.predicted.model_copy(update={"seconds": Estimate(unit="s")})
    assert predicted([first.model_copy(update={"predicted": unknown}), train]) is None
