"""The `config.json` of a model that is not here yet, from the Hugging Face Hub: a few kilobytes, kept for later."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from core.base_models import HUB_HOST, HUB_ID
from core.errors import BaseModelUnavailable
from core.home import cache_dir

ASK_SECONDS = 3.0
MAX_BYTES = 1 << 20
ASK_AGAIN_SECONDS = 60.0
"""A hub that did not answer is left alone for so long."""
_failed: dict[str, tuple[float, str]] = {}


def config_folder(model: str, revision: str | None = None) -> Path:
    """The folder that holds the model's `config.json`, fetched at most once.

    Raises `BaseModelUnavailable` where the hub does not answer within `ASK_SECONDS`, or has no such file for us.
    """
    if not HUB_ID.fullmatch(model):
        raise BaseModelUnavailable(f"`{model[:80]}` is no hub id.", "Hub ids look like `owner/name`.")
    folder = cache_dir() / "configs" / (model.replace("/", "--") + (f"@{revision}" if revision else ""))
    if (folder / "config.json").is_file():
        return folder
    when, why = _failed.get(folder.name, (0.0, ""))
    if not why or time.monotonic() - when > ASK_AGAIN_SECONDS:
        found = _ask(f"https://{HUB_HOST}/{model}/resolve/{revision or 'main'}/config.json")
        if isinstance(found, bytes):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "config.json").write_bytes(found)
            return folder
        why = found
        _failed[folder.name] = (time.monotonic(), why)
    raise BaseModelUnavailable(
        f"the shape of `{model}` is not known here, and {HUB_HOST} gave none: {why}.",
        "Fetch the model first, or give its folder.",
    )


def _ask(address: str) -> bytes | str:
    """The file, or in a few words why there is none. In a thread: a resolver can hang longer than any time limit."""
    answer: list[bytes | str] = []
    thread = threading.Thread(target=lambda: answer.append(_get(address)), daemon=True)
    thread.start()
    thread.join(ASK_SECONDS + 0.5)
    return answer[0] if answer else f"no answer within {ASK_SECONDS:.0f} s"


def _get(address: str) -> bytes | str:
    try:
        with urllib.request.urlopen(address, timeout=ASK_SECONDS) as reply:
            text: bytes = reply.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES or not isinstance(json.loads(text), dict):
            return "what came is no config"
    except urllib.error.HTTPError as error:
        return {401: "it asks for a login", 403: "it asks for a login", 404: "no such model"}.get(
            error.code, f"it answered {error.code}"
        )
    except (OSError, ValueError) as error:
        return f"it could not be reached ({type(error).__name__})"
    return text
