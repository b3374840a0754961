"""What a job says while it runs: a line in its log, and an event that pages and the command line read."""

from __future__ import annotations

from datetime import UTC, datetime

from core.run_folder import EventKind, RunFolder


class Report:
    """Says everything twice: printed (the log of a worker), and as an event where there is a run folder."""

    def __init__(self, folder: RunFolder | None = None) -> None:
        self.folder = folder

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
        self._emit("progress", message, values={"done": done, "total": total})

    def step(self, step: int, total_steps: int, values: dict[str, float]) -> None:
        """A training step: loss, learning_rate, tokens_per_second, eta_seconds."""
        shown = " ".join(f"{name} {value:.4g}" for name, value in values.items())
        print(f"{_clock()} step {step} of {total_steps}: {shown}", flush=True)
        self._emit("step", step=step, total_steps=total_steps, values=values)

    def validation(self, step: int, total_steps: int, loss: float) -> None:
        """The loss on the validation rows (mean over trained tokens, in nats)."""
        print(f"{_clock()} step {step} of {total_steps}: validation loss {loss:.4f}", flush=True)
        self._emit("validation", step=step, total_steps=total_steps, values={"validation_loss": loss})

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


def _clock() -> str:
    return f"{datetime.now(UTC):%H:%M:%S}"
