"""A verdict, kept where it is looked for: with its training and in the plan. The report itself stays with the job."""

from __future__ import annotations

from core.errors import TuneworthyError
from core.run_folder import RunFolder
from core.store import JobRecord, Store
from evaluation.report import EvaluationReport, read_report


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
    if record.plan_id is None or "tuned" not in report.models:
        return
    if store.plan(record.plan_id).verdict != report.verdict and _is_newest(store, record, report):
        store.update_plan(record.plan_id, verdict=report.verdict)


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
