"""The judgement behind a parity: the new adapter asked what the old model was asked, on rows that it has not seen."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from backends.chain import judge_spec, needs, store_chain, submit_chain
from backends.launch import state_of, with_data_hash
from backends.on_parts import new_group, usable_rows
from backends.rescue.golden import ROWS, read_golden, write_golden
from core.errors import BadInput, Refused
from core.home import data_dir
from core.job import JobState
from core.jobspec import JobSpec
from core.own_files import write_atomically
from core.store import JobRecord, Store
from dataset.read import read
from dataset.write import write_chat

FILE = "parity.json"


class ParityRows(BaseModel):
    """Which golden rows a group of jobs is about: `parity.json` in its folder."""

    model_config = ConfigDict(extra="ignore")
    golden: str
    """Folder of the golden set."""
    rows_sha256: str
    train: str


def launch_parity(store: Store, train_id: str, folder: Path) -> JobRecord:
    """Ask the adapter of a training the prompts of a golden set; the job that does so already, where there is one.

    Rows that the training or its validation has seen are known to the judge, which leaves them out.
    Raises `BadInput` for a job that is no training, `Refused` for one that has not succeeded, `ProblemsFound`.
    """
    train = store.job(train_id)
    if train.kind != "train":
        raise BadInput(f"`{train_id}` is no training.", "Name the train job; `tuneworthy shelf` lists them.")
    if (state := state_of(train)).state != "succeeded":
        raise Refused(f"the training `{train_id}` is {state.state}.", "Wait until it has succeeded.")
    golden = read_golden(folder)
    if (known := parity_job(store, train_id, golden.rows_sha256)) is not None:
        return known
    rows = read(folder / ROWS).usable().rows
    with new_group() as group:
        write_chat(rows, group / "test.jsonl")
        seen = [path for path in (train.spec.dataset, train.spec.validation) if path]
        write_chat((row for path in seen for row in usable_rows(train.spec, path)), group / "seen.jsonl")
        spec = _asked(train, group)
        predicted = needs([spec])
        (record,) = store_chain(
            store, [with_data_hash(spec)], predicted, group=group.name, plan_id=train.plan_id, apart=False
        )
        told = ParityRows(golden=str(folder), rows_sha256=golden.rows_sha256, train=train_id)
        write_atomically(group / FILE, told.model_dump_json(indent=1))
    (started,) = submit_chain(store, [record])
    if train_id not in golden.tunes:
        write_golden(folder, golden.model_copy(update={"tunes": [*golden.tunes, train_id]}))
    return started


def parity_job(store: Store, train_id: str, rows_sha256: str) -> JobRecord | None:
    """The newest judgement of a training on these golden rows that has not failed; None where there is none."""
    for record in store.jobs():
        if record.kind != "evaluate" or record.spec.job != train_id:
            continue
        told = parity_rows(record)
        if told and told.rows_sha256 == rows_sha256 and _may_serve(state_of(record)):
            return record
    return None


def parity_rows(record: JobRecord) -> ParityRows | None:
    """Which golden rows a judgement is about; None for one that is about none."""
    if not record.spec.group:
        return None
    try:
        return ParityRows.model_validate_json((data_dir() / record.spec.group / FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def _may_serve(state: JobState) -> bool:
    return state.state not in ("failed", "cancelled")


def _asked(train: JobRecord, group: Path) -> JobSpec:
    """The judgement: the tuned model alone, on the task alone, its prompts in our own copy."""
    updates: dict[str, object] = {
        "job": train.id,
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
    updates |= dict.fromkeys(("inputs", "output", "records", "template", "shifted", "adapter"))
    updates |= dict.fromkeys(("latency_ms", "judge", "harm_judge", "general_set"))
    return judge_spec(train.spec).model_copy(update=updates)
