"""Stopping: who asked, what it means, and how parts that cannot look for themselves are ended."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from types import FrameType
from typing import Protocol

from core.job import Outcome, Result
from core.run_folder import RunFolder

POLL_SECONDS = 0.3


class Stopped(Exception):
    """Raised inside a job where it cannot go on because it was asked to stop."""


class Stop:
    """True once a `cancel` file lies in the folder or the system sent SIGTERM (or Ctrl-C by hand)."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.terminated = False
        self.child_pid: int | None = None
        """Set in the supervisor, which passes the signal on."""

    def __call__(self) -> bool:
        """Was a stop asked?"""
        return self.terminated or self.folder.cancel_asked

    def listen(self) -> None:
        """Take SIGTERM and SIGINT as a request to stop, not as an end at once."""
        signal.signal(signal.SIGTERM, self._heard)
        signal.signal(signal.SIGINT, self._heard)

    def pass_on(self) -> None:
        """Tell the child, if there is one."""
        if self.child_pid is not None:
            try:
                os.kill(self.child_pid, signal.SIGTERM)
            except ProcessLookupError:
                return

    def outcome(self, result: Result | None = None) -> Outcome:
        """The last word of a stopped job: cancelled when a person asked, failed when the system did."""
        kept = result or Result()
        if self.folder.cancel_asked:
            return last_word("cancelled", "Stopped when asked to.", "Resume it to go on from there.", kept)
        return last_word("failed", "Stopped by the system before it was done.", "Resume it to go on from there.", kept)

    def _heard(self, signum: int, frame: FrameType | None) -> None:
        self.terminated = True
        self.pass_on()


class MayEnd(Protocol):
    """What ends a process at once in parts that have nothing to save."""

    def allowed(self, patience_seconds: float = 0.0) -> AbstractContextManager[None]:
        """Inside, it may. Raises `Stopped` at its end."""
        ...


class AbruptEnd:
    """Ends this process at once when a stop is asked during a part that has nothing to save and cannot look itself:
    imports, downloads, loading. A thread watches, because such parts can sit in C code for long."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._lock = threading.Lock()
        self._patience_seconds: float | None = None
        self._asked_at: float | None = None
        # A handler in Python waits for the main thread to come back from C; this descriptor hears the signal at once.
        self._ear, mouth = os.pipe()
        os.set_blocking(mouth, False)
        signal.set_wakeup_fd(mouth, warn_on_full_buffer=False)
        threading.Thread(target=self._watch, name="abrupt-end", daemon=True).start()

    @contextmanager
    def allowed(self, patience_seconds: float = 0.0) -> Iterator[None]:
        """Inside, the process may be ended `patience_seconds` after the request. Raises `Stopped` at its end."""
        self._allow(patience_seconds)
        try:
            yield
        finally:
            self._allow(None)
        if self._stop():
            raise Stopped

    def _allow(self, patience_seconds: float | None) -> None:
        with self._lock:
            self._patience_seconds = patience_seconds
            self._asked_at = None

    def _watch(self) -> None:
        while True:
            heard = select.select([self._ear], [], [], POLL_SECONDS)[0]
            if heard and signal.SIGTERM in os.read(self._ear, 64):
                self._stop.terminated = True
            if not self._stop():
                continue
            with self._lock:
                if self._patience_seconds is None:
                    continue
                self._asked_at = self._asked_at or time.monotonic()
                if time.monotonic() - self._asked_at >= self._patience_seconds:
                    self._end()

    def _end(self) -> None:
        try:
            with suppress(OSError):
                print("asked to stop: ending at once, there is nothing to save", flush=True)
            self._stop.folder.finish(self._stop.outcome())
        finally:
            # The whole group, so that a running pip goes too; the outcome stands already.
            os.killpg(0, signal.SIGKILL)


def last_word(state: str, reason: str = "", hint: str = "", result: Result | None = None) -> Outcome:
    """An outcome of now."""
    return Outcome.model_validate(
        {"state": state, "reason": reason, "hint": hint, "result": result or Result(), "at": datetime.now(UTC)}
    )
