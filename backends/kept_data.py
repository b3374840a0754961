"""All data that was taken in, who uses it, and what becomes of them when it goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from backends.launch import state_of
from core.errors import NotFound, Refused
from core.plan import DataRef, Plan
from core.store import JobRecord, Store
from dataset import prepare
from dataset.kept import Label, label_of, manifest_of, write_label

PARTS = ("train", "validation", "test")
JOBS_NAMED = 5


@dataclass(frozen=True)
class KeptData:
    """A set of rows that was taken in: a folder of ours. Its id is the folder's name."""

    folder: Path
    name: str
    archived: bool
    rows: dict[str, int] | None
    """{train, validation, test: rows}; None where its manifest is gone or broken."""
    size_bytes: int
    adopted_at: datetime
    plans: tuple[Plan, ...]
    """Whose rows these are."""
    jobs: tuple[JobRecord, ...]
    """Jobs that read them, or have read them."""

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def whole(self) -> bool:
        """True when a plan can use it."""
        return self.rows is not None and all((self.folder / f"{part}.jsonl").is_file() for part in PARTS)


def kept_data(store: Store, *, archived: bool | None = None) -> list[KeptData]:
    """All sets, the newest first; only the archived ones, or only the others, if asked."""
    plans = store.plans() + store.plans(archived=True)
    jobs = store.jobs() + store.jobs(archived=True)
    found = []
    for kept in prepare.kept_data():
        label, manifest = label_of(kept.folder), manifest_of(kept.folder)
        if archived is not None and label.archived != archived:
            continue
        found.append(
            KeptData(
                folder=kept.folder,
                name=label.name or kept.name,
                archived=label.archived,
                rows={part: len(manifest.lines.get(part, [])) for part in PARTS} if manifest else None,
                size_bytes=kept.size_bytes,
                adopted_at=kept.adopted_at,
                plans=tuple(plan for plan in plans if plan.data and _inside(kept.folder, plan.data.train)),
                jobs=tuple(job for job in jobs if _reads(job, kept.folder)),
            )
        )
    return found


def kept_set(store: Store, set_id: str) -> KeptData:
    """The set of that id. Raises `NotFound`."""
    for kept in kept_data(store):
        if kept.id == set_id:
            return kept
    raise NotFound(f"no data `{set_id[:60]}` here.", "It may have been deleted on another page.")


def rename(store: Store, set_id: str, name: str) -> None:
    """Another name, in the plans that use it too. Raises `BadInput` for one that says nothing, `NotFound`."""
    kept = kept_set(store, set_id)
    said = " ".join(name.split())
    write_label(kept.folder, Label(name=said, archived=kept.archived))
    for plan in kept.plans:
        if plan.data is not None:
            store.update_plan(plan.id, data=plan.data.model_copy(update={"name": said}))


def archive(store: Store, set_id: str, archived: bool = True) -> None:
    """Out of the list, or back into it. Nothing is deleted, and whoever uses it goes on. Raises `NotFound`."""
    folder = kept_set(store, set_id).folder
    write_label(folder, label_of(folder).model_copy(update={"archived": archived}))


def what_goes(kept: KeptData) -> list[str]:
    """In words, everything that `remove` would delete, and what can no longer be done then."""
    rows = f"{sum(kept.rows.values()):,} rows, " if kept.rows else ""
    parts = [f"our copy of `{kept.name}` ({rows}{_in_words(kept.size_bytes)})"]
    parts += [f"the rows of the plan `{plan.name}`, which then has none" for plan in kept.plans]
    if kept.jobs:
        named = ", ".join(f"`{job.name}`" for job in kept.jobs[:JOBS_NAMED])
        more = f" and {len(kept.jobs) - JOBS_NAMED} more" if len(kept.jobs) > JOBS_NAMED else ""
        one = len(kept.jobs) == 1
        parts.append(
            f"the rows of {'a job that' if one else f'{len(kept.jobs)} jobs that'} can no longer be resumed or judged "
            f"again then: {named}{more}"
        )
    return parts


def remove(store: Store, set_id: str) -> list[str]:
    """Delete a set and every plan's pointer to it, and say what went. Raises `Refused` while a job reads it."""
    kept = kept_set(store, set_id)
    at_work = next((job for job in kept.jobs if not state_of(job).done), None)
    if at_work is not None:
        raise Refused(f"the job `{at_work.name}` is still at work on it.", "Cancel it first, then delete.")
    said = what_goes(kept)
    for plan in kept.plans:
        store.update_plan(plan.id, data=None)
    prepare.forget(_pointer(kept))
    return said


def _in_words(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:.1f} MiB" if size_bytes >= 2**20 else f"{size_bytes / 2**10:.0f} KiB"


def _pointer(kept: KeptData) -> DataRef:
    """Enough of a reference to find the folder, however broken the set is."""
    paths = {part: str(kept.folder / f"{part}.jsonl") for part in PARTS}
    counts = {"rows": 0, "train_rows": 0, "validation_rows": 0, "test_rows": 0}
    return DataRef.model_validate(paths | counts | {"name": kept.name, "sha256": ""})


def _reads(job: JobRecord, folder: Path) -> bool:
    return any(path and _inside(folder, path) for path in (job.spec.dataset, job.spec.validation, job.spec.test))


def _inside(folder: Path, path: str) -> bool:
    parent = Path(path).parent
    return parent.name == folder.name and parent.resolve() == folder.resolve()
