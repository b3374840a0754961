"""The fake engine: trains nothing and honours the whole seam. It powers tests, screenshots and a first look.

Its state follows from the clock and the scenario in `spec.fake`: `seconds` (how long), `outcome`
(succeeded, failed), `lost` (the answer to submit is lost: an error although the job was started),
`queued_seconds`, `no_pause`. Everything that it reports is marked as invented.
"""

from __future__ import annotations

import json
import math
import shutil
from datetime import UTC, datetime, timedelta

from core.errors import BadInput, EngineError, Problem
from core.estimate import Estimate, RunEstimate
from core.home import run_dir
from core.job import EngineRef, Event, JobState, Measured, Result
from core.jobspec import JobSpec
from core.run_folder import RunFolder, read_json, write_atomically

TOTAL_STEPS = 40
INVENTED = "Invented by the fake engine: nothing was trained."


class FakeEngine:
    """A host that exists only on the clock."""

    name = "fake"

    def check(self, spec: JobSpec) -> list[Problem]:
        """Only what the scenario itself gets wrong."""
        known = {"seconds", "queued_seconds", "outcome", "lost", "no_pause"}
        problems = [
            Problem(
                what=f"`{name}` is not part of a scenario.", where="fake", hint=f"Known: {', '.join(sorted(known))}."
            )
            for name in spec.fake
            if name not in known
        ]
        if spec.fake.get("outcome", "succeeded") not in ("succeeded", "failed"):
            problems.append(Problem(what="`outcome` must be succeeded or failed.", where="fake"))
        return problems

    def estimate(self, spec: JobSpec) -> RunEstimate:
        """The scenario's own duration; no memory, no dollars."""
        seconds = _number(spec, "seconds", 4.0) + _number(spec, "queued_seconds", 0.0)
        return RunEstimate(
            memory_gib=Estimate(low=0, likely=0, high=0, unit="GiB", because=[INVENTED]),
            seconds=Estimate(low=seconds, likely=seconds, high=seconds, unit="s", because=[INVENTED]),
            tokens_per_second=Estimate(unit="tokens/s", because=[INVENTED]),
            usd=Estimate(low=0, likely=0, high=0, unit="USD", because=[INVENTED]),
            fits=True,
            stack="fake",
        )

    def submit(self, spec: JobSpec, job_id: str) -> EngineRef:
        """Note the start. Safe to repeat: the first start stays."""
        folder = RunFolder.create(job_id, spec)
        marks = folder.path / "fake.json"
        if not marks.exists():
            write_atomically(marks, json.dumps({"started": datetime.now(UTC).isoformat(), "held": 0.0}))
            if spec.fake.get("lost"):
                raise EngineError("the answer of the fake host was lost.", "Look the job up before you try again.")
        return EngineRef(engine=self.name, ref=job_id)

    def poll(self, ref: EngineRef) -> JobState:
        """The state that the clock says."""
        spec, marks = self._read(ref)
        started = datetime.fromisoformat(str(marks["started"]))
        elapsed = _elapsed(marks)
        queued, seconds = _number(spec, "queued_seconds", 0.0), max(_number(spec, "seconds", 4.0), 1e-9)
        share = min(max(elapsed - queued, 0.0) / seconds, 1.0)
        fails = spec.fake.get("outcome") == "failed"
        if fails:
            share = min(share, 0.5)
        step = math.floor(share * TOTAL_STEPS)
        over = elapsed - queued >= (seconds / 2 if fails else seconds)
        end = started + timedelta(seconds=queued + seconds)
        state = JobState(state="running", step=step, total_steps=TOTAL_STEPS, started_at=started)
        if marks.get("cancelled"):
            return state.model_copy(update={"state": "cancelled", "ended_at": end, "reason": "Cancelled."})
        if over and fails:
            reason = "The fake host stopped half-way, as its scenario asked. Resume it, or change the scenario."
            return state.model_copy(update={"state": "failed", "ended_at": end, "reason": reason})
        if over:
            return state.model_copy(update={"state": "succeeded", "ended_at": end})
        if marks.get("paused_at"):
            return state.model_copy(update={"note": "paused"})
        if elapsed < queued:
            return state.model_copy(update={"state": "queued", "note": "1 job ahead in the queue"})
        return state.model_copy(update={"note": "training (invented)", "eta_seconds": seconds - (elapsed - queued)})

    def events(self, ref: EngineRef, after: int = 0) -> list[Event]:
        """A smooth, invented loss curve up to the present step."""
        state = self.poll(ref)
        started = state.started_at or datetime.now(UTC)
        found = [Event(seq=1, at=started, kind="stage", message=INVENTED)]
        for step in range(1, state.step + 1):
            loss = 0.4 + 2.2 * math.exp(-step / 12) + 0.05 * math.sin(step * 1.7)
            values = {"loss": round(loss, 4), "learning_rate": 1e-3 * (1 - step / TOTAL_STEPS)}
            at = started + timedelta(seconds=step)
            found.append(
                Event(seq=len(found) + 1, at=at, kind="step", step=step, total_steps=TOTAL_STEPS, values=values)
            )
            if step % 10 == 0:
                values = {"validation_loss": round(loss + 0.08, 4)}
                found.append(
                    Event(
                        seq=len(found) + 1, at=at, kind="validation", step=step, total_steps=TOTAL_STEPS, values=values
                    )
                )
        return [event for event in found if event.seq > after]

    def find(self, job_id: str) -> EngineRef | None:
        """Was it started? Its folder says."""
        try:
            started = (run_dir(job_id) / "fake.json").is_file()
        except BadInput:
            return None
        return EngineRef(engine=self.name, ref=job_id) if started else None

    def pause(self, ref: EngineRef) -> Problem | None:
        """Stop the clock of this job."""
        spec, marks = self._read(ref)
        if spec.fake.get("no_pause"):
            return Problem(what="this host cannot pause.", where=ref.ref, hint="Cancel it instead.")
        if self.poll(ref).done:
            return Problem(what="the job has ended.", where=ref.ref)
        if not marks.get("paused_at"):
            self._write(ref, marks | {"paused_at": datetime.now(UTC).isoformat()})
        return None

    def resume(self, ref: EngineRef) -> Problem | None:
        """Let the clock run again; a failed or cancelled job starts over."""
        _, marks = self._read(ref)
        state = self.poll(ref)
        if state.state == "succeeded":
            return Problem(what="the job has succeeded; there is nothing to go on with.", where=ref.ref)
        if marks.get("paused_at"):
            held = (datetime.now(UTC) - datetime.fromisoformat(str(marks["paused_at"]))).total_seconds()
            held += _as_float(marks.get("held"))
            self._write(ref, {"started": marks["started"], "held": held})
        elif state.done:
            self._write(ref, {"started": datetime.now(UTC).isoformat(), "held": 0.0})
        else:
            return Problem(what="the job is still at work.", where=ref.ref, hint="Wait for it, or cancel it first.")
        return None

    def cancel(self, ref: EngineRef) -> None:
        """Stop for good. Safe twice, and on a finished job."""
        _, marks = self._read(ref)
        if not self.poll(ref).done:
            # The clock stands still, so that the job stays at the step at which it was stopped.
            stopped = {"cancelled": True, "paused_at": marks.get("paused_at") or datetime.now(UTC).isoformat()}
            self._write(ref, marks | stopped)

    def result(self, ref: EngineRef) -> Result:
        """Invented figures, marked as such; no adapter."""
        state = self.poll(ref)
        if not state.done:
            raise EngineError(f"job {ref.ref} has no result: it is {state.state}.", "Wait for it.")
        steps = [event for event in self.events(ref) if "loss" in event.values]
        metrics = {"loss": steps[-1].values["loss"]} if steps else {}
        return Result(metrics=metrics, measured=Measured(usd=0.0), notes=[INVENTED])

    def forget(self, ref: EngineRef) -> None:
        """Remove what this engine keeps of a job."""
        shutil.rmtree(run_dir(ref.ref), ignore_errors=True)

    def _read(self, ref: EngineRef) -> tuple[JobSpec, dict[str, object]]:
        folder = RunFolder.of(ref.ref)
        return folder.spec(), read_json(folder.path / "fake.json")

    def _write(self, ref: EngineRef, marks: dict[str, object]) -> None:
        write_atomically(run_dir(ref.ref) / "fake.json", json.dumps(marks))


def _elapsed(marks: dict[str, object]) -> float:
    now = datetime.fromisoformat(str(marks["paused_at"])) if marks.get("paused_at") else datetime.now(UTC)
    return (now - datetime.fromisoformat(str(marks["started"]))).total_seconds() - _as_float(marks.get("held"))


def _number(spec: JobSpec, name: str, default: float) -> float:
    return _as_float(spec.fake.get(name, default))


def _as_float(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
