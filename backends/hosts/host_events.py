"""What a host reports of a job, as events of ours: each once, in order, whatever it sends twice or late."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from core.job import Event
from core.run_folder import RunFolder

FILE = "events.jsonl"
_SHOWN_CHARS = 500
_STEP = {"train_loss": "loss", "train_mean_token_accuracy": "accuracy", "train_accuracy": "accuracy"}
_VALIDATION = {
    "full_valid_loss": "validation_loss",
    "valid_loss": "validation_loss",
    "full_valid_mean_token_accuracy": "validation_accuracy",
    "valid_mean_token_accuracy": "validation_accuracy",
}
"""A host's names of figures, the better one first, and ours."""


def seen_ids(folder: RunFolder) -> set[str]:
    """The host's ids of the events that are kept. They stand in the events' own lines: a crash parts nothing."""
    found = set()
    for line in _lines(folder):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict) and isinstance(value.get("host_id"), str):
            found.add(value["host_id"])
    return found


def keep_events(folder: RunFolder, told: Iterable[Any], seen: set[str]) -> int:
    """Append what is new of a host's events (oldest first) and note it in `seen`. Returns how many were new."""
    kept = folder.events()
    seq, added = (kept[-1].seq if kept else 0), []
    for each in told:
        host_id = str(getattr(each, "id", "") or "")
        if not host_id or host_id in seen:
            continue
        seen.add(host_id)
        for event in events_of(each):
            seq += 1
            numbered = event.model_copy(update={"seq": seq})
            added.append(numbered.model_dump(mode="json", exclude_defaults=True) | {"host_id": host_id})
    if added:
        path = folder.path / FILE
        torn = path.exists() and not path.read_bytes().endswith(b"\n")
        with path.open("ab", buffering=0) as file:
            text = "".join(json.dumps(each) + "\n" for each in added)
            file.write((b"\n" if torn and path.stat().st_size else b"") + text.encode())
    return len(added)


def events_of(told: Any) -> list[Event]:
    """One event of a host as up to two of ours: figures of a step and of a validation, or words."""
    at = _time(getattr(told, "created_at", None))
    message = " ".join(str(getattr(told, "message", "") or "").split())[:_SHOWN_CHARS]
    data = getattr(told, "data", None)
    data = data if isinstance(data, Mapping) else {}
    if getattr(told, "type", None) != "metrics":
        level = getattr(told, "level", "info")
        return [Event(seq=0, at=at, kind="warning" if level in ("warn", "error") else "log", message=message)]
    step, total = _whole(data.get("step")), _whole(data.get("total_steps"))
    found = []
    if values := _figures(data, _STEP):
        found.append(Event(seq=0, at=at, kind="step", message=message, step=step, total_steps=total, values=values))
    if values := _figures(data, _VALIDATION):
        found.append(Event(seq=0, at=at, kind="validation", step=step, total_steps=total, values=values))
    return found or [Event(seq=0, at=at, kind="log", message=message)]


def _figures(data: Mapping[Any, Any], names: Mapping[str, str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for theirs, ours in names.items():
        value = data.get(theirs)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            found.setdefault(ours, float(value))
    return found


def _whole(value: object) -> int:
    return int(value) if isinstance(value, int | float) and math.isfinite(value) and value >= 0 else 0


def _time(value: object) -> datetime:
    if isinstance(value, int | float) and 0 < value < 1e11:
        return datetime.fromtimestamp(value, UTC)
    return datetime.now(UTC)


def _lines(folder: RunFolder) -> list[bytes]:
    try:
        return (folder.path / FILE).read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
