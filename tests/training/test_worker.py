"""The worker on a disk that fills up: the real process, with a disk that is full from the start of the work on."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from backends.local import PROJECT_ROOT
from core.home import new_id
from core.job import Outcome
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from training.report import say_last

WORKER = """
import errno, os, sys
from pathlib import Path
import training.worker
from core.run_folder import RunFolder

folder = Path(sys.argv[1])
full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
emit, fsync = RunFolder.emit, os.fsync

def fills_up(*_):
    # Until what was kept for the last word is given back, nothing can be written any more.
    kept = (folder / "room").exists()
    def only_with_room(write):
        def written(*given, **words):
            if not kept or (folder / "room").exists():
                raise full
            return write(*given, **words)
        return written
    RunFolder.emit, os.fsync = only_with_room(emit), only_with_room(fsync)
    raise full

training.worker._dispatch = fills_up
sys.exit(training.worker.main([str(folder)]))
"""


@pytest.mark.parametrize("kind", ["train", "evaluate"])
def test_a_disk_that_fills_up_during_the_work_is_said_by_the_job_itself(kind: str) -> None:
    folder = RunFolder.create(new_id("job"), JobSpec.model_validate({"kind": kind, "device": "cpu"}))
    done = subprocess.run(
        [sys.executable, "-c", WORKER, str(folder.path)], cwd=PROJECT_ROOT, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 1
    state = folder.state()
    assert state.state == "failed" and "is full." in state.reason and "Free some space" in state.reason
    assert not (folder.path / "room").exists()


def test_a_disk_without_room_even_for_the_last_word_is_no_crash(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    folder = RunFolder.create(new_id("job"), JobSpec())
    monkeypatch.setattr(RunFolder, "emit", full)
    monkeypatch.setattr(os, "fsync", full)
    say_last(folder, Outcome(state="failed", reason="Out of memory.", at=datetime.now(UTC)))
    printed = capsys.readouterr().out
    assert "Out of memory." in printed and "disk is full" in printed
