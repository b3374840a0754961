"""Python's garbage collector, stopped while a file is read: rows hold no cycles, and looking for some takes time."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_collector() -> Iterator[None]:
    """No search for cycles inside; afterwards as it was, whatever happens.

    It is one switch for all threads. Of two that overlap, the one that found it on turns it on again.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
