"""Rename-archive-delete's last third: what goes with what, said first, then done. And the disk that we use."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from backends.launch import state_of
from core.errors import Refused
from core.home import cache_dir, data_dir, run_dir, runs_dir
from core.plan import Plan
from core.store import JobRecord, Store

Thing = Literal["plan", "job", "data"]
Purge = Literal["checkpoints", "uploads", "cache"]


def what_goes(store: Store, thing: Thing, thing_id: str) -> list[str]:
    """In words, everything that `remove` would delete. For data, `thing_id` is the id of its plan."""
    if thing == "job":
        return _job_parts(store, store.job(thing_id))
    plan = store.plan(thing_id)
    data = []
    if plan.data is not None and _data_folder(store, plan) is not None:
        data = [f"its copy of the data `{plan.data.name}` ({plan.data.rows:,} rows)"]
    if thing == "data":
        return data
    jobs = store.jobs(plan.id) + store.jobs(plan.id, archived=True)
    return [f"the plan `{plan.name}`", *data, *(part for job in jobs for part in _job_parts(store, job))]


def remove(store: Store, thing: Thing, thing_id: str) -> list[str]:
    """Delete it and say what went. Raises `Refused` while a job of it is at work."""
    said = what_goes(store, thing, thing_id)
    if thing == "job":
        _remove_job(store, store.job(thing_id))
        return said
    plan = store.plan(thing_id)
    jobs = store.jobs(plan.id) + store.jobs(plan.id, archived=True)
    for job in jobs:
        _refuse_running(job)
    folder = _data_folder(store, plan)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
    if thing == "data":
        store.update_plan(plan.id, data=None)
        return said
    for job in jobs:
        _remove_job(store, job)
    store.delete_plan(plan.id)
    return said


def usage() -> dict[str, int]:
    """Bytes on disk: uploads, checkpoints, adapters, other files of runs, cache."""
    runs = _size(runs_dir())
    checkpoints = sum(_size(folder) for folder in runs_dir().glob("*/checkpoints"))
    adapters = sum(_size(folder) for folder in runs_dir().glob("*/adapter"))
    return {
        "uploads": _size(data_dir()),
        "checkpoints": checkpoints,
        "adapters": adapters,
        "runs": runs - checkpoints - adapters,
        "cache": _size(cache_dir()),
    }


def what_purges(store: Store, what: Purge) -> list[str]:
    """In words, what `purge` would delete now."""
    return [said for said, _ in _purgeable(store, what)]


def purge(store: Store, what: Purge) -> list[str]:
    """Delete checkpoints of ended jobs, uploads that no plan and no job uses, or prepared bases and kept answers."""
    done = []
    for said, act in _purgeable(store, what):
        act()
        done.append(said)
    return done


def _purgeable(store: Store, what: Purge) -> list[tuple[str, Callable[[], None]]]:
    found: list[tuple[str, Callable[[], None]]] = []
    if what == "checkpoints":
        running = {job.id for job in _all_jobs(store) if not state_of(job).done}
        for folder in sorted(runs_dir().glob("*/checkpoints")):
            if folder.parent.name not in running and any(folder.iterdir()):
                found.append((f"checkpoints of {folder.parent.name} ({_mib(folder)})", _remover(folder)))
    elif what == "uploads":
        used = _folders_in_use(store)
        for folder in sorted(path for path in data_dir().iterdir() if path.is_dir()):
            # One that begins with `new-` is an upload that comes in just now.
            if folder.resolve() not in used and not folder.name.startswith("new-"):
                found.append((f"upload {folder.name} ({_mib(folder)})", _remover(folder)))
    else:
        if any(not state_of(job).done for job in _all_jobs(store)):
            raise Refused("a job is at work and may need the cache.", "Wait for it, or cancel it first.")
        for folder in sorted(path for path in cache_dir().glob("*/*") if path.is_dir()):
            found.append((f"{folder.parent.name}/{folder.name} ({_mib(folder)})", _remover(folder)))
        answers = cache_dir() / "answers"  # files, one a model that was judged
        if answers.is_dir() and any(answers.iterdir()):
            found.append((f"the judge's answers ({_mib(answers)})", _remover(answers)))
    return found


def _folders_in_use(store: Store) -> set[Path]:
    """Folders of rows that a plan has, or that a job was or will be run on."""
    files = [plan.data.train for plan in _all_plans(store) if plan.data]
    specs = [job.spec for job in _all_jobs(store)] + [plan.spec for plan in _all_plans(store) if plan.spec]
    files += [path for spec in specs for path in (spec.dataset, spec.validation, spec.test) if path]
    return {Path(file).resolve().parent for file in files}


def _remover(folder: Path) -> Callable[[], None]:
    return lambda: shutil.rmtree(folder, ignore_errors=True)


def _job_parts(store: Store, job: JobRecord) -> list[str]:
    parts = [f"the {job.kind} job `{job.name}`"]
    folder = run_dir(job.id)
    for name, label in (("adapter", "its adapter"), ("checkpoints", "its checkpoints")):
        if (folder / name).is_dir() and any((folder / name).iterdir()):
            parts.append(f"{label} ({_mib(folder / name)})")
    if (folder / "evaluation.json").is_file():
        parts.append("its evaluation report")
    if (folder / "log.txt").is_file():
        parts.append("its log")
    if store.releases(job.id):
        parts.append("its releases from quarantine")
    return parts


def _remove_job(store: Store, job: JobRecord) -> None:
    _refuse_running(job)
    shutil.rmtree(run_dir(job.id), ignore_errors=True)
    if job.plan_id is not None:
        plan = store.plan(job.plan_id)
        store.update_plan(plan.id, jobs=[other for other in plan.jobs if other != job.id])
    store.delete_job(job.id)


def _refuse_running(job: JobRecord) -> None:
    if not state_of(job).done:
        raise Refused(f"the job `{job.name}` is still at work.", "Cancel it first, then delete.")


def _data_folder(store: Store, plan: Plan) -> Path | None:
    """The folder of a plan's data, if it is ours and no other plan uses it."""
    if plan.data is None:
        return None
    folder = Path(plan.data.train).parent
    others = (other for other in _all_plans(store) if other.id != plan.id and other.data)
    shared = any(Path(other.data.train).parent == folder for other in others if other.data)
    ours = folder.is_relative_to(data_dir()) and folder != data_dir()
    return folder if ours and folder.is_dir() and not shared else None


def _all_plans(store: Store) -> list[Plan]:
    return store.plans() + store.plans(archived=True)


def _all_jobs(store: Store) -> list[JobRecord]:
    return store.jobs() + store.jobs(archived=True)


def _size(path: Path) -> int:
    # Hard links of checkpoints are counted once a name: an upper bound.
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file() and not file.is_symlink())


def _mib(folder: Path) -> str:
    return f"{_size(folder) / 2**20:.1f} MiB"
