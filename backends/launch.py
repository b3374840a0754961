"""From a spec to a running job: check, store the intent, submit; and look a job up before any second try."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from backends.engines import engine
from core.errors import EngineError, NotFound, Problem, ProblemsFound
from core.estimate import RunEstimate
from core.job import JobState
from core.jobspec import JobSpec
from core.store import JobRecord, Store

HANDOVER = timedelta(seconds=60)
"""A job without a reference is taken to be on its way to its engine for so long."""


def launch(
    store: Store, spec: JobSpec, *, plan_id: str | None = None, estimate: RunEstimate | None = None
) -> JobRecord:
    """Check a spec, store the intent, hand it to its engine.

    Raises `ProblemsFound` with everything that would stop it; then nothing was stored or started.
    """
    host = engine(spec.engine)
    problems = [problem for problem in host.check(spec) if problem.severity == "error"]
    if problems:
        raise ProblemsFound(problems)
    predicted = estimate or host.estimate(spec)
    if problems := over_budget(spec, predicted):
        raise ProblemsFound(problems)
    record = store.add_job(with_data_hash(spec), plan_id=plan_id, predicted=predicted)
    return submit(store, record)


def with_data_hash(spec: JobSpec) -> JobSpec:
    """The spec with the hash of its training file as that is now, so that a worker can refuse a changed one."""
    if spec.dataset is None or spec.dataset_sha256 is not None:
        return spec
    try:
        with Path(spec.dataset).open("rb") as file:
            return spec.model_copy(update={"dataset_sha256": hashlib.file_digest(file, "sha256").hexdigest()})
    except OSError:  # an engine of another place may know the file by a name that means nothing here
        return spec


def over_budget(spec: JobSpec, predicted: RunEstimate) -> list[Problem]:
    """A problem where the likely dollars exceed the budget of the spec, or nobody can say how many there will be."""
    budget, usd = spec.budget_usd, predicted.usd.likely
    if budget is None or (usd is not None and usd <= budget):
        return []
    what = "what it will cost is unknown" if usd is None else f"it will cost about ${usd:,.2f}"
    return [
        Problem(what=f"{what}, and the budget is ${budget:,.2f}.", where="budget_usd", hint="Raise it, or do less.")
    ]


def submit(store: Store, record: JobRecord) -> JobRecord:
    """Hand a stored job to its engine, unless the engine has it already.

    When the answer is lost the engine is asked; the job is started twice in no case.
    """
    host = engine(record.engine)
    ref = host.find(record.id)
    if ref is None:
        try:
            ref = host.submit(record.spec, record.id)
        except EngineError:
            ref = host.find(record.id)
            if ref is None:
                raise
    store.set_ref(record.id, ref)
    return record.model_copy(update={"ref": ref})


def reconcile(store: Store) -> list[JobRecord]:
    """Jobs whose start was never confirmed, found again at their engine. Starts nothing."""
    found = []
    for record in store.jobs():
        if record.ref is not None:
            continue
        # One engine that is gone, or cannot answer, does not hide the jobs of the others.
        with suppress(EngineError):
            ref = engine(record.engine).find(record.id)
            if ref is not None:
                store.set_ref(record.id, ref)
                found.append(record.model_copy(update={"ref": ref}))
    return found


def state_of(record: JobRecord) -> JobState:
    """Where a job is, as its engine says."""
    if record.ref is None:
        if datetime.now(UTC) - record.created_at < HANDOVER:
            return JobState(state="queued", note="being handed over")
        return JobState(state="failed", reason="It was never handed to its engine. Resume it, or launch it again.")
    try:
        return engine(record.engine).poll(record.ref)
    except NotFound:
        return JobState(state="failed", reason="Its folder is gone. Delete the job, or launch it again.")
