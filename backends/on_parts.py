"""Train and judge on several choices of the training rows, one after the other, as one group of jobs.

The rows of each choice are copies in a folder of the group among the kept data, where a purge of uploads finds them
once no job needs them any more. A file beside them says which job belongs to which choice.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from backends.chain import estimate_chain, judge_spec, needs, preparation, store_chain, submit_chain
from backends.launch import over_budget, with_data_hash
from core.errors import BadInput, ProblemsFound, StoreError
from core.home import data_dir, new_id
from core.jobspec import JobSpec
from core.run_folder import write_atomically
from core.store import JobRecord, Store
from dataset.job_rows import read_for_job
from dataset.row import Row
from dataset.write import without_unusable, write_chat

Told = TypeVar("Told", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Part:
    """Training rows to try, and what the jobs on them are called."""

    name: str
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class PartJobs:
    """The two jobs that measure a part of so many rows."""

    rows: int
    train: str
    judge: str


@dataclass(frozen=True, slots=True)
class Launched:
    """The stored jobs of all parts."""

    group: str
    prepare: str | None
    """Job that fetches the base, where it was not here yet."""
    parts: tuple[PartJobs, ...]


def launch_on_parts(
    store: Store,
    spec: JobSpec,
    choose: Callable[[list[Row]], Sequence[Part]],
    tell: Callable[[Launched], Told],
    *,
    file: str,
    name: str,
    what: str,
    epochs: float | None = None,
) -> Told:
    """Write the parts that `choose` makes of the training rows, then launch train and judge for each, in their order.

    What `tell` makes of the stored jobs is returned, and written to `file` in the folder of the group before any job
    starts. `name` begins the names of the jobs, `what` the messages ("a learning curve"); `epochs` stands in for those
    of the spec. Raises `ProblemsFound` or `BadInput` with what would stop any of the jobs; then nothing was started and
    nothing is left behind.
    """
    with new_group() as folder:
        training, held_out = _rows(spec, what)
        parts = choose(training)
        trains = [
            as_train(each, f"{name}: {part.name}", folder.name, epochs)
            for each, part in zip(written(spec, folder, parts, held_out), parts, strict=True)
        ]
        specs = [with_data_hash(each) for train in trains for each in (train, _judge(train))]
        specs = [*preparation(specs[0]), *specs]
        predicted = needs(specs)
        if problems := over_budget(spec, estimate_chain(specs)):
            raise ProblemsFound(problems)
        records = store_chain(store, specs, predicted, group=folder.name, plan_id=None)
        told = tell(_launched(folder.name, records, parts))
        write_atomically(folder / file, told.model_dump_json(indent=1))
    submit_chain(store, records)
    return told


@contextmanager
def new_group() -> Iterator[Path]:
    """The folder of a new group of jobs, called as the group; gone again where anything inside fails.

    Raises `StoreError` for a disk that takes no more.
    """
    folder = data_dir() / new_id("group")
    try:
        folder.mkdir(mode=0o700)
        yield folder
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise StoreError(f"the rows could not be saved ({error.strerror}).", "Free some disk space.") from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _launched(group: str, records: Sequence[JobRecord], parts: Sequence[Part]) -> Launched:
    ids = [record.id for record in records if record.kind != "prepare"]
    return Launched(
        group=group,
        prepare=records[0].id if records[0].kind == "prepare" else None,
        parts=tuple(
            PartJobs(len(part.rows), train, judge)
            for part, train, judge in zip(parts, ids[::2], ids[1::2], strict=True)
        ),
    )


def _rows(spec: JobSpec, what: str) -> tuple[list[Row], dict[str, list[Row]]]:
    """(training rows, {validation and test: the held-out rows}). Raises `BadInput` where either is not named."""
    if spec.kind != "train" or spec.dataset is None:
        raise BadInput(f"{what} starts from a train spec.", "Set `kind: train` and `dataset`.")
    if not (spec.test or spec.validation):
        raise BadInput(f"{what} needs held-out rows.", "Set `test` or `validation`; `tuneworthy split` makes them.")
    held_out = {field: path for field in ("validation", "test") if (path := getattr(spec, field))}
    return usable_rows(spec, spec.dataset), {field: usable_rows(spec, path) for field, path in held_out.items()}


def usable_rows(spec: JobSpec, path: str) -> list[Row]:
    """Rows of one of the files of a spec from which something can be learned."""
    return without_unusable(read_for_job(spec, path).rows)[0]


def written(spec: JobSpec, folder: Path, parts: Sequence[Part], held_out: dict[str, list[Row]]) -> list[JobSpec]:
    """For each part the spec with its rows; the held-out rows are copied once, in the same form."""
    for field, rows in held_out.items():
        write_chat(rows, folder / f"{field}.jsonl")
    found = []
    for number, part in enumerate(parts, 1):
        path = folder / f"train-{number}.jsonl"
        write_chat(part.rows, path)
        updates: dict[str, object] = {field: str(folder / f"{field}.jsonl") for field in held_out}
        updates |= {"dataset": str(path), "dataset_sha256": None}
        updates |= dict.fromkeys(("inputs", "output", "records", "template"))
        found.append(spec.model_copy(update=updates))
    return found


def as_train(spec: JobSpec, name: str, group: str, epochs: float | None = None) -> JobSpec:
    """A training of the group by itself: it waits for nothing and starts from the base."""
    return spec.model_copy(
        update={
            "name": name,
            "epochs": epochs or spec.epochs,
            "group": group,
            "after": [],
            "adapter": None,
            "job": None,
            "resume_of": None,
        }
    )


def _judge(train: JobSpec) -> JobSpec:
    # Only the tuned model: the question is what the rows are worth, not whether the tune beats a prompt.
    return judge_spec(train).model_copy(update={"models": ["tuned"], "axes": ["task"]})
