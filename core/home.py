"""Where things live: one folder of ours (`TUNEWORTHY_HOME`), private to its owner."""

from __future__ import annotations

import os
import re
import secrets
from datetime import UTC, datetime
from pathlib import Path

import platformdirs

from core.errors import BadInput, StoreError

_ID = re.compile(r"[a-z]+-\d{8}-[0-9a-f]{8}")


def home() -> Path:
    """The root folder, made on first use with owner-only access. Raises `StoreError` where it cannot be made."""
    return _folder(Path(os.environ.get("TUNEWORTHY_HOME") or platformdirs.user_data_dir("tuneworthy")))


def runs_dir() -> Path:
    """One folder per job."""
    return _folder(home() / "runs")


def data_dir() -> Path:
    """Uploads and their split parts, under names of our own."""
    return _folder(home() / "data")


def devices_dir() -> Path:
    """Queue tickets, a folder per device."""
    return _folder(home() / "devices")


def serving_dir() -> Path:
    """Endpoints of running chat workers, a folder each."""
    return _folder(home() / "serving")


def cache_dir() -> Path:
    """Prepared base models and the judge's answers. `TUNEWORTHY_CACHE` or the user's cache folder."""
    root = Path(os.environ.get("TUNEWORTHY_CACHE") or platformdirs.user_cache_dir("tuneworthy"))
    return _folder(root, "TUNEWORTHY_CACHE")


def new_id(prefix: str) -> str:
    """An id that sorts by day and cannot be guessed or typed by mistake: `job-20261123-1a2b3c4d`."""
    return f"{prefix}-{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(4)}"


def check_id(value: str, prefix: str) -> str:
    """The id if it is one of ours. Raises `BadInput` (so that no path can be smuggled in)."""
    if not _ID.fullmatch(value) or not value.startswith(f"{prefix}-"):
        raise BadInput(f"`{value[:60]}` is not a {prefix} id.", f"Ids look like {prefix}-20261123-1a2b3c4d.")
    return value


def run_dir(job_id: str) -> Path:
    """The folder of a job (not made here)."""
    return runs_dir() / check_id(job_id, "job")


def _folder(path: Path, setting: str = "TUNEWORTHY_HOME") -> Path:
    """The folder, made where it is missing, and absolute: workers have another working directory."""
    try:
        path = path.expanduser().absolute()
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StoreError(
            f"cannot make the folder {path} ({reason}).", f"Set {setting} to a folder that you may write."
        ) from error
    return path
