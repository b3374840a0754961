"""The supervisor: a small process that waits for the one that works, and says why it died if it died.

It imports nothing heavy, so the kernel has little reason to kill it; if it is killed, the work goes on without it.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel

from core.job import Outcome
from core.machine import control_groups, machine, read_or_nothing
from core.run_folder import RunFolder
from training.report import say_last
from training.stop import Stop, last_word

POLL_SECONDS = 0.2
LINGER_SECONDS = 30.0
"""A worker that has said its last word and still does not end (a tracker's thread, say) is ended after this."""
NEAR_THE_LIMIT = 0.85
AGAIN = 75
"""Exit code of a child that asks to be followed by another one."""
MEMORY_HINT = (
    "Set a smaller micro_batch or max_tokens, grad_checkpointing: on, or retry_smaller: true, and launch it again with "
    "resume_of."
)


class Death(BaseModel):
    """How a child ended."""

    signal: int = 0
    exit_code: int = 0
    peak_gib: float
    memory_gib: float
    """What the machine or the control group allows."""
    killed_by_kernel: bool
    """The kernel's count of out-of-memory kills rose meanwhile."""
    last_line: str = ""

    @property
    def out_of_memory(self) -> bool:
        """Did the system kill it for its memory?"""
        return self.signal == signal.SIGKILL and (
            self.killed_by_kernel or self.peak_gib > NEAR_THE_LIMIT * self.memory_gib
        )


def supervise(
    folder: RunFolder, stop: Stop, work: Callable[[], int], try_smaller: Callable[[], bool] = lambda: False
) -> int:
    """Fork; in the child run `work` and return its exit code; in the parent wait and explain. Returns 0 or 1.

    A child that ends with `AGAIN` gets a successor: it asked for one, with less to do at a time. So does one that the
    system killed for its memory, where `try_smaller` says that there may be one.
    """
    while True:
        kills_before = oom_kills()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            os.setpgid(0, 0)
            return work()
        stop.child_pid = pid
        if stop.terminated:  # the signal came between the fork and the line above
            stop.pass_on()
        status, usage = _wait(pid, folder)
        stop.child_pid = None
        if (found := folder.outcome()) is not None:
            return 0 if found.state == "succeeded" else 1
        death = Death(
            signal=os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
            exit_code=os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0,
            peak_gib=peak_rss_gib(usage),
            memory_gib=machine().memory_gib,
            killed_by_kernel=oom_kills() > kills_before,
            last_line=_last_line(folder),
        )
        asks_again = death.exit_code == AGAIN
        if stop() or not (asks_again or (death.out_of_memory and try_smaller())):
            say_last(folder, stop.outcome() if asks_again else explain(death))
            return 1


def explain(death: Death) -> Outcome:
    """Why it died, in plain words with the remedy."""
    if death.out_of_memory:
        why = f"Out of memory: the system killed the worker at {death.peak_gib:.1f} of {death.memory_gib:.1f} GiB."
        return last_word("failed", why, MEMORY_HINT)
    if death.signal:
        name = signal.Signals(death.signal).name
        why = f"The worker was killed by signal {death.signal} ({name}) at {death.peak_gib:.1f} GiB of memory."
        hint = "Resume it." if death.signal in (signal.SIGKILL, signal.SIGTERM) else "See the end of its log."
        return last_word("failed", why, hint)
    why = f"The worker ended with exit code {death.exit_code}, without a result."
    last = f" Its log ends: {death.last_line}" if death.last_line else ""
    return last_word("failed", why + last, "See the end of its log.")


def peak_rss_gib(usage: resource.struct_rusage) -> float:
    """Peak resident memory in GiB. `ru_maxrss` counts KiB, on macOS bytes."""
    return usage.ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)


def _wait(pid: int, folder: RunFolder) -> tuple[int, resource.struct_rusage]:
    said_at: float | None = None
    while True:
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            return status, usage
        if said_at is None and (folder.path / "outcome.json").exists():
            said_at = time.monotonic()
        if said_at is not None and time.monotonic() - said_at > LINGER_SECONDS:
            os.kill(pid, signal.SIGKILL)
        time.sleep(POLL_SECONDS)


def oom_kills() -> int:
    """Out-of-memory kills that the kernel has counted: in our control groups and on the machine."""
    count = 0
    for path in (*(folder / "memory.events" for folder in control_groups()), Path("/proc/vmstat")):
        for line in read_or_nothing(path).splitlines():
            name, _, value = line.partition(" ")
            if name == "oom_kill" and value.strip().isdigit():
                count += int(value)
    return count


def _last_line(folder: RunFolder) -> str:
    lines = [line.strip() for line in folder.log_tail(4000).splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""
