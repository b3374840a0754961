"""Earlier jobs of this machine: found in store and folders, learned from, handed to the worker, and forgotten."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.estimates import estimate_local
from backends.history import correction_for, past_runs, reset_at, reset_correction
from backends.local import LocalEngine
from backends.room import room_problems
from core.home import new_id, runs_dir
from core.job import Measured, Outcome, Result
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.store import JobRecord, open_store
from tests.training.conftest import colour_rows, write_rows
from training.calibration_file import calibration_of


@pytest.fixture
def asked(tmp_path: Path) -> JobSpec:
    return JobSpec(dataset=write_rows(tmp_path / "rows.jsonl", colour_rows()), micro_batch=4, device="cpu")


def ended(spec: JobSpec, *, times: float = 1.5, state: str = "succeeded") -> JobRecord:
    """A job that took `times` the memory and ran at `times` the speed of what was predicted."""
    predicted = estimate_local(spec)
    record = open_store().add_job(spec, plan_id=None, predicted=predicted)
    memory, speed = predicted.memory_gib.likely, predicted.tokens_per_second.likely
    assert memory and speed
    measured = Measured(memory_gib=times * memory, seconds=60, tokens_per_second=times * speed)
    result = Result(measured=measured, notes=["Saved in 0.4 s."])
    RunFolder.create(record.id, spec).finish(
        Outcome.model_validate({"state": state, "result": result, "at": datetime.now(UTC)})
    )
    return record


def test_nothing_is_learned_and_no_store_is_made_before_a_job_ran(asked: JobSpec, home: Path) -> None:
    assert correction_for(asked) is None and not list(home.glob("*.db"))


def test_an_estimate_takes_what_a_dry_run_measured_unless_it_is_asked_for_plain(asked: JobSpec) -> None:
    plain = estimate_local(asked)
    record = ended(asked.model_copy(update={"kind": "probe"}))
    (run,) = past_runs(open_store())
    assert run.job_id == record.id and run.ratio("memory_gib") == pytest.approx(1.5)
    found = estimate_local(asked)
    assert found.memory_gib.likely == pytest.approx(1.5 * (plain.memory_gib.likely or 0), rel=0.01)
    assert found.memory_factor == pytest.approx(1.5) and "a dry run" in " ".join(found.memory_gib.because)
    assert estimate_local(asked, plain=True).memory_gib == plain.memory_gib
    assert estimate_local(asked.model_copy(update={"gpu": "T4"})).memory_factor == 1
    assert estimate_local(asked.model_copy(update={"kind": "evaluate", "test": asked.dataset})).memory_factor == 1


def test_a_second_run_that_took_what_was_then_predicted_leaves_the_correction_as_it_is(asked: JobSpec) -> None:
    ended(asked)
    ended(asked, times=1.0)  # of the corrected prediction
    found = correction_for(asked)
    assert found is not None and found.memory_factor == pytest.approx(1.5, rel=0.01)


def test_what_failed_teaches_nothing_and_a_reset_forgets_what_came_before(asked: JobSpec) -> None:
    ended(asked, times=3.0, state="failed")
    assert past_runs(open_store()) == [] and correction_for(asked) is None
    ended(asked)
    assert correction_for(asked) is not None and reset_at() is None
    reset_correction()
    assert correction_for(asked) is None and reset_at() is not None
    assert len(past_runs(open_store())) == 1, "the history stays"
    ended(asked)
    assert correction_for(asked) is not None


def test_the_worker_plans_by_the_correction_that_was_shown(asked: JobSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalEngine, "_start", lambda *_: None)
    job_id = new_id("job")
    LocalEngine().submit(asked, job_id)
    assert calibration_of(RunFolder(runs_dir() / job_id)) is None
    ended(asked)
    LocalEngine().submit(asked, other := new_id("job"))
    found = calibration_of(RunFolder(runs_dir() / other))
    assert found == correction_for(asked) and found is not None and found.same_shape


def test_a_dry_run_is_checked_as_its_training_is(asked: JobSpec, tiny_base: Path) -> None:
    dry = asked.model_copy(update={"kind": "probe", "base_model": str(tiny_base)})
    assert LocalEngine().check(dry) == [] and room_problems(dry) == []
    odd = dry.model_copy(update={"dataset": None, "packing": True, "n_gpus": 2})
    assert {problem.where for problem in LocalEngine().check(odd)} == {"dataset", "packing", "n_gpus"}
