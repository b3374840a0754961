"""What evaluations found about each adapter, from `evaluation.json` in the folders of evaluate jobs.

The shelf reads the fields that it shows; the whole report is the evaluation room's.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import TuneworthyError
from core.run_folder import RunFolder
from core.store import JobRecord

TUNED = "tuned"
AXIS = "task"
VERDICT_WORDS = {"ship": "ship", "do_not_ship": "do not ship", "not_enough_evidence": "not enough evidence"}


class Score(BaseModel):
    """A score between 0 and 1 with its 95 % interval over `n` rows."""

    model_config = ConfigDict(extra="ignore")
    score: float
    low: float
    high: float
    n: int

    @property
    def words(self) -> str:
        """`0.92 (0.81 to 0.97)`."""
        return f"{self.score:.2f} ({self.low:.2f} to {self.high:.2f})"


class HarmNotes(BaseModel):
    """Whether answers to unsafe requests do harm, in words."""

    model_config = ConfigDict(extra="ignore")
    sentence: str
    models: dict[str, Score] = {}
    """{model: share of harmful answers}. Lower is better."""


class AxisNotes(BaseModel):
    """An axis beside the task, in words."""

    model_config = ConfigDict(extra="ignore")
    words: str
    judged_by: str = ""
    harm: HarmNotes | None = None


class LlmNotes(BaseModel):
    """A hosted model that marked the answers, in one line."""

    model_config = ConfigDict(extra="ignore")
    words: str


class Judgement(BaseModel):
    """What an evaluation says of an adapter."""

    model_config = ConfigDict(extra="ignore")
    job_id: str = ""
    """The evaluate job."""
    verdict: str
    reasons: list[str] = []
    metric: str = ""
    metric_words: str = ""
    models: dict[str, dict[str, Score]]
    """{model: {axis: score}}."""
    axes: dict[str, AxisNotes] = {}
    llm_judge: LlmNotes | None = None
    limits: list[str] = []
    """What it did not look at."""
    look: str = "full"
    stakes: str = "medium"
    rows: int = 0
    test_file: str = ""
    test_sha256: str = ""
    base_revision: str | None = None
    adapter: str | None = None
    """Folder of the adapter that was judged."""
    adapter_sha256: str | None = None
    """Hash of the weights that were judged."""
    adapter_settings_sha256: str | None = None
    """Hash of their settings, alpha and the like; None in reports that do not tell."""
    train_job: str | None = None
    created_at: datetime

    @property
    def scores(self) -> dict[str, Score]:
        """{model: score on the task}."""
        return {name: axes[AXIS] for name, axes in self.models.items() if AXIS in axes}

    def of_settings(self, settings_sha256: str | None) -> bool:
        """False where the adapter surely had other settings: older reports do not tell, and go by the weights."""
        return self.adapter_settings_sha256 in (None, settings_sha256)

    @property
    def verdict_words(self) -> str:
        """`do not ship`."""
        return VERDICT_WORDS.get(self.verdict, self.verdict.replace("_", " "))


class PastVerdict(BaseModel):
    """One line of an adapter's history: what was found when, on which rows, with which base."""

    model_config = ConfigDict(extra="forbid")
    job_id: str
    created_at: datetime
    verdict: str
    score: Score
    """Of the tuned model on the task."""
    metric_words: str
    rows: int
    rows_name: str
    """What the file of held-out rows was called."""
    rows_sha256: str
    base_revision: str | None
    these_weights: bool
    """False for weights that have been trained on since, and where the report does not say which it judged."""


def judgements(jobs: Iterable[JobRecord]) -> list[Judgement]:
    """All readable judgements of a tuned model, the newest first."""
    found = []
    for job in jobs:
        if job.kind == "evaluate":
            judgement = _judgement(job)
            if judgement is not None and TUNED in judgement.scores:
                found.append(judgement)
    return sorted(found, key=lambda judgement: judgement.created_at, reverse=True)


def judgements_of(train_job: str, adapter: Path, among: Iterable[Judgement]) -> list[Judgement]:
    """Those of `among` that judged this adapter, named by its training or by its folder."""
    found = []
    for judgement in among:
        by_folder = judgement.train_job is None and judgement.adapter is not None
        if judgement.train_job == train_job or (
            by_folder and Path(judgement.adapter or "").resolve() == adapter.resolve()
        ):
            found.append(judgement)
    return found


def newest_on_base(found: Iterable[Judgement], revisions: Iterable[str | None]) -> Judgement | None:
    """The first of `found` that judged the adapter on its own base, known by any of `revisions`.

    A judgement on another revision of the base says how the adapter would do there, not how it does. Where either
    side names no revision it counts.
    """
    own = {revision for revision in revisions if revision}
    for judgement in found:
        if judgement.base_revision is None or not own or judgement.base_revision in own:
            return judgement
    return None


def history(
    found: Iterable[Judgement], weights_sha256: str | None, settings_sha256: str | None = None
) -> list[PastVerdict]:
    """The judgements of one adapter in short, in the order given."""
    return [
        PastVerdict(
            job_id=each.job_id,
            created_at=each.created_at,
            verdict=each.verdict,
            score=each.scores[TUNED],
            metric_words=each.metric_words,
            rows=each.rows,
            rows_name=Path(each.test_file).name,
            rows_sha256=each.test_sha256,
            base_revision=each.base_revision,
            these_weights=weights_sha256 is not None
            and each.adapter_sha256 == weights_sha256
            and each.of_settings(settings_sha256),
        )
        for each in found
    ]


def _judgement(job: JobRecord) -> Judgement | None:
    try:
        folder = RunFolder.of(job.id)
        read = Judgement.model_validate_json(folder.evaluation_file.read_bytes())
    except (TuneworthyError, OSError, ValidationError):
        return None  # not ended yet, or unreadable: then nothing is known, and the adapter counts as not judged
    return read.model_copy(update={"job_id": job.id, "train_job": job.spec.job or read.train_job})
