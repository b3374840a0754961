"""The engine of managed hosts: OpenAI, Azure OpenAI, Nebius and any other host of the OpenAI protocol.

Pages and commands write and read folders only; one poller process per home talks to the hosts (`backends/hosts/`). So
a closed browser, a crash or hours without network lose no job, and none is started twice.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date

from backends.hosts import poller
from backends.hosts.check import host_problems
from backends.hosts.estimate import estimate_hosted
from backends.hosts.ledger import FILE, Ledger, new_ledger, on_its_way, read_ledger
from backends.hosts.profile import HostProfile, profile_of
from core.errors import BadInput, EngineError, NotFound, Problem, TuneworthyError
from core.estimate import RunEstimate
from core.home import run_dir
from core.job import TERMINAL, EngineRef, Event, JobState, Result, StateName
from core.jobspec import JobSpec
from core.run_folder import RunFolder

Wake = Callable[[HostProfile], None]
_QUEUED = {"validating_files": "the host checks the rows", "queued": "in the host's queue"}
_RUNNING = {"running": "", "paused": "paused", "pausing": "pausing"}


class OpenAIManagedEngine:
    """Runs trainings at a host."""

    name = "openai"

    def __init__(self, wake: Wake = poller.wake) -> None:
        self._wake = wake

    def check(self, spec: JobSpec) -> list[Problem]:
        """Settings, key, model and its last day, and every rule of the host's for rows. Asks nobody."""
        return host_problems(spec, date.today())

    def estimate(self, spec: JobSpec) -> RunEstimate:
        """Dollars from the rows and the price book."""
        return estimate_hosted(spec, date.today())

    def submit(self, spec: JobSpec, job_id: str) -> EngineRef:
        """Write down what is wanted and wake the poller, which sends it. Safe to repeat."""
        folder = RunFolder.create(job_id, spec)
        new_ledger(folder)
        if folder.outcome() is None:
            self._wake(profile_of(folder.spec()))
        return EngineRef(engine=self.name, ref=job_id)

    def poll(self, ref: EngineRef) -> JobState:
        """Where the job is, as the poller last wrote it down. A poller that is gone is started again."""
        folder = RunFolder.of(ref.ref)
        ledger = _ledger(folder)
        state = JobState(state="queued", started_at=ledger.created_at or ledger.asked_at)
        steps = [event for event in folder.events() if event.kind == "step"]
        if steps:
            state = state.model_copy(update={"step": steps[-1].step, "total_steps": steps[-1].total_steps})
        if (outcome := folder.outcome()) is not None:
            reason = f"{outcome.reason} {outcome.hint}".strip()
            return state.model_copy(update={"state": outcome.state, "reason": reason, "ended_at": outcome.at})
        problem = self._woken(folder)
        name, said = _state_of(ledger)
        wishes = {"stopping": folder.cancel_asked, "pausing": (folder.path / "pause").exists()}
        note = str(problem) if problem else next((wish for wish, asked in wishes.items() if asked), said)
        if ledger.trouble:
            note = f"{note}; {ledger.trouble}" if note else ledger.trouble
        return state.model_copy(update={"state": name, "note": note})

    def events(self, ref: EngineRef, after: int = 0) -> list[Event]:
        """What the host reported so far, each event once."""
        return RunFolder.of(ref.ref).events(after)

    def find(self, job_id: str) -> EngineRef | None:
        """Was it asked for here? Whether the host has it, the poller finds out before it sends anything."""
        try:
            folder = RunFolder.of(job_id)
        except (NotFound, BadInput):
            return None
        return EngineRef(engine=self.name, ref=job_id) if (folder.path / FILE).is_file() else None

    def pause(self, ref: EngineRef) -> Problem | None:
        """Leave word that it should pause. A host that does not pause such a job says so among its events."""
        folder = RunFolder.of(ref.ref)
        if folder.outcome() is not None:
            return Problem(what="the job has ended; there is nothing to pause.", where=ref.ref, hint="Launch another.")
        (folder.path / "resume").unlink(missing_ok=True)
        (folder.path / "pause").touch()
        return self._woken(folder)

    def resume(self, ref: EngineRef) -> Problem | None:
        """Go on with one that the host paused, or send one again that the host never took."""
        folder = RunFolder.of(ref.ref)
        ledger, outcome = _ledger(folder), folder.outcome()
        if outcome is None:
            if ledger.status not in ("paused", "pausing") and not (folder.path / "pause").exists():
                return Problem(what="the job is still at work.", where=ref.ref, hint="Wait for it, or cancel it.")
            (folder.path / "pause").unlink(missing_ok=True)
            (folder.path / "resume").touch()
        elif outcome.state == "succeeded":
            return Problem(what="the job has succeeded; there is nothing to go on with.", where=ref.ref)
        elif ledger.job:
            what = (
                f"a job that was {'cancelled' if outcome.state == 'cancelled' else 'ended'} at its host does not go on."
            )
            return Problem(what=what, where=ref.ref, hint="Launch it again: a new job, paid for anew.")
        else:
            folder.reopen()
        return self._woken(folder)

    def cancel(self, ref: EngineRef) -> None:
        """Leave word that it should stop; the poller passes it on. Safe twice, and on a finished job."""
        folder = RunFolder.of(ref.ref)
        if folder.outcome() is None:
            folder.ask_to_cancel()
            self._wake(profile_of(folder.spec()))

    def result(self, ref: EngineRef) -> Result:
        """The tuned model's name, figures, and the dollars of what was billed. Raises `EngineError` before the end."""
        outcome = RunFolder.of(ref.ref).outcome()
        if outcome is None:
            state = self.poll(ref)
            raise EngineError(f"job {ref.ref} has no result: it is {state.state}.", state.note or "Wait for it.")
        return outcome.result

    def forget(self, ref: EngineRef) -> None:
        """Remove what is kept of a job here. What is at the host stays there."""
        shutil.rmtree(run_dir(ref.ref), ignore_errors=True)

    def _woken(self, folder: RunFolder) -> Problem | None:
        """Starts the poller where none lives; a problem where that fails."""
        try:
            self._wake(profile_of(folder.spec()))
        except TuneworthyError as error:
            return error.problems()[0]
        return None


def _ledger(folder: RunFolder) -> Ledger:
    found = read_ledger(folder)
    if found is None:
        raise NotFound(f"no hosted job `{folder.job_id}` here.", "See `tuneworthy jobs` for the ids.")
    return found


def _state_of(ledger: Ledger) -> tuple[StateName, str]:
    """Our name of a host's state, and a note. One that we do not know has not ended."""
    if not ledger.job:
        return "queued", "asking the host whether it has the job" if on_its_way(ledger) else "on its way to the host"
    if ledger.status in _QUEUED:
        return "queued", _QUEUED[ledger.status]
    if ledger.status in TERMINAL:
        return "running", "fetching what came of it"
    return "running", _RUNNING.get(ledger.status, f"the host says: {ledger.status[:40]}")
