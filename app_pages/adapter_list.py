"""The adapters that the pages offer: what the shelf has, with names of the store and verdicts of the reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from app_pages import state
from core.errors import TuneworthyError
from core.run_folder import RunFolder
from core.store import JobRecord, Store
from evaluation.report import EvaluationReport, read_report


@dataclass(frozen=True)
class Kept:
    """An adapter with its lineage and what is known of its worth."""

    record: JobRecord
    """The training that made it: base, revision, data hash and spec stand there."""
    name: str
    path: Path
    archived: bool
    bytes_on_disk: int
    report: EvaluationReport | None = None
    """Its newest judgement."""
    judged_by: str | None = None
    """Id of the job that judged it."""
    lineage: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The id of the training."""
        return self.record.id

    @property
    def verdict(self) -> str | None:
        """None while nobody has judged it."""
        return self.report.verdict if self.report else None


def kept(archived: bool | None = False) -> list[Kept]:
    """Adapters, newest first; archived ones, others, or (None) all."""
    store = state.store()
    jobs = sorted(store.jobs() + store.jobs(archived=True), key=lambda job: job.created_at, reverse=True)
    reports = judgements(jobs)
    names = store.adapter_names()
    found = []
    for job in jobs:
        path = adapter_of(job)
        if path is None:
            continue
        if job.id not in names:
            names[job.id] = (job.name, False)
            store.point_to_adapter(job.id, job.name, str(path))
        name, is_archived = names[job.id]
        if archived is not None and is_archived != archived:
            continue
        judged_by, report = reports.get(job.id, (None, None))
        found.append(Kept(job, name, path, is_archived, _bytes(path), report, judged_by))
    return found


def adapter_of(job: JobRecord) -> Path | None:
    """The adapter's folder of an ended local training; None where there is none."""
    if job.kind != "train" or job.engine != "local":
        return None
    try:
        folder = RunFolder.of(job.id)
    except TuneworthyError:
        return None
    if folder.outcome() is None or not (folder.adapter / "adapter_config.json").is_file():
        return None
    return folder.adapter


def judgements(jobs: list[JobRecord]) -> dict[str, tuple[str, EvaluationReport]]:
    """{training's id: (evaluation's id, report)} of the newest readable report of each."""
    found: dict[str, tuple[str, EvaluationReport]] = {}
    for job in jobs:
        if job.kind != "evaluate" or job.engine != "local":
            continue
        try:
            report = read_report(RunFolder.of(job.id).evaluation_file)
        except TuneworthyError:
            continue
        train_id = job.spec.job or report.train_job
        if train_id and "tuned" in report.models:
            found.setdefault(train_id, (job.id, report))
    return found


def rename(adapter_id: str, name: str) -> None:
    """The new name, when it says something. Raises `NotFound`."""
    if name.strip():
        _store().update_adapter(adapter_id, name=name.strip()[:120])


def archive(adapter_id: str, archived: bool) -> None:
    """Out of the list, or back into it. Nothing is deleted. Raises `NotFound`."""
    _store().update_adapter(adapter_id, archived=archived)


def _store() -> Store:
    return state.store()


def _bytes(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file() and not file.is_symlink())
