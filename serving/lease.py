"""A chat worker lives no longer than those who use it.

`serving/<id>/users` is locked, shared, by every process that started, found or asked the worker. The kernel frees
such a lock when its process ends, however it ends. The worker asks for it alone: whoever gets it alone is unused.
"""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

FILE = "users"
_held: dict[Path, int] = {}
_guard = threading.Lock()


def hold(folder: Path) -> None:
    """Count this process among the users of the worker in `folder`, until `release` or its end. Safe to repeat."""
    path = folder / FILE
    with _guard:
        if path in _held:
            if _is_same(_held[path], path):
                return
            os.close(_held.pop(path))
        # Closed on exec, so that a job that we start does not keep the worker alive after us.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # Waits for microseconds at most: nobody keeps this lock alone.
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        _held[path] = descriptor


def release(folder: Path) -> None:
    """This process uses the worker no more. Safe twice."""
    with _guard:
        descriptor = _held.pop(folder / FILE, None)
    if descriptor is not None:
        os.close(descriptor)


def in_use(folder: Path) -> bool:
    """True while a process uses the worker. A worker that was started by hand has no such file, and is in use."""
    try:
        descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _is_same(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False
