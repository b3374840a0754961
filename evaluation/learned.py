"""What came of a launched learning curve: the judgements of its sizes, and the curve through them."""

from __future__ import annotations

from backends.launch import state_of
from backends.learning import LearningJobs
from backends.quality import QualityJobs
from core.errors import NotFound
from core.job import JobState
from core.run_folder import RunFolder
from core.store import Store
from evaluation.learning_curve import WORTH, LearningCurve, curve_of_reports
from evaluation.report import read_report


def learned(jobs: LearningJobs, *, worth: float = WORTH) -> LearningCurve | None:
    """The curve; None while a judgement is missing. Raises `BadInput` for judgements that cannot be compared."""
    reports = []
    for share in jobs.shares:
        try:
            reports.append((share.rows, read_report(RunFolder.of(share.judge).evaluation_file)))
        except NotFound:
            return None
    return curve_of_reports(reports, worth=worth, seed=jobs.seed)


def states(store: Store, jobs: LearningJobs | QualityJobs) -> dict[str, JobState]:
    """{job id: where it is}, in the order in which they run; one that was deleted has failed."""
    found = {}
    for job_id in jobs.job_ids:
        try:
            found[job_id] = state_of(store.job(job_id))
        except NotFound:
            found[job_id] = JobState(state="failed", reason="It was deleted.")
    return found
