"""Keys of hosts: in a variable of the environment, or in a file of the home that only its owner can read.

Top-level entries of Streamlit's own secrets file are variables too: Streamlit puts them into the environment of the
page. Names of variables may be written down; a key stands in no spec, store, log, address or command line.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from backends.hosts.profile import HostProfile
from core.errors import EngineError
from core.home import home


def key_file(variable: str) -> Path:
    """Where the key of that variable may stand: `<home>/keys/OPENAI_API_KEY`, of mode 0600."""
    return home() / "keys" / variable


def key_of(profile: HostProfile) -> str:
    """The key. Raises `EngineError` where there is none, or where others can read its file."""
    variable = profile.key_variable
    key, where = os.environ.get(variable, "").strip(), f"the variable {variable}"
    if not key:
        path = key_file(variable)
        key, where = _read(path), f"the file {path}"
    if not key:
        hint = f"Set {variable} where tuneworthy is started, or write the key into {key_file(variable)} (mode 0600)."
        raise EngineError(f"there is no key for {profile.label}.", hint)
    if not key.isascii() or not key.isprintable() or " " in key:
        raise EngineError(f"{where} holds no key.", "A key is one line of letters, digits and marks.")
    return key


def has_key(profile: HostProfile) -> bool:
    """Whether a key can be had here."""
    try:
        return bool(key_of(profile))
    except EngineError:
        return False


def _read(path: Path) -> str:
    try:
        mode = path.stat().st_mode
    except OSError:
        return ""
    if stat.S_IMODE(mode) & 0o077:
        raise EngineError(f"others can read the key in {path}.", f"Run: chmod 600 {path}")
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise EngineError(f"the file {path} cannot be read.", "Write the key into it, and nothing else.") from None
