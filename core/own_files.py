"""Small files of our own: written whole or not at all, and read back with what to do where that fails."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from pathlib import Path

from core.errors import BadInput, NotFound, StoreError


def write_atomically(path: Path, text: str) -> None:
    """Write a whole file or nothing. Raises `StoreError` when the disk is full."""
    temporary = None
    try:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
            temporary = Path(file.name)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise disk_error(error, path) from error


def read_json(path: Path) -> dict[str, object]:
    """A JSON object from one of our own files. Raises `NotFound` or `BadInput`."""
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise NotFound(f"no file at {path}.", "Was it deleted?") from error
    except ValueError as error:
        raise BadInput("is not JSON.", "Delete it and run the job again.", file=str(path)) from error
    if not isinstance(value, dict):
        raise BadInput("does not hold an object.", "Delete it and run the job again.", file=str(path))
    return value


def disk_error(error: OSError, path: Path) -> StoreError:
    """What a failed write says to people."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreError(f"the disk is full; {path.name} was not written.", "Free some space, then try again.")
    return StoreError(f"cannot write {path} ({error.strerror}).", "Check the folder's permissions.")
