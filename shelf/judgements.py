"""What the newest evaluation found about each adapter, from `evaluation.json` in the folders of evaluate jobs.

The shelf reads the few fields that it shows; the whole report is the evaluation room's.
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


class Score(BaseModel):
    """A score between 0 and 1 with its 95 % interval over `n` rows."""

    model_config = ConfigDict(extra="ignore")
    score: float
    low: float
    high: float
    n: int


class Judgement(BaseModel):
    """What an evaluation says of an adapter."""

    model_config = ConfigDict(extra="ignore")
    job_id: str = ""
    """The evaluate job."""
    verdict: str
    reasons: list[str] = []
    metric_words: str = ""
    models: dict[str, dict[str, Score]]
    rows: int = 0
    adapter: str | None = None
    """Folder of the adapter that was judged."""
    adapter_sha256: str | None = None
    """Hash of the weights that were judged."""
    train_job: str | None = None
    created_at: datetime

    @property
    def scores(self) -> dict[str, Score]:
        """{model: score on the task}."""
        return {name: axes[AXIS] for name, axes in self.models.items() if AXIS in axes}


def judgements(jobs: Iterable[JobRecord]) -> list[Judgement]:
    """All readable judgements of a tuned model, the newest first."""
    found = []
    for job in jobs:
        if job.kind == "evaluate":
            judgement = _judgement(job)
            if judgement is not None and TUNED in judgement.scores:
                found.append(judgement)
    return sorted(found, key=lambda judgement: judgement.created_at, reverse=True)


def judgement_of(train_job: str, adapter: Path, among: Iterable[Judgement]) -> Judgement | None:
    """The first of `among` that judged this adapter, named by its training or by its folder."""
    for judgement in among:
        if judgement.train_job == train_job:
            return judgement
        if judgement.train_job is None and judgement.adapter and Path(judgement.adapter).resolve() == adapter.resolve():
            return judgement
    return None


def _judgement(job: JobRecord) -> Judgement | None:
    try:
        folder = RunFolder.of(job.id)
        read = Judgement.model_validate_json(folder.evaluation_file.read_bytes())
    except (TuneworthyError, OSError, ValidationError):
        return None  # not ended yet, or unreadable: then nothing is known, and the adapter counts as not judged
    return read.model_copy(update={"job_id": job.id, "train_job": job.spec.job or read.train_job})
