"""Reports of ended judgements, read once while their files stay as they are."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from core.errors import NotFound, TuneworthyError
from core.run_folder import RunFolder
from core.store import JobRecord
from evaluation.report import EvaluationReport, read_report

MOST_READ = 200
"""Judgements that are looked through for a history: the newest ones."""


class Judged(NamedTuple):
    """A judgement and what it found, without the single answers."""

    record: JobRecord
    report: EvaluationReport


def report_of(record: JobRecord) -> EvaluationReport:
    """The report of a judgement. Raises `NotFound` or `BadInput`."""
    return _read(*_file(record))


def same_rows(records: Iterable[JobRecord], report: EvaluationReport) -> list[Judged]:
    """Judgements of a tune on the same held-out file, by the same metric and of the same base, the newest last.

    `records` come newest first. Those that cannot be read are left out.
    """
    found = []
    judged = [record for record in records if record.kind == "evaluate" and record.engine == "local"]
    for record in judged[:MOST_READ]:
        try:
            other = _without_answers(*_file(record), report.test_sha256)
        except (TuneworthyError, OSError):  # not ended, failed, on a host that leaves no folder here, or unreadable
            continue
        if other is not None and _alike(other, report) and "task" in other.models.get("tuned", {}):
            found.append(Judged(record, other))
    return sorted(found, key=lambda each: each.report.created_at)


def _alike(one: EvaluationReport, other: EvaluationReport) -> bool:
    return (one.test_sha256, one.base_model, one.metric) == (other.test_sha256, other.base_model, other.metric)


def _file(record: JobRecord) -> tuple[str, int, int]:
    """(path, when it was changed, bytes): a report of the same three is the same."""
    path = RunFolder.of(record.id).evaluation_file
    try:
        found = path.stat()
    except OSError as error:
        raise NotFound(f"no evaluation at {path}.", "Judge the model again.") from error
    return str(path), found.st_mtime_ns, found.st_size


@lru_cache(maxsize=4)
def _read(path: str, _changed: int, _size: int) -> EvaluationReport:
    return read_report(Path(path))


@lru_cache(maxsize=2 * MOST_READ)
def _without_answers(path: str, _changed: int, _size: int, test_sha256: str) -> EvaluationReport | None:
    """The report but for its many answers; None where it is of another held-out file, which its text tells at once."""
    if test_sha256.encode() not in Path(path).read_bytes():
        return None
    report = read_report(Path(path))
    axes = {name: axis.model_copy(update={"answers": []}) for name, axis in report.axes.items()}
    return report.model_copy(update={"answers": [], "worse_rows": [], "axes": axes})
