"""The lock of a job's folder: one worker at a time, and the kernel frees it when that dies."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from core.errors import EngineError


class WorkerLock:
    """A file lock (flock). Held by the worker from its birth to its end; readers only probe it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def acquire(self, wait_seconds: float) -> int:
        """Take it and return its file descriptor, to be passed on to the worker.

        Raises `EngineError` when another worker holds it after `wait_seconds`.
        """
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return descriptor
            except BlockingIOError:
                # A reader that probes holds it for microseconds only; a worker holds it for its life.
                if time.monotonic() > deadline:
                    os.close(descriptor)
                    raise EngineError(
                        f"a worker is already at job {self.path.parent.name}.", "Wait for it, or cancel it first."
                    ) from None
                time.sleep(0.02)

    def held(self) -> bool:
        """True while a worker lives."""
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False
