"""Paths that a person typed: what the system will not look at is told in words, never a traceback.

A name that is too long, a folder that may not be entered, a home of nobody: `pathlib` raises each its own way.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from core.errors import BadInput

T = TypeVar("T")
SHOWN_CHARACTERS = 200


def typed_path(text: str) -> Path:
    """`text` as a path, with `~` made out. Raises `BadInput`."""
    return _told(text, lambda: Path(text).expanduser())


def is_file(path: Path) -> bool:
    """Is it a file? Raises `BadInput` where that cannot be found out."""
    return _told(path, path.is_file)


def is_folder(path: Path) -> bool:
    """Is it a folder? Raises `BadInput` where that cannot be found out."""
    return _told(path, path.is_dir)


def exists(path: Path) -> bool:
    """Is anything there? Raises `BadInput` where that cannot be found out."""
    return _told(path, path.exists)


def resolved(path: Path) -> Path:
    """The absolute path without links. Raises `BadInput` for links in a circle."""
    return _told(path, path.resolve)


def _told(path: Path | str, look: Callable[[], T]) -> T:
    try:
        return look()
    except (OSError, RuntimeError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).rstrip(".").lower()
        raise BadInput(
            f"the path {str(path)[:SHOWN_CHARACTERS]} cannot be used ({reason}).", "Check the path and its permissions."
        ) from error
