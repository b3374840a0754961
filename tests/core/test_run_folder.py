"""A job's folder: the lock tells who lives, the events are whole, the last word wins."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput, EngineError, NotFound, StoreError
from core.home import check_id, new_id, run_dir
from core.job import Outcome, Result
from core.jobspec import JobSpec
from core.run_folder import RunFolder, write_atomically


@pytest.fixture
def folder(home: Path) -> RunFolder:
    return RunFolder.create(new_id("job"), JobSpec(name="a job"))


def test_a_folder_nobody_started_reads_as_queued(folder: RunFolder) -> None:
    assert (folder.state().state, folder.state().note) == ("queued", "not started")


def test_while_the_lock_is_held_a_job_is_queued_and_then_running(folder: RunFolder) -> None:
    lock = folder.acquire()
    folder.emit("stage", "queued")
    assert folder.state().state == "queued"
    folder.emit("stage", "training")
    folder.emit("step", step=3, total_steps=10, values={"loss": 1.5, "eta_seconds": 7.0})
    state = folder.state()
    assert (state.state, state.note, state.step, state.total_steps, state.eta_seconds) == (
        "running",
        "training",
        3,
        10,
        7,
    )
    os.close(lock)


def test_a_free_lock_without_a_last_word_means_that_the_worker_died(folder: RunFolder) -> None:
    lock = folder.acquire()
    folder.announce(os.getpid())
    os.close(lock)
    state = folder.state()
    assert state.state == "failed"
    assert "died" in state.reason


def test_a_worker_that_died_before_its_first_word_is_not_waited_for(folder: RunFolder) -> None:
    lock = folder.acquire()
    folder.announce(os.getpid())  # by whoever started it
    os.close(lock)
    assert folder.events() == [] and folder.state().state == "failed"


def test_a_stop_before_the_start_and_one_after_it_are_told_apart(folder: RunFolder) -> None:
    folder.ask_to_cancel()
    assert folder.state().reason == "Stopped before it could start."
    folder.emit("stage", "Training")
    assert folder.state().state == "cancelled" and "before its last word" in folder.state().reason


def test_an_ended_job_is_read_once_and_a_resumed_one_again(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.emit("step", step=4, total_steps=9)
    folder.finish(Outcome(state="failed", reason="Out of memory.", at=datetime.now(UTC)))
    assert (folder.state().state, folder.state().step) == ("failed", 4)
    with monkeypatch.context() as patched:
        patched.setattr(RunFolder, "events", lambda *_: pytest.fail("the events were read again"))
        state = RunFolder(folder.path).state()
        state.reason = "changed by who asked"
        assert RunFolder(folder.path).state().reason == "Out of memory."
    folder.reopen()
    lock = folder.acquire()
    folder.emit("stage", "Training")
    folder.emit("step", step=9, total_steps=9)
    assert folder.state().state == "running"
    folder.finish(Outcome(state="succeeded", at=datetime.now(UTC)))
    os.close(lock)
    assert (folder.state().state, folder.state().step) == ("succeeded", 9)


def test_the_last_word_has_room_on_a_full_disk(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.keep_room()
    room = folder.path / "room"
    assert room.stat().st_size >= 64 << 10
    fsync = os.fsync

    def full(descriptor: int) -> None:
        if room.exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="disk is full"):
        folder.announce(os.getpid())
    folder.finish(Outcome(state="failed", reason="The disk is full.", at=datetime.now(UTC)))
    assert folder.state().reason == "The disk is full."


def test_the_last_word_wins_even_while_the_worker_still_holds_the_lock(folder: RunFolder) -> None:
    lock = folder.acquire()
    folder.finish(Outcome(state="succeeded", at=datetime.now(UTC), result=Result(adapter="a")))
    assert folder.state().state == "succeeded"
    os.close(lock)


def test_a_second_worker_is_refused(folder: RunFolder) -> None:
    lock = folder.acquire()
    with pytest.raises(EngineError, match="already"):
        folder.acquire(wait_seconds=0.05)
    os.close(lock)
    os.close(folder.acquire(wait_seconds=0.05))


def test_the_lock_outlives_the_parent_that_took_it(folder: RunFolder) -> None:
    lock = folder.acquire()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[lock])
    os.close(lock)
    assert folder.locked()
    child.communicate(b"\n", timeout=20)
    assert not folder.locked()


def test_events_come_back_in_order_and_after_a_given_one(folder: RunFolder) -> None:
    for step in range(1, 6):
        folder.emit("step", step=step, total_steps=5, values={"loss": 1 / step})
    assert [event.step for event in folder.events()] == [1, 2, 3, 4, 5]
    assert [event.step for event in folder.events(after=3)] == [4, 5]


def test_numbering_goes_on_after_a_restart(folder: RunFolder) -> None:
    folder.emit("log", "first")
    again = RunFolder.of(folder.job_id)
    again.emit("log", "second")
    assert [event.seq for event in again.events()] == [1, 2]


@settings(max_examples=60, deadline=None)
@given(junk=st.binary(max_size=200))
def test_whatever_stands_in_the_events_file_is_read_without_a_crash(
    junk: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = RunFolder(tmp_path_factory.mktemp("run"))
    folder.emit("log", "whole")
    with (folder.path / "events.jsonl").open("ab") as file:
        file.write(junk)
    assert folder.events()[0].message == "whole"


@settings(max_examples=60, deadline=None)
@given(junk=st.binary(max_size=200))
def test_a_spoilt_outcome_or_spec_is_no_crash(junk: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = RunFolder(tmp_path_factory.mktemp("run"))
    (folder.path / "outcome.json").write_bytes(junk)
    (folder.path / "spec.json").write_bytes(junk)
    assert folder.outcome() is None
    assert folder.state().state in ("queued", "failed")
    with pytest.raises(BadInput):
        folder.spec()


def test_writers_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    target = tmp_path / "x.json"
    texts = [str(number) * 5000 for number in range(8)]
    threads = [threading.Thread(target=write_atomically, args=(target, text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.read_text() in texts
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_said_in_words_and_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="disk is full"):
        write_atomically(tmp_path / "outcome.json", "text")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", ["../etc", "job-1", "plan-20261123-1a2b3c4d", "job-20261123-1a2b3c4d/..", ""])
def test_ids_that_are_not_ours_are_refused(value: str) -> None:
    with pytest.raises(BadInput, match="not a job id"):
        check_id(value, "job")


def test_a_job_that_is_not_here_is_said(home: Path) -> None:
    with pytest.raises(NotFound):
        RunFolder.of(new_id("job"))
    assert run_dir(new_id("job")).parent == home / "runs"
