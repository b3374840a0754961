"""A job handed to an engine: its state, its events, what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

from core.errors import Problem
from core.estimate import RunEstimate
from core.jobspec import JobSpec

StateName = Literal["queued", "running", "succeeded", "failed", "cancelled"]
TERMINAL: frozenset[str] = frozenset({"succeeded", "failed", "cancelled"})


class EngineRef(BaseModel):
    """The engine's own name for a job."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    engine: str
    ref: str


class JobState(BaseModel):
    """Where a job is now."""

    state: StateName
    note: str = ""
    """For people: place in the queue, what it waits for, that it is paused."""
    reason: str = ""
    """Why it failed, in plain words with the remedy."""
    step: int = 0
    total_steps: int = 0
    eta_seconds: float | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def done(self) -> bool:
        """True when the state will not change any more."""
        return self.state in TERMINAL


class Event(BaseModel):
    """Something that a job reported. `seq` rises by one."""

    seq: int
    at: datetime
    kind: Literal["log", "stage", "step", "validation", "checkpoint", "warning", "progress"]
    message: str = ""
    step: int = 0
    total_steps: int = 0
    values: dict[str, float] = {}
    """loss, validation_loss, learning_rate, tokens_per_second ..."""


class Measured(BaseModel):
    """What a job really took. `None` where it was not measured."""

    memory_gib: float | None = None
    seconds: float | None = None
    usd: float | None = None
    tokens_per_second: float | None = None


class Result(BaseModel):
    """What came of a job."""

    model_config = ConfigDict(extra="forbid")
    adapter: str | None = None
    """Folder of the adapter, or the model's name at its host."""
    classifier: str | None = None
    """Folder of the small classifier, where that was trained."""
    evaluation: str | None = None
    """Path of the evaluation report."""
    metrics: dict[str, float] = {}
    measured: Measured = Measured()
    notes: list[str] = []
    """Rows cut, checkpoint kept, and the like."""


class Outcome(BaseModel):
    """The last word of a worker, in `outcome.json`."""

    model_config = ConfigDict(extra="forbid")
    state: Literal["succeeded", "failed", "cancelled"]
    reason: str = ""
    hint: str = ""
    result: Result = Result()
    at: datetime


class Engine(Protocol):
    """The seam: what every engine does. Synchronous; `poll` and `check` change nothing."""

    name: str

    def check(self, spec: JobSpec) -> list[Problem]:
        """Everything that would stop the job, all at once. No side effects, no money."""
        ...

    def estimate(self, spec: JobSpec) -> RunEstimate:
        """Memory, time and dollars before the launch."""
        ...

    def submit(self, spec: JobSpec, job_id: str) -> EngineRef:
        """Start the job. The intent is in the store before this is called; safe to repeat with the same id."""
        ...

    def poll(self, ref: EngineRef) -> JobState:
        """Where the job is now. Writes nothing."""
        ...

    def events(self, ref: EngineRef, after: int = 0) -> list[Event]:
        """Events with `seq` above `after`, oldest first."""
        ...

    def find(self, job_id: str) -> EngineRef | None:
        """After a crash: was it started? Asked before any second try."""
        ...

    def pause(self, ref: EngineRef) -> Problem | None:
        """Pause where the engine can; else a problem that says so."""
        ...

    def resume(self, ref: EngineRef) -> Problem | None:
        """Go on with a paused, cancelled or failed job from its last checkpoint."""
        ...

    def cancel(self, ref: EngineRef) -> None:
        """Stop the job and keep what it has. Safe twice, and on a finished job."""
        ...

    def result(self, ref: EngineRef) -> Result:
        """Adapter or model name, metrics, what it really cost. Raises `EngineError` while it still runs."""
        ...
