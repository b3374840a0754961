"""From a plan to running jobs, and what happens when something is lost on the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backends.chain import launch_evaluation, launch_measure, launch_tune
from backends.engines import engine
from backends.fake import FakeEngine
from backends.launch import launch, reconcile, state_of
from backends.local import LocalEngine
from core.errors import EngineError, NotFound, ProblemsFound
from core.estimate import Estimate, RunEstimate
from core.home import new_id, run_dir, runs_dir
from core.job import EngineRef
from core.jobspec import DEFAULT_BASE_MODEL, JobSpec
from core.plan import EvaluationPlan
from core.store import Store, open_store

from .conftest import wait_until

FAKE = JobSpec(engine="fake", name="Try", dataset="train.jsonl", test="test.jsonl", fake={"seconds": 0.2})


@pytest.fixture
def store() -> Store:
    return open_store()


def test_a_job_with_problems_is_neither_stored_nor_started(store: Store) -> None:
    with pytest.raises(ProblemsFound) as caught:
        launch(store, FAKE.model_copy(update={"fake": {"a": 1, "b": 2}}))
    assert [problem.what[:3] for problem in caught.value.problems()] == ["`a`", "`b`"]
    assert store.jobs() == [] and list(runs_dir().iterdir()) == []


def test_an_answer_that_was_lost_starts_the_job_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    submit = FakeEngine.submit

    def counted(self: FakeEngine, spec: JobSpec, job_id: str) -> EngineRef:
        asked.append(job_id)
        return submit(self, spec, job_id)

    monkeypatch.setattr(FakeEngine, "submit", counted)
    record = launch(store, FAKE.model_copy(update={"fake": {"lost": True, "seconds": 0.2}}))
    assert asked == [record.id]
    assert store.job(record.id).ref == EngineRef(engine="fake", ref=record.id)
    assert state_of(record).state in ("queued", "running")


def test_an_intent_without_a_reference_is_found_again_and_never_started_twice(store: Store) -> None:
    known, unknown = (store.add_job(FAKE, plan_id=None) for _ in range(2))
    engine("fake").submit(FAKE, known.id)
    assert [record.id for record in reconcile(store)] == [known.id]
    assert store.job(known.id).ref is not None
    assert store.job(unknown.id).ref is None and state_of(unknown).note == "being handed over"
    old = unknown.model_copy(update={"created_at": datetime.now(UTC) - timedelta(minutes=5)})
    assert state_of(old).state == "failed" and "never handed" in state_of(old).reason


def test_a_job_whose_folder_is_gone_is_said_to_be_failed(store: Store) -> None:
    record = launch(store, FAKE)
    FakeEngine().forget(EngineRef(engine="fake", ref=record.id))
    assert not run_dir(record.id).exists()
    assert state_of(record).state == "failed" and "folder is gone" in state_of(record).reason


def test_a_tune_is_a_chain_and_its_measure_of_success_is_written_down_first(store: Store) -> None:
    plan = store.new_plan("Chain")
    written = EvaluationPlan(
        models=["base", "tuned"],
        metric="exact match",
        rows=20,
        success="The tuned model is better.",
        written_at=datetime(2026, 11, 24, tzinfo=UTC),
    )
    baseline, train, judge = jobs = launch_tune(store, plan, FAKE, written)
    assert [job.kind for job in jobs] == ["evaluate", "train", "evaluate"]
    assert [job.name for job in jobs] == ["Try: baseline", "Try", "Try: judge"]
    assert [job.spec.after for job in jobs] == [[], [baseline.id], [train.id]]
    assert [job.spec.job for job in jobs] == [None, None, train.id]
    assert len({job.spec.group for job in jobs}) == 1 and train.spec.group is not None
    assert {job.plan_id for job in jobs} == {plan.id}
    assert train.predicted is not None and train.predicted.seconds.likely == pytest.approx(0.2)
    assert store.plan(plan.id).evaluation_plan == written
    assert list(store.plan(plan.id).evaluation_plans) == [judge.id]
    assert store.plan(plan.id).jobs == [baseline.id, train.id, judge.id]


def test_a_measurement_tunes_nothing(store: Store) -> None:
    (measure,) = launch_measure(store, store.new_plan("Measure"), FAKE)
    assert measure.kind == measure.spec.kind == "tournament" and measure.spec.job is None


def test_a_model_that_is_not_here_is_prepared_first(
    store: Store, training: JobSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted: list[JobSpec] = []

    def noted(self: LocalEngine, spec: JobSpec, job_id: str) -> EngineRef:
        submitted.append(spec)
        return EngineRef(engine="local", ref=job_id)

    monkeypatch.setattr(LocalEngine, "submit", noted)
    spec = training.model_copy(
        update={"base_model": DEFAULT_BASE_MODEL, "test": training.dataset, "allow_network": True}
    )
    prepare, baseline, train, judge = jobs = launch_tune(store, store.new_plan("Prepare"), spec)
    assert [job.kind for job in jobs] == ["prepare", "evaluate", "train", "evaluate"]
    assert [job.spec.after for job in jobs] == [[], [prepare.id], [baseline.id], [train.id]]
    assert judge.spec.job == train.id and prepare.spec.base_model == DEFAULT_BASE_MODEL
    assert submitted == [job.spec for job in jobs]
    # With the model here there is nothing to prepare.
    jobs = launch_tune(store, store.new_plan("Here"), training.model_copy(update={"test": training.dataset}))
    assert [job.kind for job in jobs] == ["evaluate", "train", "evaluate"] and jobs[0].spec.after == []


def test_a_model_that_is_not_here_is_not_fetched_without_leave(store: Store, training: JobSpec) -> None:
    plan = store.new_plan("Prepare")
    spec = training.model_copy(
        update={"base_model": DEFAULT_BASE_MODEL, "test": training.dataset, "allow_network": False}
    )
    with pytest.raises(ProblemsFound, match="not on this machine"):
        launch_tune(store, plan, spec)
    assert store.jobs() == []


def test_a_finished_training_can_be_judged_later(store: Store) -> None:
    train = launch(store, FAKE)
    judge = launch_evaluation(store, train)
    assert judge.spec.job == train.id and judge.kind == "evaluate"


def test_engines_that_are_not_here_are_refused_by_name() -> None:
    with pytest.raises(EngineError, match="not in this release"):
        engine("ray")
    with pytest.raises(EngineError, match="no engine `abc`"):
        engine("abc")


def test_a_chain_that_cannot_be_handed_over_whole_is_cancelled(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    submit = FakeEngine.submit

    def last_fails(self: FakeEngine, spec: JobSpec, job_id: str) -> EngineRef:
        if spec.kind == "evaluate" and spec.job:
            raise EngineError("the host is down.", "Try later.")
        return submit(self, spec, job_id)

    monkeypatch.setattr(FakeEngine, "submit", last_fails)
    spec = FAKE.model_copy(update={"fake": {"seconds": 60.0}})
    with pytest.raises(EngineError, match="host is down"):
        launch_tune(store, store.new_plan("Torn"), spec)
    judge, train, baseline = store.jobs()
    assert judge.ref is None and [state_of(job).state for job in (train, baseline)] == ["cancelled"] * 2


def test_an_unknown_job_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        store.job(new_id("job"))


def test_a_job_over_its_budget_is_not_started(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    launch(store, FAKE.model_copy(update={"budget_usd": 0.0}))
    free = FakeEngine.estimate

    def dear(self: FakeEngine, spec: JobSpec) -> RunEstimate:
        usd = Estimate(low=5, likely=12, high=30, unit="USD", because=["a test"])
        return free(self, spec).model_copy(update={"usd": usd})

    monkeypatch.setattr(FakeEngine, "estimate", dear)
    with pytest.raises(ProblemsFound, match=r"about \$12\.00, and the budget is \$10\.00"):
        launch(store, FAKE.model_copy(update={"budget_usd": 10.0}))
    with pytest.raises(ProblemsFound, match="budget"):
        launch_tune(store, store.new_plan("Dear"), FAKE.model_copy(update={"budget_usd": 10.0}))
    assert len(store.jobs()) == 1


def test_what_the_judge_cannot_measure_is_said_before_the_launch(training: JobSpec) -> None:
    spec = training.model_copy(
        update={"kind": "evaluate", "test": training.dataset, "axes": ["bias"], "judge": "some-model"}
    )
    assert [problem.where for problem in engine("local").check(spec)] == ["axes", "judge"]


def test_a_preparation_does_not_wait_behind_a_training(training: JobSpec) -> None:
    local = engine("local")
    ref = local.submit(training.model_copy(update={"epochs": 400.0}), new_id("job"))
    wait_until(local, ref, lambda state: state.state == "running")
    prepare = training.model_copy(update={"kind": "prepare", "dataset": None})
    assert wait_until(local, local.submit(prepare, new_id("job")), lambda state: state.done).state == "succeeded"
    assert not local.poll(ref).done
    local.cancel(ref)
    wait_until(local, ref, lambda state: state.done)
