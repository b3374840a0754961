"""Rows of the store as the nouns that they keep, and back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from core.estimate import RunEstimate
from core.job import EngineRef
from core.jobspec import JobSpec
from core.plan import Plan
from core.release import Release
from core.tables import JobRow, ReleaseRow


class JobRecord(BaseModel):
    """A job as it was asked for."""

    id: str
    plan_id: str | None
    name: str
    kind: str
    engine: str
    ref: EngineRef | None
    spec: JobSpec
    predicted: RunEstimate | None
    archived: bool
    created_at: datetime


def job_of(row: JobRow) -> JobRecord:
    """A job as it was asked for."""
    return JobRecord(
        id=row.id,
        plan_id=row.plan_id,
        name=row.name,
        kind=row.kind,
        engine=row.engine,
        ref=EngineRef(engine=row.engine, ref=row.ref) if row.ref else None,
        spec=JobSpec.model_validate(row.spec),
        predicted=RunEstimate.model_validate(row.predicted) if row.predicted else None,
        archived=row.archived,
        created_at=_utc(row.created_at),
    )


def release_of(row: ReleaseRow) -> Release:
    """A release from quarantine."""
    values = {field: getattr(row, field) for field in Release.model_fields}
    return Release.model_validate(values | {"created_at": _utc(row.created_at)})


def plan_columns(plan: Plan) -> dict[str, Any]:
    """What the row of a plan holds beside its id."""
    return {
        "name": plan.name,
        "archived": plan.archived,
        "body": plan.model_dump(mode="json"),
        "created_at": plan.created_at,
        "updated_at": plan.updated_at,
    }


def _utc(moment: datetime) -> datetime:
    # SQLite keeps no time zone; all that we write is UTC.
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
