"""What came of a sweep: the settings by validation loss, how much of that is the seed, and the best one judged."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from backends.launch import state_of
from backends.sweep import SettingJob, SweepJobs, loss_of, result_of
from core.errors import NotFound
from core.job import JobState, StateName
from core.run_folder import RunFolder
from core.store import Store
from evaluation.report import MODEL_WORDS, Verdict, read_report
from evaluation.seeds import between
from evaluation.stats import Interval


class SettingRow(BaseModel):
    """One setting: what its training came to."""

    model_config = ConfigDict(extra="forbid")
    rank: int | None
    learning_rate: float
    train: str
    state: StateName
    reason: str = ""
    validation_loss: float | None = None
    """The lowest of its training: mean over the learned tokens, in nats."""
    seconds: float | None = None
    memory_gib: float | None = None
    best: bool = False
    alike: bool = False
    """Not the best, and no farther from it than other seeds of the best are."""


class Swept(BaseModel):
    """The table of a sweep, as far as it has come."""

    model_config = ConfigDict(extra="forbid")
    group: str
    name: str
    settings: list[SettingRow]
    """By validation loss, the best first; then those without."""
    seed_losses: list[float] = []
    """Validation losses of the best setting, a seed each, its own first."""
    scores: dict[str, Interval] = {}
    """Of the judgement, on the task: {model in words: score}."""
    metric_words: str = ""
    verdict: Verdict | None = None
    seed_words: str = ""
    """What the seeds score on the task."""
    judged: bool
    words: str


def swept(store: Store, jobs: SweepJobs) -> Swept:
    """The sweep as it stands. Raises `BadInput` for a judgement that cannot be read."""
    rows = sorted(
        (_row(store, each) for each in jobs.settings),
        key=lambda row: (row.validation_loss is None, row.validation_loss or 0.0),
    )
    losses = [
        loss for job in ([jobs.best, *jobs.seed_jobs] if jobs.best else []) if (loss := loss_of(store, job)) is not None
    ]
    for row in rows:
        row.best = row.train == jobs.best
        row.alike = not row.best and row.validation_loss is not None and row.validation_loss <= max(losses, default=0.0)
    found = Swept(group=jobs.group, name=jobs.name, settings=rows, seed_losses=losses, judged=False, words="")
    if jobs.judge is not None:
        try:
            report = read_report(RunFolder.of(jobs.judge).evaluation_file)
        except NotFound:
            pass  # it has not ended, or was deleted
        else:
            found.judged, found.verdict, found.metric_words = True, report.verdict, report.metric_words
            found.scores = {
                words: report.models[name]["task"] for name, words in MODEL_WORDS.items() if name in report.models
            }
            found.seed_words = report.seeds.sentence if report.seeds else ""
    found.words = in_words(found)
    return found


def states(store: Store, jobs: SweepJobs) -> dict[str, JobState]:
    """{job: where it is}, of all jobs so far; one that was deleted has failed."""
    return {job: _state(store, job) for job in jobs.job_ids}


def in_words(found: Swept) -> str:
    """Which setting was chosen, how sure that is, and what its score is worth."""
    best = next((row for row in found.settings if row.best), None)
    if best is None or best.validation_loss is None:
        return "The best setting is chosen when all trainings have ended."
    tried = sum(row.validation_loss is not None for row in found.settings)
    told = (
        f"{_upper(_words(best))} has the lowest validation loss of {tried}: {best.validation_loss:.3f}. One of "
        f"{tried} is lowest by luck too, so this loss looks better than it is; the rows of the judgement had no part "
        "in the choice."
    )
    if len(found.seed_losses) > 1:
        shown = ", ".join(f"{loss:.3f}" for loss in found.seed_losses)
        told += f" Its seeds come to {shown} (standard deviation {between(found.seed_losses):.3f})."
        alike = [_words(row) for row in found.settings if row.alike]
        told += (
            f" No farther from it than its own seeds are: {'; '.join(alike)}. Take the cheapest of them."
            if alike
            else " All other settings are worse than each of its seeds."
        )
    else:
        told += " With one seed it is not known how much of the difference is luck."
    return told


def _row(store: Store, setting: SettingJob) -> SettingRow:
    state = _state(store, setting.train)
    row = SettingRow(
        rank=setting.rank,
        learning_rate=setting.learning_rate,
        train=setting.train,
        state=state.state,
        reason=state.reason if state.state in ("failed", "cancelled") else "",
    )
    if (result := result_of(store, setting.train)) is not None:
        row.validation_loss = result.metrics.get("validation_loss")
        row.seconds, row.memory_gib = result.measured.seconds, result.measured.memory_gib
    return row


def _state(store: Store, job_id: str) -> JobState:
    try:
        return state_of(store.job(job_id))
    except NotFound:
        return JobState(state="failed", reason="It was deleted.")


def _words(row: SettingRow) -> str:
    return SettingJob(rank=row.rank, learning_rate=row.learning_rate, train=row.train).words


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
