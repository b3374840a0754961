"""Where a job is, from what lies in its folder: events, worker, lock and last word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel

from core.job import Event, JobState, Outcome


class WorkerInfo(BaseModel):
    """Who works on the job."""

    pid: int
    started_at: datetime


def ended_state(outcome: Outcome, events: Sequence[Event], worker: WorkerInfo | None) -> JobState:
    """A job that said its last word."""
    reason = f"{outcome.reason} {outcome.hint}".strip()
    update = {"state": outcome.state, "reason": reason, "ended_at": outcome.at}
    return _state_at(events, worker).model_copy(update=update)


def alive_state(events: Sequence[Event], worker: WorkerInfo | None, *, cancel_asked: bool) -> JobState:
    """A job that a worker is at: waiting in its queue, or running."""
    stages = [event for event in events if event.kind == "stage"]
    running = bool(stages) and stages[-1].message != "queued"
    note = stages[-1].message if running else "waiting"
    etas = [event.values["eta_seconds"] for event in _steps(events) if "eta_seconds" in event.values]
    update = {
        "state": "running" if running else "queued",
        "note": "stopping" if cancel_asked else note,
        "eta_seconds": etas[-1] if running and etas else None,
    }
    return _state_at(events, worker).model_copy(update=update)


def left_state(events: Sequence[Event], worker: WorkerInfo | None, *, cancel_asked: bool, begun: bool) -> JobState:
    """A job that nobody is at and that said no last word: not started, stopped, or dead."""
    state = _state_at(events, worker)
    if cancel_asked:
        reason = "Stopped before its last word. Resume it." if begun else "Stopped before it could start."
        return state.model_copy(update={"state": "cancelled", "reason": reason})
    if not begun:
        return state.model_copy(update={"note": "not started"})
    return state.model_copy(
        update={
            "state": "failed",
            "reason": "The worker died without a word (the machine was restarted, or it was killed). "
            "Resume it, or read the end of its log.",
        }
    )


def _state_at(events: Sequence[Event], worker: WorkerInfo | None) -> JobState:
    """A queued job, with the steps and the start that are known."""
    steps = _steps(events)
    return JobState(
        state="queued",
        step=steps[-1].step if steps else 0,
        total_steps=steps[-1].total_steps if steps else 0,
        started_at=worker.started_at if worker else None,
    )


def _steps(events: Sequence[Event]) -> list[Event]:
    return [event for event in events if event.kind in ("step", "validation", "checkpoint") and event.total_steps]
