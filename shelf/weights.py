"""The files of an adapter: are they whole, how large, and are they those that were judged."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from core.adapter_files import files_of
from core.errors import Problem

_HEADER_BYTES = 8
"""A safetensors file opens with the length of its header: 8 bytes, little endian."""
_REMEDY = "Train it again, or put the files back."


def problems_of_folder(adapter: Path) -> list[Problem]:
    """Everything that would stop the adapter from being loaded; empty for a whole one."""
    if not adapter.is_dir():
        return [Problem(what="its folder is gone.", where=str(adapter), hint=_REMEDY)]
    settings, weights = files_of(adapter)
    found = [
        Problem(what=f"{file.name} is missing.", where=str(adapter), hint=_REMEDY)
        for file in (settings, weights)
        if not file.is_file()
    ]
    if found:
        return found
    try:
        config = json.loads(settings.read_bytes())
        whole = isinstance(config, dict)
    except (OSError, ValueError, RecursionError):
        whole = False
    if not whole:
        found.append(Problem(what="is not JSON.", where=str(settings), hint=_REMEDY))
    if not _is_whole(weights):
        found.append(Problem(what="is cut off or is not safetensors.", where=str(weights), hint=_REMEDY))
    return found


def size_bytes(folder: Path) -> int:
    """Bytes of all its files."""
    found = 0
    for file in folder.rglob("*"):
        try:
            if file.is_file() and not file.is_symlink():
                found += file.stat().st_size
        except OSError:
            continue  # deleted while we looked
    return found


def weights_sha256(adapter: Path) -> str | None:
    """Hash of the weights; None where they cannot be read. Read once while the file stays as it is."""
    path = files_of(adapter)[1]
    try:
        found = path.stat()
        return _sha256(path, found.st_size, found.st_mtime_ns)
    except OSError:
        return None


def _is_whole(weights: Path) -> bool:
    """True when the header is JSON and the file is as long as the header says. Tensors are not read."""
    try:
        with weights.open("rb") as file:
            length = int.from_bytes(file.read(_HEADER_BYTES), "little")
            total = weights.stat().st_size
            if length < 2 or length > total - _HEADER_BYTES:
                return False
            header = json.loads(file.read(length))
            ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    except (OSError, ValueError, RecursionError, AttributeError, KeyError, IndexError, TypeError):
        return False
    return bool(ends) and total == _HEADER_BYTES + length + max(ends)


@lru_cache(maxsize=256)
def _sha256(path: Path, _size: int, _mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
