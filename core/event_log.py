"""What a job reports as it goes: steps, losses, stages, one JSON object a line, appended by its worker alone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from core.job import Event

EventKind = Literal["log", "stage", "step", "validation", "checkpoint", "warning", "progress"]


class EventLog:
    """One file of events. Readers need no lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seq: int | None = None

    def append(self, kind: EventKind, message: str, *, step: int, total_steps: int, values: dict[str, float]) -> None:
        """Append an event. One short write, so that readers see whole lines."""
        if self._seq is None:
            self._seq = max((event.seq for event in self.read()), default=0)
        self._seq += 1
        event = Event(
            seq=self._seq,
            at=datetime.now(UTC),
            kind=kind,
            message=message,
            step=step,
            total_steps=total_steps,
            values=values,
        )
        line = event.model_dump_json(exclude_defaults=True) + "\n"
        with self.path.open("ab", buffering=0) as file:
            file.write(line.encode())

    def read(self, after: int = 0) -> list[Event]:
        """Events with `seq` above `after`; a line that is still being written is left for the next call."""
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        found = []
        for line in lines[:-1]:
            try:
                event = Event.model_validate_json(line)
            except ValidationError:
                continue
            if event.seq > after:
                found.append(event)
        return found
