"""Quality over quantity, tried: train and judge on all rows, without doubtful labels, and without as many other rows.

The last is the control: it tells what fewer rows cost by themselves. `quality.json` in the folder of the group says
which job belongs to which.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from backends.on_parts import Launched, Part, launch_on_parts
from core.errors import BadInput, NotFound
from core.home import check_id, data_dir
from core.jobspec import JobSpec
from core.store import Store
from dataset.finding import plural
from dataset.label_errors import Suspect, search_labels
from dataset.row import Row

Arm = Literal["all", "without_suspects", "control"]
ARMS: dict[Arm, str] = {
    "all": "all rows",
    "without_suspects": "without the suspects",
    "control": "without as many others",
}
JOBS = "quality.json"


class ArmJobs(BaseModel):
    """One choice of the training rows and the two jobs that measure it."""

    model_config = ConfigDict(extra="ignore")
    arm: Arm
    rows: int
    train: str
    judge: str


class QualityJobs(BaseModel):
    """A launched experiment."""

    model_config = ConfigDict(extra="ignore")
    group: str
    name: str
    seed: int
    prepare: str | None = None
    """Job that fetches the base, where it was not here yet."""
    dropped: list[int]
    """Lines of the suspects in the training file, the likeliest mistake first."""
    arms: list[ArmJobs]
    created_at: datetime

    @property
    def job_ids(self) -> list[str]:
        """All jobs in the order in which they run."""
        first = [self.prepare] if self.prepare else []
        return [*first, *(job for arm in self.arms for job in (arm.train, arm.judge))]


def launch_quality(store: Store, spec: JobSpec, *, drop: int | None = None, epochs: float | None = None) -> QualityJobs:
    """Search the training rows for doubtful labels, then launch train and judge for each of the three choices.

    `drop` takes that many suspects, the likeliest mistakes, instead of all; `epochs` stands in for those of the spec.
    Raises `BadInput` where there are not as many suspects, and what `launch_on_parts` raises; then nothing was started.
    """
    name = (spec.name or "Quality")[:80]
    suspects: list[Suspect] = []

    def choose(rows: list[Row]) -> list[Part]:
        suspects.extend(_suspects(rows, spec.seed, drop))
        without = {each.place for each in suspects}
        others = [place for place in range(len(rows)) if place not in without]
        if len(others) < 2 * len(without):
            raise BadInput(f"{len(without)} suspects are too many of {len(rows)} rows.", "Give a smaller --drop.")
        control = set(random.Random(spec.seed).sample(others, len(without)))
        gone: dict[Arm, set[int]] = {"all": set(), "without_suspects": without, "control": control}
        return [
            Part(words, [row for place, row in enumerate(rows) if place not in gone[arm]])
            for arm, words in ARMS.items()
        ]

    def tell(launched: Launched) -> QualityJobs:
        return QualityJobs(
            group=launched.group,
            name=name,
            seed=spec.seed,
            prepare=launched.prepare,
            dropped=[each.line for each in suspects],
            arms=[
                ArmJobs(arm=arm, rows=part.rows, train=part.train, judge=part.judge)
                for arm, part in zip(ARMS, launched.parts, strict=True)
            ],
            created_at=datetime.now(UTC),
        )

    return launch_on_parts(store, spec, choose, tell, file=JOBS, name=name, what="the experiment", epochs=epochs)


def quality_jobs(group: str) -> QualityJobs:
    """A launch by its group. Raises `BadInput` for what is no group's id, `NotFound` where it is gone."""
    try:
        return QualityJobs.model_validate_json((data_dir() / check_id(group, "group") / JOBS).read_bytes())
    except (OSError, ValidationError) as error:
        raise NotFound(f"no experiment `{group}` is here.", "Launch one: `tuneworthy quality-experiment`.") from error


def _suspects(rows: list[Row], seed: int, drop: int | None) -> tuple[Suspect, ...]:
    found = search_labels(rows, seed=seed)
    if found.why_not:
        raise BadInput(f"the labels cannot be searched. {found.why_not}", "Give training rows with more labels.")
    if not found.suspects:
        raise BadInput(f"none of {found.searched:,} labels is doubtful.", "There is nothing to drop.")
    if drop is not None and drop > len(found.suspects):
        raise BadInput(
            f"only {plural(len(found.suspects), 'label is', 'labels are')} doubtful.", "Give a smaller --drop."
        )
    return found.suspects[:drop]
