"""The queue of a device: numbered tickets in a folder, each locked by the worker that waits with it.

A ticket whose lock is free belonged to a worker that is gone: it does not count. So nobody has to clean up
after a crash, and there is no server that could be down.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.home import devices_dir

WITHOUT_DEVICE = ("prepare",)
"""Kinds of job that only fetch and convert: they take no place in a device's queue."""


class Ticket:
    """A place in a device's queue, held by an open file descriptor."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor

    @classmethod
    def take(cls, device: str, job_id: str) -> Ticket:
        """The next number in the device's queue."""
        folder = _device_folder(device)
        with _mutex(folder):
            numbers = [int(path.name.split("-", 1)[0]) for path in folder.glob("*.ticket")]
            path = folder / f"{max(numbers, default=0) + 1:09d}-{job_id}.ticket"
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        return cls(path, descriptor)

    @classmethod
    def inherited(cls, path: Path, descriptor: int) -> Ticket:
        """The ticket that the parent took for this process."""
        return cls(path, descriptor)

    def place(self) -> int:
        """0 when it is our turn, else the number of workers before us."""
        ahead = 0
        for path in sorted(self.path.parent.glob("*.ticket")):
            if path.name >= self.path.name:
                break
            ahead += _is_held(path)
        return ahead

    def release(self) -> None:
        """Leave the queue."""
        self.path.unlink(missing_ok=True)
        os.close(self.descriptor)


def queue(device: str) -> list[str]:
    """Job ids in the device's queue, the running one first. Removes tickets of the dead."""
    folder = _device_folder(device)
    jobs = []
    with _mutex(folder):
        for path in sorted(folder.glob("*.ticket")):
            if _is_held(path):
                jobs.append(path.stem.split("-", 1)[1])
            else:
                path.unlink(missing_ok=True)
    return jobs


def _device_folder(device: str) -> Path:
    folder = devices_dir() / device.replace(":", "_").replace("/", "_")
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _is_held(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def _mutex(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder / "mutex", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
