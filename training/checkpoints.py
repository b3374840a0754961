"""Checkpoints that can be trusted: a folder counts only once its seal is written, and while its files match it.

A worker may be killed, or the disk may fill, in the middle of a checkpoint. The seal is written last and lists every
file with its sha256, so a torn checkpoint is known as one, and the one before it is taken instead. It also says whose
checkpoint it is: see `origin`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from core.run_folder import write_atomically
from training.origin import Origin

SEAL = "sealed.json"
PREFIX = "checkpoint-"
FORMAT = 2
"""Of the seal and of what the files beside it mean. 1 did not say whose the checkpoint is."""


def seal(checkpoint: Path, origin: Origin) -> None:
    """Say that the checkpoint is whole and whose it is. Raises `StoreError` when the disk is full."""
    files = {path.name: _sha256(path) for path in sorted(checkpoint.iterdir()) if path.is_file() and path.name != SEAL}
    told = {"format": FORMAT, "origin": origin.model_dump(mode="json"), "files": files}
    write_atomically(checkpoint / SEAL, json.dumps(told, indent=2))


def is_whole(checkpoint: Path) -> bool:
    """True when every file is as it was when the checkpoint was sealed."""
    told = read_seal(checkpoint)
    files = told.get("files", told)  # the first format was the list of files alone
    try:
        return bool(files) and all(_sha256(checkpoint / name) == digest for name, digest in files.items())
    except (OSError, AttributeError, TypeError):
        return False


def read_seal(checkpoint: Path) -> dict[str, Any]:
    """What the seal says; empty where there is none that can be read."""
    try:
        told = json.loads((checkpoint / SEAL).read_bytes())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def step_of(checkpoint: Path) -> int:
    """The step at which it was saved; -1 for a folder that is not a checkpoint."""
    number = checkpoint.name.removeprefix(PREFIX)
    return int(number) if checkpoint.name.startswith(PREFIX) and number.isdigit() else -1


def all_checkpoints(folder: Path) -> list[Path]:
    """Checkpoint folders, the newest first, torn ones too."""
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if path.is_dir() and step_of(path) >= 0]
    return sorted(found, key=step_of, reverse=True)


def last_whole(folder: Path) -> tuple[Path | None, list[Path]]:
    """(the newest whole checkpoint, or None; newer ones that are torn)."""
    torn: list[Path] = []
    for checkpoint in all_checkpoints(folder):
        if is_whole(checkpoint):
            return checkpoint, torn
        torn.append(checkpoint)
    return None, torn


def remove_unsealed(folder: Path) -> None:
    """Drop what was never finished: it only takes room."""
    for checkpoint in all_checkpoints(folder):
        if not (checkpoint / SEAL).is_file():
            shutil.rmtree(checkpoint, ignore_errors=True)


def keep_only_last(folder: Path) -> None:
    """After the end one checkpoint is enough, for a job that goes on from this one."""
    for checkpoint in all_checkpoints(folder)[1:]:
        shutil.rmtree(checkpoint, ignore_errors=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
