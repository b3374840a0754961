"""Where an adapter comes from, written beside it: enough to make it again, and to know what it is bound by."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from core.jobspec import JobSpec
from core.run_folder import write_atomically
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
) -> Lineage:
    """The lineage of an adapter made just now."""
    card = read_ready_card(base)
    return Lineage(
        base_model=spec.base_model,
        base_revision=card.revision if card else spec.base_revision,
        base_licence=card.licence if card and card.licence != "unknown" else None,
        base_origin=card.origin if card else "folder",
        base_sha256=card.sha256 if card else weights_sha256(base),
        dataset=train.path,
        dataset_sha256=train.sha256,
        dataset_rows=len(train.rows),
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
        versions=library_versions(),
        created_at=datetime.now(UTC),
    )


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
