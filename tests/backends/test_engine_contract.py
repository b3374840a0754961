"""What every engine must honour. A new engine adds its case here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.engines import ENGINES
from backends.fake import FakeEngine
from backends.local import LocalEngine
from core.errors import EngineError
from core.home import new_id, runs_dir
from core.job import EngineRef
from core.jobspec import JobSpec

from .conftest import Case, wait_until
from .fake_host import FakeHost
from .hosted import KEY, KEY_VARIABLE, hosted_spec, polled

CASES = ("fake", "local", "openai")


@pytest.fixture(params=CASES)
def case(
    request: pytest.FixtureRequest,
    training: JobSpec,
    untrainable: JobSpec,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Case]:
    if request.param == "openai":
        monkeypatch.setenv(KEY_VARIABLE, KEY)
        spec = hosted_spec(tmp_path)
        with polled(FakeHost(seconds=0.5, key=KEY)) as engine:
            yield Case(
                engine,
                quick=spec,
                slow=spec.model_copy(update={"base_model": "slow-chat"}),
                failing=spec.model_copy(update={"base_model": "will-fail-chat"}),
                broken=spec.model_copy(update={"dataset": "no/such/file.jsonl", "epochs": 0.5}),
            )
        return
    if request.param == "fake":
        spec = JobSpec(engine="fake")
        yield Case(
            FakeEngine(),
            quick=spec.model_copy(update={"fake": {"seconds": 0.3, "queued_seconds": 0.1}}),
            slow=spec.model_copy(update={"fake": {"seconds": 3.0}}),
            failing=spec.model_copy(update={"fake": {"seconds": 0.2, "outcome": "failed"}}),
            broken=spec.model_copy(update={"fake": {"secnods": 1, "outcome": "maybe"}}),
        )
        return
    yield Case(
        LocalEngine(),
        quick=training,
        slow=training.model_copy(update={"epochs": 400.0}),
        failing=untrainable,
        broken=training.model_copy(update={"dataset": "no/such/file.jsonl", "base_model": "no/such/model"}),
    )


def test_every_engine_of_this_release_has_a_case() -> None:
    assert {name for name, row in ENGINES.items() if row.make is not None} == set(CASES)


def test_check_finds_all_problems_at_once_and_changes_nothing(case: Case) -> None:
    assert case.engine.check(case.quick) == []
    problems = case.engine.check(case.broken)
    assert len({str(problem) for problem in problems}) >= 2
    assert all(problem.what and problem.where for problem in problems)
    assert list(runs_dir().iterdir()) == []


def test_an_estimate_is_ordered_or_unknown_and_says_why(case: Case) -> None:
    found = case.engine.estimate(case.quick)
    for estimate in (found.memory_gib, found.seconds, found.tokens_per_second, found.usd):
        assert estimate.because
        if estimate.known:
            assert estimate.low is not None and estimate.likely is not None and estimate.high is not None
            assert estimate.low <= estimate.likely <= estimate.high
    assert found.seconds.known or case.engine.name == "openai", "a host does not say how long it will take"


def test_a_job_is_started_once_and_seen_to_its_end(case: Case) -> None:
    engine, job_id = case.engine, new_id("job")
    assert engine.find(job_id) is None
    ref = engine.submit(case.quick, job_id)
    assert ref == EngineRef(engine=engine.name, ref=job_id) == engine.find(job_id)
    assert engine.submit(case.quick, job_id) == ref
    assert not engine.poll(ref).done
    with pytest.raises(EngineError, match="has no result"):
        engine.result(ref)
    state = wait_until(engine, ref, lambda state: state.state == "succeeded")
    assert state.step == state.total_steps > 0
    assert state.started_at is not None and state.ended_at is not None and state.started_at <= state.ended_at
    events = engine.events(ref)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    steps = [event for event in events if event.kind == "step"]
    assert [event.step for event in steps] == list(range(1, state.total_steps + 1))
    assert all(event.values["loss"] > 0 for event in steps)
    assert engine.events(ref, after=events[-3].seq) == events[-2:]
    result = engine.result(ref)
    assert result.metrics and (result.adapter or result.notes)
    assert engine.submit(case.quick, job_id) == ref and engine.poll(ref).state == "succeeded"
    engine.cancel(ref)
    assert engine.poll(ref).state == "succeeded", "a cancel changes nothing on a finished job"
    problem = engine.resume(ref)
    assert problem is not None and "succeeded" in problem.what


def test_a_cancelled_job_stays_cancelled_until_it_is_resumed(case: Case) -> None:
    engine = case.engine
    ref = engine.submit(case.slow, new_id("job"))
    wait_until(engine, ref, lambda state: state.step >= 3)
    engine.cancel(ref)
    engine.cancel(ref)
    state = wait_until(engine, ref, lambda state: state.state == "cancelled")
    assert 3 <= state.step < state.total_steps and state.reason
    step, problem = state.step, engine.resume(ref)
    if engine.name == "openai":  # what was stopped at a host is paid for, and does not go on
        assert problem is not None and "Launch it again" in problem.hint
        return
    assert problem is None
    if engine.name == "local":  # the fake starts over, a local job goes on from its checkpoint
        wait_until(engine, ref, lambda state: state.step > step)
        begun = [event.message for event in engine.events(ref) if event.kind == "stage"][-1]
        assert begun == f"Training, from step {step} on"
    else:
        wait_until(engine, ref, lambda state: state.step >= 1)
    engine.cancel(ref)
    wait_until(engine, ref, lambda state: state.state == "cancelled")


def test_a_failure_says_what_and_what_to_do(case: Case) -> None:
    ref = case.engine.submit(case.failing, new_id("job"))
    state = wait_until(case.engine, ref, lambda state: state.state == "failed")
    assert len(state.reason) > 20 and "Traceback" not in state.reason
    assert case.engine.result(ref).adapter is None


def test_a_pause_is_honoured_or_refused_with_a_reason(case: Case) -> None:
    ref = case.engine.submit(case.slow, new_id("job"))
    problem = case.engine.pause(ref)
    if problem is None:
        wait_until(case.engine, ref, lambda state: state.note == "paused")
        assert case.engine.resume(ref) is None
        wait_until(case.engine, ref, lambda state: state.note != "paused")
    else:
        assert "pause" in problem.what and problem.hint
    case.engine.cancel(ref)
    wait_until(case.engine, ref, lambda state: state.state == "cancelled")


def test_a_job_that_the_engine_never_had_is_not_found(case: Case) -> None:
    assert case.engine.find("job-20260101-00000000") is None
    assert case.engine.find("../../etc") is None
