"""The newest judgement among some jobs."""

from __future__ import annotations

from collections.abc import Iterable

from core.errors import NotFound
from core.run_folder import RunFolder
from core.store import JobRecord
from evaluation.report import EvaluationReport, read_report


def newest_report(records: Iterable[JobRecord]) -> EvaluationReport | None:
    """The report of the newest job that left one, a judged tune before a mere measurement; None where there is none.

    Raises `BadInput` for a report that cannot be read.
    """
    found = []
    for record in records:
        if record.kind == "evaluate":
            try:
                found.append(read_report(RunFolder.of(record.id).evaluation_file))
            except NotFound:  # still at work, failed, or on a host that leaves no folder here
                continue
    return max(found, key=lambda report: ("tuned" in report.models, report.created_at), default=None)
