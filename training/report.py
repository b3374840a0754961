"""What a job says while it runs: a line in its log, and an event that pages and the command line read."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from types import MappingProxyType

from core.errors import StoreError
from core.job import Outcome
from core.run_folder import EventKind, RunFolder

PRINTED_EVERY_SECONDS = 5.0
"""Where nobody reads events, progress is printed, and no oftener than this."""


class Report:
    """Says everything twice: printed (the log of a worker), and as an event where there is a run folder."""

    def __init__(self, folder: RunFolder | None = None) -> None:
        self.folder = folder
        self._printed_at = time.monotonic()
        self._told = ("", 0)

    def stage(self, message: str) -> None:
        """A new part of the job begins. Anything but `queued` makes the job count as running."""
        self._say("stage", message)

    def log(self, message: str) -> None:
        """A line worth reading later."""
        self._say("log", message)

    def warning(self, message: str) -> None:
        """Something that a person should know, and that does not stop the job."""
        self._say("warning", message)

    def progress(self, message: str, done: float, total: float) -> None:
        """How far a download or a conversion is: `done` of `total` bytes or parts."""
        told = (message, int(1000 * done / max(total, 1)))
        if told != self._told:  # a long download would leave more events than anybody reads
            self._told = told
            self._emit("progress", message, values={"done": done, "total": total})
        if self.folder is None and time.monotonic() - self._printed_at >= PRINTED_EVERY_SECONDS:
            self._printed_at = time.monotonic()
            print(f"{_clock()} {message}: {done / max(total, 1):.0%}", flush=True)

    def step(self, step: int, total_steps: int, values: dict[str, float]) -> None:
        """A training step: loss, learning_rate, tokens_per_second, eta_seconds."""
        shown = " ".join(f"{name} {value:.4g}" for name, value in values.items())
        print(f"{_clock()} step {step} of {total_steps}: {shown}", flush=True)
        self._emit("step", step=step, total_steps=total_steps, values=values)

    def validation(
        self, step: int, total_steps: int, loss: float, pairs: Mapping[str, float] = MappingProxyType({})
    ) -> None:
        """The loss on the validation rows (mean over trained tokens, in nats); of pairs also margin and accuracy."""
        told = "".join(f", {name.replace('_', ' ')} {value:.3f}" for name, value in pairs.items())
        print(f"{_clock()} step {step} of {total_steps}: validation loss {loss:.4f}{told}", flush=True)
        values = {"validation_loss": loss} | {f"validation_{name}": value for name, value in pairs.items()}
        self._emit("validation", step=step, total_steps=total_steps, values=values)

    def checkpoint(self, step: int, total_steps: int, name: str) -> None:
        """Something was saved that the job can go on from."""
        print(f"{_clock()} saved {name}", flush=True)
        self._emit("checkpoint", name, step=step, total_steps=total_steps)

    def _say(self, kind: EventKind, message: str) -> None:
        print(f"{_clock()} {'warning: ' if kind == 'warning' else ''}{message}", flush=True)
        self._emit(kind, message)

    def _emit(
        self,
        kind: EventKind,
        message: str = "",
        *,
        step: int = 0,
        total_steps: int = 0,
        values: dict[str, float] | None = None,
    ) -> None:
        if self.folder is not None:
            self.folder.emit(kind, message, step=step, total_steps=total_steps, values=values)


def say_last(folder: RunFolder, outcome: Outcome) -> None:
    """The last word of a job, in its log and as its outcome, on a full disk too: room was kept for it."""
    folder.free_room()
    with suppress(OSError):
        # A fresh folder object: another process may have moved the count of events on.
        Report(RunFolder(folder.path)).log(f"{outcome.state} {outcome.reason} {outcome.hint}".strip())
    try:
        folder.finish(outcome)
    except StoreError as error:
        with suppress(OSError):
            print(f"the last word could not be written: {error}", flush=True)


def _clock() -> str:
    return f"{datetime.now(UTC):%H:%M:%S}"
