"""The store: plans, jobs that were asked for, and pointers to what came of them.

The engine is the truth about a job's state; the store remembers what was asked.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from pydantic import ValidationError
from sqlalchemy import delete, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from core.database import Database
from core.errors import NotFound, ProblemsFound, StoreError, problems_of
from core.estimate import RunEstimate
from core.home import home, new_id
from core.job import EngineRef
from core.jobspec import JobSpec
from core.plan import Plan
from core.records import JobRecord, job_of, plan_columns, release_of
from core.release import Release
from core.tables import AdapterRow, EvaluationRow, JobRow, PlanRow, ReleaseRow

__all__ = ["JobRecord", "Store", "open_store"]


class Store:
    """All that is kept of plans and jobs. Cheap to make; safe to use from several threads and processes at once."""

    def __init__(self, url: URL) -> None:
        """Raises `StoreError` where the database cannot be opened."""
        self.url = url
        self._database = Database(url)

    def close(self) -> None:
        """Close all connections."""
        self._database.close()

    # Plans

    def new_plan(self, name: str = "Untitled plan") -> Plan:
        """A new, empty plan."""
        now = datetime.now(UTC)
        plan = Plan(id=new_id("plan"), name=name, created_at=now, updated_at=now)
        with self._database.session(write=True) as session:
            session.add(PlanRow(id=plan.id, **plan_columns(plan)))
        return plan

    def plan(self, plan_id: str) -> Plan:
        """The plan of that id. Raises `NotFound`."""
        with self._database.session() as session:
            row = session.get(PlanRow, plan_id)
            if row is None:
                raise NotFound(f"no plan `{plan_id[:60]}` here.", "See the list of plans.")
            return Plan.model_validate(row.body)

    def plans(self, archived: bool = False) -> list[Plan]:
        """All plans, the one touched last first."""
        query = select(PlanRow).where(PlanRow.archived == archived).order_by(PlanRow.updated_at.desc())
        with self._database.session() as session:
            return [Plan.model_validate(row.body) for row in session.scalars(query)]

    def update_plan(self, plan_id: str, **fields: Any) -> Plan:
        """Set some fields and leave the others as they are now, so that two open pages lose nothing of each other."""
        with self._database.session(write=True) as session:
            row = session.get(PlanRow, plan_id, with_for_update=True)
            if row is None:
                raise NotFound(f"no plan `{plan_id[:60]}` here.", "It may have been deleted on another page.")
            plan = Plan.model_validate(row.body)
            values = {name: getattr(plan, name) for name in Plan.model_fields} | fields
            plan = Plan.model_validate(values | {"updated_at": datetime.now(UTC)})
            for column, value in plan_columns(plan).items():
                setattr(row, column, value)
            return plan

    def delete_plan(self, plan_id: str) -> None:
        """Forget the plan. Its jobs stay; what else should go is the caller's to say and do."""
        with self._database.session(write=True) as session:
            row = session.get(PlanRow, plan_id)
            if row is not None:
                session.delete(row)

    # Jobs

    def add_job(self, spec: JobSpec, *, plan_id: str | None, predicted: RunEstimate | None = None) -> JobRecord:
        """Store the intent. Called before the engine is."""
        record = JobRow(
            id=new_id("job"),
            plan_id=plan_id,
            name=spec.name or spec.kind,
            kind=spec.kind,
            engine=spec.engine,
            spec=spec.model_dump(mode="json"),
            predicted=predicted.model_dump(mode="json") if predicted else None,
            archived=False,
            created_at=datetime.now(UTC),
        )
        with self._database.session(write=True) as session:
            session.add(record)
            if plan_id is not None:
                plan_row = session.get(PlanRow, plan_id, with_for_update=True)
                if plan_row is None:
                    raise NotFound(f"no plan `{plan_id[:60]}` here.", "It may have been deleted on another page.")
                plan = Plan.model_validate(plan_row.body)
                plan_row.body = plan.model_copy(update={"jobs": [*plan.jobs, record.id]}).model_dump(mode="json")
        return job_of(record)

    def set_ref(self, job_id: str, ref: EngineRef) -> None:
        """Remember the engine's own name for a job."""
        with self._database.session(write=True) as session:
            row = session.get(JobRow, job_id)
            if row is not None:
                row.ref = ref.ref

    def job(self, job_id: str) -> JobRecord:
        """The job of that id. Raises `NotFound`."""
        with self._database.session() as session:
            row = session.get(JobRow, job_id)
            if row is None:
                raise NotFound(f"no job `{job_id[:60]}` here.", "See `tuneworthy jobs` for the ids.")
            return job_of(row)

    def jobs(self, plan_id: str | None = None, archived: bool = False) -> list[JobRecord]:
        """Jobs, newest first; of one plan if given."""
        query = select(JobRow).where(JobRow.archived == archived).order_by(JobRow.created_at.desc())
        if plan_id is not None:
            query = query.where(JobRow.plan_id == plan_id)
        with self._database.session() as session:
            return [job_of(row) for row in session.scalars(query)]

    def update_job(self, job_id: str, *, name: str | None = None, archived: bool | None = None) -> None:
        """Rename or archive."""
        with self._database.session(write=True) as session:
            row = session.get(JobRow, job_id)
            if row is None:
                raise NotFound(f"no job `{job_id[:60]}` here.", "It may have been deleted on another page.")
            row.name = row.name if name is None else name
            row.archived = row.archived if archived is None else archived

    def delete_job(self, job_id: str) -> None:
        """Forget a job and the pointers to what came of it. Its folder is the engine's to remove."""
        with self._database.session(write=True) as session:
            for table in (JobRow, AdapterRow, EvaluationRow):
                row = session.get(table, job_id)
                if row is not None:
                    session.delete(row)
            session.execute(delete(ReleaseRow).where(ReleaseRow.job_id == job_id))

    # Pointers

    def point_to_adapter(self, job_id: str, name: str, path: str) -> None:
        """Remember an adapter. Safe to repeat; a given name stays."""
        with self._database.session(write=True) as session:
            if session.get(AdapterRow, job_id) is None:
                now = datetime.now(UTC)
                session.add(AdapterRow(job_id=job_id, name=name, path=path, archived=False, created_at=now))

    def adapter_names(self) -> dict[str, tuple[str, bool]]:
        """{job id: (name, archived)} of all known adapters."""
        with self._database.session() as session:
            return {row.job_id: (row.name, row.archived) for row in session.scalars(select(AdapterRow))}

    def update_adapter(self, job_id: str, *, name: str | None = None, archived: bool | None = None) -> None:
        """Rename or archive."""
        with self._database.session(write=True) as session:
            row = session.get(AdapterRow, job_id)
            if row is None:
                raise NotFound(f"no adapter of job `{job_id[:60]}` here.", "It may have been deleted on another page.")
            row.name = row.name if name is None else name
            row.archived = row.archived if archived is None else archived

    def point_to_evaluation(
        self,
        job_id: str,
        *,
        plan_id: str | None,
        train_job_id: str | None,
        path: str,
        verdict: str | None,
        judged_at: datetime,
    ) -> None:
        """Remember an evaluation report. Safe to repeat."""
        with self._database.session(write=True) as session:
            row = session.get(EvaluationRow, job_id) or EvaluationRow(job_id=job_id)
            row.created_at = judged_at
            row.plan_id, row.train_job_id, row.path, row.verdict = plan_id, train_job_id, path, verdict
            session.add(row)

    def verdicts(self) -> dict[str, str | None]:
        """{train job id: verdict of its newest evaluation}."""
        query = select(EvaluationRow).order_by(EvaluationRow.created_at)
        with self._database.session() as session:
            return {row.train_job_id: row.verdict for row in session.scalars(query) if row.train_job_id}

    # Releases

    def release(
        self,
        job_id: str,
        *,
        weights_sha256: str,
        name: str,
        reason: str,
        verdict: str | None = None,
        judged_by: str | None = None,
    ) -> Release:
        """Write down who lets these weights out of quarantine, why, and at what verdict. Never changed afterwards.

        Raises `ProblemsFound` for a name or a reason that says too little.
        """
        given = {"weights_sha256": weights_sha256, "name": name, "reason": reason}
        known = {"job_id": job_id, "verdict": verdict, "judged_by": judged_by, "created_at": datetime.now(UTC)}
        try:
            made = Release.model_validate(given | known | {"id": new_id("release")})
        except ValidationError as error:
            raise ProblemsFound(problems_of(error)) from None
        with self._database.session(write=True) as session:
            session.add(ReleaseRow(**made.model_dump()))
        return made

    def releases(self, job_id: str | None = None) -> list[Release]:
        """All releases, the newest first; of one adapter if given."""
        query = select(ReleaseRow).order_by(ReleaseRow.created_at.desc())
        if job_id is not None:
            query = query.where(ReleaseRow.job_id == job_id)
        with self._database.session() as session:
            return [release_of(row) for row in session.scalars(query)]


def open_store() -> Store:
    """The store of this home, or the one that `TUNEWORTHY_DB` names."""
    return _open(os.environ.get("TUNEWORTHY_DB") or f"sqlite:///{home() / 'tuneworthy.db'}")


@lru_cache(maxsize=4)
def _open(address: str) -> Store:
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise StoreError("TUNEWORTHY_DB is not a database URL.", "It looks like sqlite:///path/to/file.db.") from None
    return Store(url)
