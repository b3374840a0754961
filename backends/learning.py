"""The jobs of a learning curve: train and judge on nested shares of the rows, one after the other, as one group.

The shares are copies in a folder of the group among the kept data, where a purge of uploads finds them once no job
needs them any more. `jobs.json` beside them says which job belongs to which share.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from backends.chain import estimate_chain, judge_spec, needs, preparation, store_chain, submit_chain
from backends.launch import over_budget, with_data_hash
from core.errors import BadInput, NotFound, ProblemsFound, StoreError
from core.home import check_id, data_dir, new_id
from core.jobspec import JobSpec
from core.run_folder import write_atomically
from core.store import Store
from dataset.job_rows import read_for_job
from dataset.row import Row
from dataset.subsets import nested
from dataset.write import without_unusable, write_chat

SHARES = (0.1, 0.3, 1.0)
MIN_SHARES = 3
"""Fewer points cannot tell a curve from a line."""
JOBS = "jobs.json"


class ShareJobs(BaseModel):
    """One size of the training rows and the two jobs that measure it."""

    model_config = ConfigDict(extra="ignore")
    share: float
    rows: int
    train: str
    judge: str


class LearningJobs(BaseModel):
    """A launched learning curve."""

    model_config = ConfigDict(extra="ignore")
    group: str
    name: str
    seed: int
    prepare: str | None = None
    """Job that fetches the base, where it was not here yet."""
    shares: list[ShareJobs]
    created_at: datetime

    @property
    def job_ids(self) -> list[str]:
        """All jobs in the order in which they run."""
        first = [self.prepare] if self.prepare else []
        return [*first, *(job for share in self.shares for job in (share.train, share.judge))]


def launch_learning(
    store: Store, spec: JobSpec, *, shares: Sequence[float] = SHARES, epochs: float | None = None
) -> LearningJobs:
    """Write the shares, then launch train and judge for each, the smallest first: what is wrong shows early.

    `epochs` stands in for those of the spec. Raises `ProblemsFound` or `BadInput` with what would stop any of the
    jobs; then nothing was started and nothing is left behind.
    """
    group = new_id("group")
    folder = data_dir() / group
    try:
        sized = _with_rows(spec, folder, shares)
        bare = [_sized(each, spec, rows, group, epochs) for each, rows in sized]
        specs = [with_data_hash(each) for train in bare for each in (train, _judge(train))]
        specs = [*preparation(specs[0]), *specs]
        predicted = needs(specs)
        if problems := over_budget(spec, estimate_chain(specs)):
            raise ProblemsFound(problems)
        records = store_chain(store, specs, predicted, group=group, plan_id=None)
        ids = [record.id for record in records if record.kind != "prepare"]
        jobs = LearningJobs(
            group=group,
            name=_name(spec),
            seed=spec.seed,
            prepare=records[0].id if records[0].kind == "prepare" else None,
            shares=[
                ShareJobs(share=share, rows=rows, train=train, judge=judge)
                for share, (_, rows), train, judge in zip(shares, sized, ids[::2], ids[1::2], strict=True)
            ],
            created_at=datetime.now(UTC),
        )
        write_atomically(folder / JOBS, jobs.model_dump_json(indent=1))
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise StoreError(f"the rows could not be saved ({error.strerror}).", "Free some disk space.") from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    submit_chain(store, records)
    return jobs


def learning_jobs(group: str) -> LearningJobs:
    """A launch by its group. Raises `BadInput` for what is no group's id, `NotFound` where it is gone."""
    try:
        return LearningJobs.model_validate_json((data_dir() / check_id(group, "group") / JOBS).read_bytes())
    except (OSError, ValidationError) as error:
        raise NotFound(f"no learning curve `{group}` is here.", "Launch one: `tuneworthy learning-curve`.") from error


def all_learning_jobs() -> list[LearningJobs]:
    """Every launch, the newest first; one that cannot be read is left out."""
    found = []
    for path in data_dir().glob(f"group-*/{JOBS}"):
        try:
            found.append(learning_jobs(path.parent.name))
        except (BadInput, NotFound):
            continue
    return sorted(found, key=lambda jobs: jobs.created_at, reverse=True)


def _with_rows(spec: JobSpec, folder: Path, shares: Sequence[float]) -> list[tuple[JobSpec, int]]:
    """For each share the spec with its rows, and how many; the held-out rows are copied once, in the same form."""
    if len(shares) < MIN_SHARES:
        raise BadInput(f"a learning curve needs {MIN_SHARES} shares or more.", "Give shares such as 0.1, 0.3 and 1.")
    if spec.kind != "train" or spec.dataset is None:
        raise BadInput("a learning curve starts from a train spec.", "Set `kind: train` and `dataset`.")
    if not (spec.test or spec.validation):
        raise BadInput(
            "a learning curve needs held-out rows.", "Set `test` or `validation`; `tuneworthy split` makes them."
        )
    parts = nested(_rows(spec, spec.dataset), shares, seed=spec.seed)
    held_out = {field: path for field in ("validation", "test") if (path := getattr(spec, field))}
    kept = {field: _rows(spec, path) for field, path in held_out.items()}
    folder.mkdir(mode=0o700)
    for field, rows in kept.items():
        write_chat(rows, folder / f"{field}.jsonl")
    found = []
    for rows in parts:
        path = folder / f"train-{len(rows)}.jsonl"
        write_chat(rows, path)
        updates: dict[str, object] = {field: str(folder / f"{field}.jsonl") for field in kept}
        updates |= {"dataset": str(path), "dataset_sha256": None}
        updates |= dict.fromkeys(("inputs", "output", "records", "template"))
        found.append((spec.model_copy(update=updates), len(rows)))
    return found


def _rows(spec: JobSpec, path: str) -> list[Row]:
    return without_unusable(read_for_job(spec, path).rows)[0]


def _sized(sized: JobSpec, spec: JobSpec, rows: int, group: str, epochs: float | None) -> JobSpec:
    return sized.model_copy(
        update={
            "name": f"{_name(spec)}: {rows:,} rows",
            "epochs": epochs or spec.epochs,
            "group": group,
            "after": [],
            "adapter": None,
            "job": None,
            "resume_of": None,
        }
    )


def _judge(train: JobSpec) -> JobSpec:
    # Only the tuned model: the curve asks how it grows, not whether it beats a prompt.
    return judge_spec(train).model_copy(update={"models": ["tuned"], "axes": ["task"]})


def _name(spec: JobSpec) -> str:
    return (spec.name or "Learning curve")[:80]
