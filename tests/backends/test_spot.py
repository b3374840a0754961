"""A machine that is taken away (SIGTERM, then the end after some seconds): what was learned is saved before."""

from __future__ import annotations

import os
import signal
import time

from backends.local import LocalEngine
from core.home import new_id
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from training.checkpoints import all_checkpoints, is_whole, step_of

from .conftest import wait_until

GRACE_SECONDS = 25.0
"""The shortest notice among the usual hosts of spot machines is 30 seconds."""


def test_a_sigterm_saves_a_checkpoint_within_the_grace_time(training: JobSpec) -> None:
    engine = LocalEngine()
    # No checkpoint is due, and a step is long: 40 micro batches.
    long_steps = {"epochs": 400.0, "save_steps": 10**6, "micro_batch": 1, "grad_accumulation": 40}
    ref = engine.submit(training.model_copy(update=long_steps), new_id("job"))
    wait_until(engine, ref, lambda state: state.step >= 1)
    folder = RunFolder.of(ref.ref)
    worker = folder.worker()
    assert worker is not None and all_checkpoints(folder.checkpoints) == []
    asked = time.monotonic()
    os.kill(worker.pid, signal.SIGTERM)
    state = wait_until(engine, ref, lambda state: state.done)
    assert time.monotonic() - asked < GRACE_SECONDS
    assert state.state == "failed" and "Stopped by the system" in state.reason and "Resume it" in state.reason
    (saved,) = all_checkpoints(folder.checkpoints)
    assert is_whole(saved) and step_of(saved) >= state.step >= 1
