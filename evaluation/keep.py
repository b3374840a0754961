"""A verdict, kept where it is looked for: with its training, in the plan, and on the card beside the adapter.

The report itself stays with the job.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from core.adapter_files import is_classifier
from core.errors import TuneworthyError
from core.run_folder import RunFolder
from core.store import JobRecord, Store
from evaluation.report import EvaluationReport, read_report
from shelf import card
from shelf.adapters import adapters


def keep_verdict(store: Store, record: JobRecord, report: EvaluationReport) -> None:
    """Keep what an evaluation found. Safe to repeat, and in any order: the plan shows the newest judgement of a tune.

    A measurement without a tune gives the plan no verdict. Raises `StoreError`.
    """
    store.point_to_evaluation(
        record.id,
        plan_id=record.plan_id,
        train_job_id=record.spec.job or report.train_job,
        path=str(RunFolder.of(record.id).evaluation_file),
        verdict=report.verdict,
        judged_at=report.created_at,
    )
    if "tuned" not in report.models:
        return
    with suppress(TuneworthyError):  # a card that cannot be written takes nothing from the verdict
        _write_card(store, record, report)
    if record.plan_id is None:
        return
    if store.plan(record.plan_id).verdict != report.verdict and _is_newest(store, record, report):
        store.update_plan(record.plan_id, verdict=report.verdict)


def _write_card(store: Store, record: JobRecord, report: EvaluationReport) -> None:
    """The card of the adapter that was judged, if that is one of the shelf's."""
    job_id = record.spec.job or report.train_job
    folder = _made_by(RunFolder.of(job_id)) if job_id else Path(report.adapter or "")
    if _changed(folder / card.FILE) >= _changed(RunFolder.of(record.id).evaluation_file):
        return  # pages keep a verdict at every look, and the shelf reads every report
    for found in adapters(store):
        if found.path.resolve() == folder.resolve():
            card.write_card(store, found)


def _made_by(training: RunFolder) -> Path:
    return training.classifier if is_classifier(training.classifier) else training.adapter


def _changed(file: Path) -> int:
    """When it was written, in ns; 0 for a file that is not there."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _is_newest(store: Store, record: JobRecord, report: EvaluationReport) -> bool:
    for other in store.jobs(record.plan_id) + store.jobs(record.plan_id, archived=True):
        if other.kind != "evaluate" or other.id == record.id:
            continue
        try:
            found = read_report(RunFolder.of(other.id).evaluation_file)
        except TuneworthyError:  # not ended, failed, on a host that leaves no folder here, or unreadable
            continue
        if "tuned" in found.models and found.created_at > report.created_at:
            return False
    return True
