"""What a launch writes down before it starts: the hash of its rows, its measure of success, what it will need."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.chain import estimate_chain, launch_evaluation, launch_measure, launch_tune, tune_specs
from backends.fake import FakeEngine
from backends.launch import launch
from core.errors import Refused
from core.estimate import Estimate, RunEstimate
from core.jobspec import JobSpec
from core.plan import EvaluationPlan
from core.store import Store, open_store
from evaluation.rows import judged_rows
from tests.training.conftest import colour_rows, write_rows
from training.rows import Part, refuse_changed

FAKE = JobSpec(engine="fake", name="Try", dataset="train.jsonl", test="test.jsonl", fake={"seconds": 0.2})


@pytest.fixture
def store() -> Store:
    return open_store()


def written(success: str) -> EvaluationPlan:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    return EvaluationPlan(metric="exact match", rows=20, models=["base", "tuned"], success=success, written_at=now)


def on_rows(folder: Path) -> JobSpec:
    path = write_rows(folder / "train.jsonl", colour_rows()[:20])
    return FAKE.model_copy(update={"dataset": path, "test": path})


def sha256(path: str | None) -> str:
    return hashlib.sha256(Path(str(path)).read_bytes()).hexdigest()


def test_every_way_to_launch_keeps_the_hash_of_the_training_rows(store: Store, tmp_path: Path) -> None:
    spec = on_rows(tmp_path)
    plan = store.new_plan("Hashes")
    alone = launch(store, spec)
    chain = launch_tune(store, plan, spec)
    measured = launch_measure(store, plan, spec)
    later = launch_evaluation(store, alone)
    jobs = [alone, *chain, *measured, later]
    assert len(jobs) == 6
    assert {store.job(job.id).spec.dataset_sha256 for job in jobs} == {sha256(spec.dataset)}


def test_rows_that_change_after_the_launch_are_refused_by_trainer_and_judge(store: Store, tmp_path: Path) -> None:
    spec = on_rows(tmp_path)
    _, train, judge = launch_tune(store, store.new_plan("Changed"), spec)
    write_rows(tmp_path / "train.jsonl", colour_rows()[:21])
    with pytest.raises(Refused, match="has changed since the tune was asked for"):
        judged_rows(judge.spec)
    with pytest.raises(Refused, match="has changed since the job was asked for"):
        refuse_changed(train.spec, Part(str(spec.dataset), sha256(spec.dataset), [], 21, 0, 0, 0, 0))


def test_a_hash_that_was_given_stays_and_rows_that_are_not_here_have_none(store: Store, tmp_path: Path) -> None:
    given = on_rows(tmp_path).model_copy(update={"dataset_sha256": "ab" * 32})
    assert launch(store, given).spec.dataset_sha256 == "ab" * 32
    assert launch(store, FAKE).spec.dataset_sha256 is None


def test_each_launch_of_a_plan_keeps_its_own_measure_of_success(store: Store) -> None:
    plan = store.new_plan("Three launches")
    _, train, first = launch_tune(store, plan, FAKE, written("First."))
    (second,) = launch_measure(store, store.plan(plan.id), FAKE, written("Second."))
    third = launch_evaluation(store, train, written("Third."))
    kept = store.plan(plan.id)
    assert {job: each.success for job, each in kept.evaluation_plans.items()} == {
        first.id: "First.",
        second.id: "Second.",
        third.id: "Third.",
    }
    assert kept.evaluation_plan is not None and kept.evaluation_plan.success == "Third."


def test_the_measure_of_success_is_kept_before_the_first_job_starts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = store.new_plan("Order")
    seen: list[int] = []
    submit = FakeEngine.submit

    def looked(self: FakeEngine, spec: JobSpec, job_id: str) -> object:
        seen.append(len(store.plan(plan.id).evaluation_plans))
        return submit(self, spec, job_id)

    monkeypatch.setattr(FakeEngine, "submit", looked)
    launch_tune(store, plan, FAKE, written("Said first."))
    assert seen == [1, 1, 1]


def test_a_training_without_a_plan_is_judged_without_one(store: Store) -> None:
    judge = launch_evaluation(store, launch(store, FAKE), written("Nowhere to keep it."))
    assert judge.plan_id is None and store.plans() == []
    assert judge.predicted is not None, "what it would need was not said before the launch"


def test_a_chain_needs_the_time_and_dollars_of_all_and_the_most_memory_of_any(monkeypatch: pytest.MonkeyPatch) -> None:
    def said(self: FakeEngine, spec: JobSpec) -> RunEstimate:
        train = spec.kind == "train"

        def around(value: float, unit: str) -> Estimate:
            return Estimate(low=value / 2, likely=value, high=value * 2, unit=unit, because=[f"{spec.kind}: {unit}"])

        return RunEstimate(
            memory_gib=around(4.0 if train else 1.0, "GiB"),
            seconds=around(100.0 if train else 40.0, "s"),
            tokens_per_second=around(300.0, "tokens/s"),
            usd=around(0.5, "USD"),
            breakdown={"optimizer" if train else "cache": 1.0},
            fits=train or None,
        )

    monkeypatch.setattr(FakeEngine, "estimate", said)
    found = estimate_chain(tune_specs(FAKE))
    assert (found.seconds.low, found.seconds.likely, found.seconds.high) == (90, 180, 360)
    assert found.usd.likely == 1.5 and found.memory_gib.likely == 4.0 and "optimizer" in found.breakdown
    assert found.fits is None, "what nobody knows of one job is not known of the chain"
    assert found.seconds.because == ["evaluate: s", "train: s"]


def test_what_is_unknown_of_one_job_is_unknown_of_the_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    known = FakeEngine.estimate

    def said(self: FakeEngine, spec: JobSpec) -> RunEstimate:
        unknown = {"seconds": Estimate(unit="s"), "memory_gib": Estimate(unit="GiB"), "fits": False}
        return known(self, spec).model_copy(update=unknown if spec.kind == "evaluate" else {})

    monkeypatch.setattr(FakeEngine, "estimate", said)
    found = estimate_chain(tune_specs(FAKE))
    assert found.seconds.likely is None and found.memory_gib.likely is None and found.fits is False
    assert found.usd.likely == 0
