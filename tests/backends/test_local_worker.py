"""The detached worker: alive at once, explained when it dies, in line with the others."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.local import PROJECT_ROOT, LocalEngine, scrubbed_environment
from core.errors import EngineError
from core.home import new_id
from core.job import EngineRef
from core.jobspec import JobSpec
from core.run_folder import RunFolder

from .conftest import wait_until

EXPLAINED_WITHIN_SECONDS = 10
FIRST_LINE_WITHIN_SECONDS = 2


@pytest.fixture
def engine() -> LocalEngine:
    return LocalEngine()


def children_of(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def test_the_log_begins_before_anything_heavy_is_loaded(engine: LocalEngine, training: JobSpec) -> None:
    asked = datetime.now(UTC)
    ref = engine.submit(training.model_copy(update={"epochs": 400.0}), new_id("job"))
    folder = RunFolder.of(ref.ref)
    end = time.monotonic() + 60
    while f"is at {ref.ref}" not in folder.log_tail() and time.monotonic() < end:
        time.sleep(0.01)
    worker = folder.worker()
    assert worker is not None
    assert (worker.started_at - asked).total_seconds() < FIRST_LINE_WITHIN_SECONDS
    assert "torch" not in Path(f"/proc/{worker.pid}/maps").read_text()
    wait_until(engine, ref, lambda state: state.step >= 1)
    log = folder.log_tail()
    assert log.index(f"is at {ref.ref}") < log.index("torch 2.")
    engine.cancel(ref)
    assert wait_until(engine, ref, lambda state: state.done).state == "cancelled"


def test_a_killed_child_is_explained_and_the_job_goes_on_from_its_checkpoint(
    engine: LocalEngine, training: JobSpec
) -> None:
    ref = engine.submit(training.model_copy(update={"epochs": 400.0}), new_id("job"))
    wait_until(engine, ref, lambda state: state.step >= 5)
    worker = RunFolder.of(ref.ref).worker()
    assert worker is not None
    (child,) = children_of(worker.pid)
    killed = time.monotonic()
    os.kill(child, signal.SIGKILL)
    state = wait_until(engine, ref, lambda state: state.state == "failed")
    assert time.monotonic() - killed < EXPLAINED_WITHIN_SECONDS
    assert "killed by signal 9 (SIGKILL)" in state.reason and state.reason.endswith("Resume it.")
    assert engine.resume(ref) is None
    step = state.step
    wait_until(engine, ref, lambda state: state.step > step)
    begun = [event.message for event in engine.events(ref) if event.message.startswith("Training, from step")]
    assert begun and int(re.findall(r"\d+", begun[0])[0]) >= 4
    engine.cancel(ref)
    assert wait_until(engine, ref, lambda state: state.done).state == "cancelled"


def test_when_supervisor_and_child_are_both_gone_the_job_is_not_called_alive(
    engine: LocalEngine, training: JobSpec
) -> None:
    ref = engine.submit(training.model_copy(update={"epochs": 400.0}), new_id("job"))
    wait_until(engine, ref, lambda state: state.note == "Loading the libraries")
    worker = RunFolder.of(ref.ref).worker()
    assert worker is not None
    (child,) = children_of(worker.pid)
    os.kill(worker.pid, signal.SIGKILL)
    os.kill(child, signal.SIGKILL)
    killed = time.monotonic()
    state = wait_until(engine, ref, lambda state: state.state == "failed")
    assert time.monotonic() - killed < EXPLAINED_WITHIN_SECONDS
    assert "died without a word" in state.reason


def test_a_worker_that_dies_before_its_first_word_has_failed_and_a_cancel_does_not_change_that(
    engine: LocalEngine, training: JobSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", shutil.which("false"))
        ref = engine.submit(training, new_id("job"))
    assert "died without a word" in wait_until(engine, ref, lambda state: state.state == "failed").reason
    engine.cancel(ref)
    assert engine.poll(ref).state == "failed"
    assert engine.resume(ref) is None
    wait_until(engine, ref, lambda state: state.state == "running")
    engine.cancel(ref)
    assert wait_until(engine, ref, lambda state: state.done).state == "cancelled"


def test_a_worker_finds_a_home_that_was_named_from_another_folder(
    engine: LocalEngine, training: JobSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNEWORTHY_HOME", "mine")
    monkeypatch.setenv("TUNEWORTHY_CACHE", "kept")
    monkeypatch.chdir(tmp_path)
    found = scrubbed_environment()
    assert (found["TUNEWORTHY_HOME"], found["TUNEWORTHY_CACHE"]) == (str(tmp_path / "mine"), str(tmp_path / "kept"))
    ref = engine.submit(training.model_copy(update={"kind": "prepare", "dataset": None}), new_id("job"))
    assert wait_until(engine, ref, lambda state: state.done).state == "succeeded"


def test_a_job_behind_one_that_is_not_here_says_so(engine: LocalEngine, training: JobSpec) -> None:
    gone = new_id("job")
    for before in ("oops", gone):
        folder = RunFolder.create(new_id("job"), training.model_copy(update={"after": [before]}))
        lock = folder.acquire()
        folder.emit("stage", "queued")
        assert (
            engine.poll(EngineRef(engine="local", ref=folder.job_id)).note == f"waits for {before}, which is not here"
        )
        os.close(lock)


def test_jobs_on_one_device_run_in_the_order_of_their_submission(engine: LocalEngine, training: JobSpec) -> None:
    first, second, third = (
        engine.submit(training.model_copy(update={"epochs": epochs}), new_id("job")) for epochs in (400.0, 1.0, 1.0)
    )
    wait_until(engine, first, lambda state: state.state == "running")
    assert engine.poll(second).note == "1 job ahead in the queue"
    assert engine.poll(third).note == "2 jobs ahead in the queue"
    engine.cancel(third)
    assert wait_until(engine, third, lambda state: state.done).state == "cancelled"
    assert engine.poll(second).state == "queued", "the one before it still waits"
    engine.cancel(first)
    wait_until(engine, first, lambda state: state.done)
    assert wait_until(engine, second, lambda state: state.done).state == "succeeded"


def test_a_job_whose_predecessor_failed_does_not_run(
    engine: LocalEngine, training: JobSpec, untrainable: JobSpec
) -> None:
    before = new_id("job")
    after = engine.submit(training.model_copy(update={"after": [before]}), new_id("job"))
    RunFolder.create(before, untrainable)
    assert engine.poll(after).note in ("starting", f"waits for {before}")
    engine.submit(untrainable, before)
    state = wait_until(engine, after, lambda state: state.done)
    assert state.state in ("failed", "cancelled") and before in state.reason
    assert RunFolder.of(after.ref).adapter.exists() is False


def test_a_second_worker_on_the_same_folder_is_refused(engine: LocalEngine, training: JobSpec) -> None:
    ref = engine.submit(training.model_copy(update={"epochs": 400.0}), new_id("job"))
    wait_until(engine, ref, lambda state: state.state == "running")
    second = subprocess.run(
        [sys.executable, "-m", "training.worker", str(RunFolder.of(ref.ref).path)],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 2
    assert len(second.stderr.strip().splitlines()) == 1 and ref.ref in second.stderr
    assert not engine.poll(ref).done
    with pytest.raises(EngineError):
        RunFolder.of(ref.ref).acquire(wait_seconds=0.1)
    engine.cancel(ref)
    wait_until(engine, ref, lambda state: state.done)


def test_workers_inherit_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.setenv("TUNEWORTHY_DB", "postgresql://me:secret@host/db")
    monkeypatch.setenv("ORDINARY", "kept")
    found = scrubbed_environment()
    assert "secret" not in "".join(found.values())
    assert found["ORDINARY"] == "kept"
