"""The judgement behind a parity: the new adapter asked what the old model was asked, on rows that it has not seen."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from backends.chain import judge_spec, needs, store_chain, submit_chain
from backends.engines import engine
from backends.launch import state_of, with_data_hash
from backends.on_parts import new_group, usable_rows
from backends.rescue.golden import ROWS, read_golden, write_golden
from core.errors import BadInput, Refused
from core.home import data_dir
from core.job import JobState, Result
from core.jobspec import JobSpec
from core.own_files import write_atomically
from core.run_folder import RunFolder
from core.store import JobRecord, Store
from dataset.normalise import keys_of
from dataset.read import read
from dataset.write import write_chat

FILE, WEIGHTS = "parity.json", "weights"


class ParityRows(BaseModel):
    """Which golden rows a group of jobs is about: `parity.json` in its folder."""

    model_config = ConfigDict(extra="ignore")
    golden: str
    """Folder of the golden set."""
    rows_sha256: str
    train: str
    left_out: int = 0
    """Golden rows whose input training or validation has seen: these are not asked."""


def launch_parity(store: Store, train_id: str, folder: Path) -> JobRecord:
    """Ask the adapter of a training the prompts of a golden set; the job that does so already, where there is one.

    Rows that the training or its validation has seen are not asked: from them nothing could be told.
    Raises `BadInput` for a job that is no training and where no row is left, `Refused` for one that has not succeeded,
    `ProblemsFound` with what stops the job.
    """
    train = store.job(train_id)
    if train.kind != "train":
        raise BadInput(f"`{train_id}` is no training.", "Name the train job; `tuneworthy shelf` lists them.")
    if (state := state_of(train)).state != "succeeded":
        hint = f"Resume it: `tuneworthy resume {train_id}`." if state.done else "Wait until it has ended."
        raise Refused(f"the training `{train_id}` has not succeeded: it is {state.state}.", hint)
    golden = read_golden(folder)
    if (known := parity_job(store, train_id, golden.rows_sha256)) is not None:
        return known
    rows = read(folder / ROWS).usable().rows
    files = [path for path in (train.spec.dataset, train.spec.validation) if path]
    seen = [row for path in files for row in usable_rows(train.spec, path)]
    known_inputs = set(keys_of(seen).inputs)
    unseen = [row for row, key in zip(rows, keys_of(rows).inputs, strict=True) if key not in known_inputs]
    if not unseen:
        hint = "Record the answers to prompts that it has not seen."
        raise BadInput(f"training has seen all {len(rows):,} golden rows.", hint)
    with new_group() as group:
        write_chat(unseen, group / "test.jsonl")
        write_chat(seen, group / "seen.jsonl")
        _link_weights(train, group / WEIGHTS)
        spec = _asked(train, group)
        predicted = needs([spec])
        (record,) = store_chain(store, [with_data_hash(spec)], predicted, group=group.name, plan_id=None)
        told = ParityRows(
            golden=str(folder),
            rows_sha256=golden.rows_sha256,
            train=train_id,
            left_out=len(rows) - len(unseen),
        )
        write_atomically(group / FILE, told.model_dump_json(indent=1))
    (started,) = submit_chain(store, [record])
    if train_id not in golden.tunes:
        write_golden(folder, golden.model_copy(update={"tunes": [*golden.tunes, train_id]}))
    return started


def parity_job(store: Store, train_id: str, rows_sha256: str) -> JobRecord | None:
    """The newest judgement of a training on these golden rows that has not failed; None where there is none."""
    for record in store.jobs():
        told = parity_rows(record)
        if told and (told.train, told.rows_sha256) == (train_id, rows_sha256) and _may_serve(state_of(record)):
            return record
    return None


def parity_rows(record: JobRecord) -> ParityRows | None:
    """Which golden rows a judgement is about; None for one that is about none."""
    if record.kind != "evaluate" or not record.spec.group:
        return None
    try:
        return ParityRows.model_validate_json((data_dir() / record.spec.group / FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def _may_serve(state: JobState) -> bool:
    return state.state not in ("failed", "cancelled")


def _link_weights(train: JobRecord, target: Path) -> None:
    """The adapter under another name: what is asked here is no verdict on it, and the shelf must not take it for one.

    Raises `BadInput` for a training that has left no weights on this machine.
    """
    made = engine(train.engine).result(train.ref) if train.ref else Result()
    source = Path(made.adapter or made.classifier or RunFolder.of(train.id).adapter)
    if not source.is_dir():
        raise BadInput(f"the training `{train.id}` has left no weights here.", "Name one of this machine.")
    shutil.copytree(source, target, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without links
        shutil.copy2(source, target)


def _asked(train: JobRecord, group: Path) -> JobSpec:
    """The judgement: the tuned model alone, on the task alone, its prompts in our own copy."""
    updates: dict[str, object] = {
        "job": None,
        "adapter": str(group / WEIGHTS),
        "name": f"{train.spec.name[:90]}: parity" if train.spec.name else "parity",
        "dataset": str(group / "seen.jsonl"),
        "dataset_sha256": None,
        "validation": None,
        "test": str(group / "test.jsonl"),
        "models": ["tuned"],
        "axes": ["task"],
        "n": None,
        "seed_jobs": [],
    }
    updates |= dict.fromkeys(("inputs", "output", "records", "template", "shifted"))
    updates |= dict.fromkeys(("latency_ms", "judge", "harm_judge", "general_set"))
    return judge_spec(train.spec).model_copy(update=updates)
