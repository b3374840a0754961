"""One look at a job that a host has: its state, its news, and, once it is over, what came of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from backends.hosts.client import without_keys
from backends.hosts.estimate import billed_usd
from backends.hosts.host_events import keep_events, seen_ids
from backends.hosts.ledger import Checkpoint, Ledger, write_ledger
from backends.hosts.profile import HostProfile
from backends.hosts.result_file import last_figures, read_result_file
from core.errors import TuneworthyError
from core.job import TERMINAL, Measured, Outcome, Result
from core.jobspec import JobSpec
from core.run_folder import RunFolder

if TYPE_CHECKING:
    import openai

KEPT_CHECKPOINTS = 10
RESULTS_FILE = "results.csv"


@dataclass(frozen=True)
class Watching:
    """A job that a host has."""

    folder: RunFolder
    spec: JobSpec
    profile: HostProfile
    client: openai.OpenAI

    def look(self, ledger: Ledger) -> Ledger:
        """Pass on what was asked, read what is new, and say the last word when the host has said its own.

        Raises what the client raises; looking again goes on from there.
        """
        self._pass_on(ledger)
        job = self.client.fine_tuning.jobs.retrieve(ledger.job)
        seen = seen_ids(self.folder)
        keep_events(self.folder, reversed(list(self._news(ledger, seen))), seen)
        ledger = write_ledger(
            self.folder,
            ledger,
            status=str(job.status),
            created_at=_time(job.created_at),
            finish_expected_at=_time(getattr(job, "estimated_finish", None)),
            model=job.fine_tuned_model or ledger.model,
            trained_tokens=job.trained_tokens if job.trained_tokens is not None else ledger.trained_tokens,
            trouble="",
        )
        if job.status in TERMINAL:
            ledger = self._with_checkpoints(ledger)
            self.folder.finish(self._outcome(ledger, job))
        return ledger

    def _pass_on(self, ledger: Ledger) -> None:
        """What people asked for meanwhile. A host that refuses a cancel, since the job has ended, is right."""
        import openai

        jobs = self.client.fine_tuning.jobs
        refusals = (openai.BadRequestError, openai.NotFoundError, openai.UnprocessableEntityError)
        if self.folder.cancel_asked and ledger.status not in TERMINAL:
            with suppress(*refusals):
                jobs.cancel(ledger.job)
            return
        for name, call in (("pause", jobs.pause), ("resume", jobs.resume)):
            wish = self.folder.path / name
            if not wish.exists():
                continue
            try:
                call(ledger.job)
            except (*refusals, openai.PermissionDeniedError):
                self.folder.emit("warning", f"{self.profile.label} does not {name} this job.")
            wish.unlink(missing_ok=True)

    def _news(self, ledger: Ledger, seen: set[str]) -> Iterator[Any]:
        """Events that are new, the newest first, page by page until a page holds nothing new."""
        page = self.client.fine_tuning.jobs.list_events(ledger.job, limit=100)
        while True:
            new = [event for event in page.data if event.id not in seen]
            yield from new
            # A late event may stand behind known ones, so a page with any news is not the last one.
            if not new or not page.has_next_page():
                return
            page = page.get_next_page()

    def _with_checkpoints(self, ledger: Ledger) -> Ledger:
        """Models of the last epochs. A host that keeps none loses the job nothing."""
        import openai

        found: list[Checkpoint] = []
        with suppress(openai.BadRequestError, openai.NotFoundError, openai.PermissionDeniedError):
            listed = self.client.fine_tuning.jobs.checkpoints.list(ledger.job)
            for each in itertools.islice(listed, KEPT_CHECKPOINTS):
                metrics = each.metrics.model_dump() if each.metrics else {}
                figures = {name: value for name, value in metrics.items() if isinstance(value, int | float)}
                step = each.step_number or 0
                found.append(Checkpoint(model=each.fine_tuned_model_checkpoint, step=step, metrics=figures))
        return write_ledger(self.folder, ledger, checkpoints=found)

    def _outcome(self, ledger: Ledger, job: Any) -> Outcome:
        now = datetime.now(UTC)
        usd = billed(self.spec, ledger.trained_tokens, now.date())
        seconds = (now - ledger.created_at).total_seconds() if ledger.created_at else None
        if (finished := _time(getattr(job, "finished_at", None))) and ledger.created_at:
            seconds = max(0.0, (finished - ledger.created_at).total_seconds())
        result = Result(
            adapter=ledger.model or None if job.status == "succeeded" else None,
            metrics=self._figures(job),
            measured=Measured(seconds=seconds, usd=usd),
            notes=self._notes(ledger),
        )
        if job.status == "succeeded":
            return Outcome(state="succeeded", result=result, at=finished or now)
        if job.status == "cancelled":
            hint = "What was done until then is charged."
            return Outcome(
                state="cancelled", reason="Cancelled at the host.", hint=hint, result=result, at=finished or now
            )
        reason, hint = self._failure(job)
        return Outcome(state="failed", reason=reason, hint=hint, result=result, at=finished or now)

    def _failure(self, job: Any) -> tuple[str, str]:
        error = getattr(job, "error", None)
        said = without_keys(str(getattr(error, "message", "") or ""))
        code, param = str(getattr(error, "code", "") or ""), str(getattr(error, "param", "") or "")
        reason = f"{self.profile.label} ended the job: {said or code or 'it does not say why'}"
        if param in ("training_file", "validation_file"):
            return reason, "Mend the rows that it names, check the file, and launch it again."
        if "moderation" in f"{code} {said}".lower() or "safety" in f"{code} {said}".lower():
            return reason, "Its safety checks stopped it: look through the rows, or tune an open model yourself."
        return reason, "Launch it again, or read its events."

    def _figures(self, job: Any) -> dict[str, float]:
        """Of the result file; of the events where there is none."""
        import openai

        for file in getattr(job, "result_files", None) or []:
            with suppress(openai.BadRequestError, openai.NotFoundError, openai.PermissionDeniedError):
                body = self.client.files.content(str(file)).read()
                if rows := read_result_file(body):
                    (self.folder.path / RESULTS_FILE).write_bytes(body)
                    return last_figures(rows)
        figures: dict[str, float] = {}
        for event in self.folder.events():
            figures |= {name: value for name, value in event.values.items() if "loss" in name or "accuracy" in name}
        return figures

    def _notes(self, ledger: Ledger) -> list[str]:
        notes = []
        if ledger.model:
            notes.append(f"Ask it as {address_of(self.profile, ledger.model)}")
        if ledger.trained_tokens is not None:
            notes.append(f"{ledger.trained_tokens:,} tokens were trained on: what is billed.")
        notes += [f"Checkpoint at step {each.step}: {each.model}" for each in ledger.checkpoints]
        return [*notes, self.profile.deploy] if self.profile.deploy and ledger.model else notes


def address_of(profile: HostProfile, model: str) -> str:
    """A model of a host in one line, as the judge and tournaments take it. The key is named, not told."""
    return f"{profile.base_url.rstrip('/')}?key={profile.key_variable}#{model}"


def billed(spec: JobSpec, tokens: int | None, today: date) -> float | None:
    """Dollars of the trained tokens; None where they or their price are unknown."""
    if tokens is None:
        return None
    try:
        return billed_usd(spec, tokens, today)
    except TuneworthyError:
        return None


def _time(value: object) -> datetime | None:
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) and 0 < value < 1e11 else None
