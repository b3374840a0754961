"""Verdicts are kept whoever looks first, and the newest judgement is the plan's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.store import JobRecord, Store, open_store
from evaluation.keep import keep_verdict
from evaluation.report import EvaluationReport, Verdict
from evaluation.stats import wilson

DAY = datetime(2026, 11, 24, 9, tzinfo=UTC)
TRAIN = "job-20261124-00000001"


@pytest.fixture
def store() -> Store:
    return open_store()


def judged(
    store: Store, plan_id: str | None, day: int, verdict: Verdict, *, tuned: bool = True
) -> tuple[JobRecord, EvaluationReport]:
    spec = JobSpec(kind="evaluate", job=TRAIN if tuned else None)
    record = store.add_job(spec, plan_id=plan_id)
    report = EvaluationReport(
        verdict=verdict,
        reasons=[],
        metric="exact_match",
        metric_words="exact match",
        models={name: {"task": wilson(9, 20)} for name in (("base", "tuned") if tuned else ("base",))},
        base_model="b",
        test_file="t",
        test_sha256="00",
        rows=20,
        rows_in_file=20,
        seed=7,
        created_at=DAY + timedelta(days=day),
    )
    report.save(RunFolder.create(record.id, spec).evaluation_file)
    return record, report


def test_the_verdict_stands_with_the_plan_and_with_its_training(store: Store) -> None:
    plan = store.new_plan()
    keep_verdict(store, *judged(store, plan.id, 0, "ship"))
    assert store.plan(plan.id).verdict == "ship" and store.verdicts() == {TRAIN: "ship"}


def test_looking_at_an_older_judgement_does_not_bring_its_verdict_back(store: Store) -> None:
    plan = store.new_plan()
    older, newer = judged(store, plan.id, 0, "ship"), judged(store, plan.id, 1, "do_not_ship")
    keep_verdict(store, *newer)
    keep_verdict(store, *older)
    assert store.plan(plan.id).verdict == "do_not_ship"
    keep_verdict(store, *newer)
    assert store.plan(plan.id).verdict == "do_not_ship"


def test_a_newer_judgement_replaces_an_older_verdict(store: Store) -> None:
    plan = store.new_plan()
    keep_verdict(store, *judged(store, plan.id, 0, "not_enough_evidence"))
    keep_verdict(store, *judged(store, plan.id, 1, "ship"))
    assert store.plan(plan.id).verdict == "ship"


def test_a_measurement_without_a_tune_is_no_verdict_and_hides_none(store: Store) -> None:
    plan = store.new_plan()
    keep_verdict(store, *judged(store, plan.id, 2, "not_enough_evidence", tuned=False))
    assert store.plan(plan.id).verdict is None
    keep_verdict(store, *judged(store, plan.id, 1, "ship"))
    assert store.plan(plan.id).verdict == "ship"


def test_a_broken_report_beside_it_does_not_stop_a_verdict(store: Store) -> None:
    plan = store.new_plan()
    broken, _ = judged(store, plan.id, 3, "do_not_ship")
    RunFolder.of(broken.id).evaluation_file.write_text("{")
    keep_verdict(store, *judged(store, plan.id, 0, "ship"))
    assert store.plan(plan.id).verdict == "ship"


def test_a_judgement_without_a_plan_stands_with_its_training_alone(store: Store) -> None:
    keep_verdict(store, *judged(store, None, 0, "ship"))
    assert store.verdicts() == {TRAIN: "ship"} and store.plans() == []
