"""The adapters that the pages offer: what the shelf knows of each, with its training and its whole judgement."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app_pages import state
from core.errors import TuneworthyError
from core.run_folder import RunFolder
from core.store import JobRecord
from evaluation.report import EvaluationReport, read_report
from shelf.adapters import Adapter, adapters


@dataclass(frozen=True)
class Kept:
    """An adapter on a page."""

    adapter: Adapter
    """What the shelf knows: lineage, licence, scores, and what is wrong with it."""
    record: JobRecord
    """The training that made it."""
    report: EvaluationReport | None
    """The judgement of these very weights; None while nobody has judged them."""

    @property
    def id(self) -> str:
        """The id of the training."""
        return self.adapter.job_id

    @property
    def name(self) -> str:
        """As people call it."""
        return self.adapter.name

    @property
    def path(self) -> Path:
        """Its folder."""
        return self.adapter.path

    @property
    def verdict(self) -> str | None:
        """None while nobody has judged it."""
        return self.report.verdict if self.report else None

    @property
    def judged_by(self) -> str | None:
        """Id of the job that judged it."""
        return self.adapter.judged_by if self.report else None


def kept(archived: bool | None = False) -> list[Kept]:
    """Adapters, newest first; archived ones, others, or (None) all."""
    store = state.store()
    records = {record.id: record for record in store.jobs() + store.jobs(archived=True)}
    return [
        Kept(found, records[found.job_id], _report(found))
        for found in adapters(store, archived=archived)
        if found.job_id in records
    ]


def _report(adapter: Adapter) -> EvaluationReport | None:
    if adapter.judged_by is None:
        return None
    try:
        return read_report(RunFolder.of(adapter.judged_by).evaluation_file)
    except TuneworthyError:
        return None
