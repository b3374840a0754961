"""Room on the disk: asked for before a download, and named when it runs out."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.errors import StoreError

FULL = (errno.ENOSPC, errno.EDQUOT)


def require_free_bytes(folder: Path, needed_bytes: int, setting: str = "TUNEWORTHY_CACHE") -> None:
    """Raise `StoreError` unless the disk of `folder`, which `setting` moves, has room for `needed_bytes`."""
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        raise StoreError(
            f"the disk of {folder} has {free_bytes / 2**30:.1f} GiB free, and {needed_bytes / 2**30:.1f} are needed.",
            f"Free some space, or set {setting} to another disk.",
        )


def bytes_in(folder: Path) -> int:
    """Bytes of the files in a folder to which something is being downloaded: they are renamed and go meanwhile."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.stat(os.path.join(place, name)).st_size
    return total


@contextmanager
def disk_full_explained(*folders: Path) -> Iterator[None]:
    """Turn "no space left" inside the block into a `StoreError` that names the fuller of the disks that are written to.

    safetensors hides it in its text.
    """
    try:
        yield
    except Exception as error:
        full = isinstance(error, OSError) and error.errno in FULL
        if full or "No space left" in str(error) or "os error 28" in str(error):
            fullest = min(folders, key=lambda folder: shutil.disk_usage(folder).free)
            raise StoreError(
                f"the disk of {fullest} is full.", "Free some space, then start the job again; it goes on from there."
            ) from error
        raise
