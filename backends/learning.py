"""The jobs of a learning curve: train and judge on nested shares of the rows, one after the other, as one group.

`jobs.json` in the folder of the group says which job belongs to which share.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from backends.on_parts import Launched, Part, launch_on_parts
from core.errors import BadInput, NotFound
from core.home import check_id, data_dir
from core.jobspec import JobSpec
from core.store import Store
from dataset.row import Row
from dataset.subsets import nested

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
    if len(shares) < MIN_SHARES:
        raise BadInput(f"a learning curve needs {MIN_SHARES} shares or more.", "Give shares such as 0.1, 0.3 and 1.")
    name = (spec.name or "Learning curve")[:80]

    def choose(rows: list[Row]) -> list[Part]:
        return [Part(f"{len(part):,} rows", part) for part in nested(rows, shares, seed=spec.seed)]

    def tell(launched: Launched) -> LearningJobs:
        return LearningJobs(
            group=launched.group,
            name=name,
            seed=spec.seed,
            prepare=launched.prepare,
            shares=[
                ShareJobs(share=share, rows=part.rows, train=part.train, judge=part.judge)
                for share, part in zip(shares, launched.parts, strict=True)
            ],
            created_at=datetime.now(UTC),
        )

    return launch_on_parts(store, spec, choose, tell, file=JOBS, name=name, what="a learning curve", epochs=epochs)


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
