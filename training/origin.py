"""Whose checkpoint it is: the job, its rows, its base and all settings on which the next step depends.

Weights that go on with other rows or another rate would still train, and nobody would see that the run is not what its
spec says. So what differs is named, and the run is not gone on with.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from core.jobspec import JobSpec
from training.lineage import base_name
from training.plan import TrainingPlan
from training.prepare import read_ready_card
from training.rows import Part

ROWS = ("inputs", "output", "records", "template", "system_prompt", "max_tokens", "packing")
LATER = ("mix_safety", "objective", "dpo_beta", "job", "adapter")
"""Fields that decide too, and were not there from the first: told where they are set."""
"""Fields of the spec that decide what the rows look like to the model."""
COURSE = ("seed", "learning_rate", "warmup_ratio", "weight_decay")
"""Fields that decide which step comes next."""


class Origin(BaseModel):
    """Written into the seal of each checkpoint."""

    model_config = ConfigDict(extra="forbid")
    job: str
    dataset_sha256: str
    base: dict[str, str]
    """Name and revision of the base, and the sha256 of its files (their sizes, for a folder of somebody's own)."""
    settings: dict[str, Any]


def origin_of(job_id: str, spec: JobSpec, base: Path, train: Part, plan: TrainingPlan) -> Origin:
    """The origin of the checkpoints that this run writes."""
    settings: dict[str, Any] = {name: getattr(spec, name) for name in (*ROWS, "mix_general", *COURSE)}
    settings |= {name: value for name in LATER if (value := getattr(spec, name)) != JobSpec.model_fields[name].default}
    settings["method"] = spec.method.model_dump(mode="json")
    # As they came out: `auto` may come out otherwise on another machine.
    settings["precision"], settings["rows a step"] = plan.precision, plan.step_rows
    return Origin(job=job_id, dataset_sha256=train.sha256, base=_base(spec, base), settings=settings)


def differences(then: Origin, now: Origin) -> list[str]:
    """What is not as it was when the checkpoint was saved, in words; empty where the run may go on."""
    found = []
    if then.dataset_sha256 != now.dataset_sha256:
        found.append(
            f"the training rows have changed (sha256 {then.dataset_sha256[:12]}… then, {now.dataset_sha256[:12]}… now)"
        )
    if then.base != now.base:
        found.append(f"the base model is another ({then.base.get('name')} then, {now.base.get('name')} now)")
    for name in sorted(then.settings.keys() | now.settings.keys()):
        before, after = then.settings.get(name), now.settings.get(name)
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            parts = [part for part in sorted(before.keys() | after.keys()) if before.get(part) != after.get(part)]
            found += [f"`{name}.{part}` was {before.get(part)} and is {after.get(part)}" for part in parts]
        else:
            found.append(f"`{name}` was {before} and is {after}")
    return found


def _base(spec: JobSpec, base: Path) -> dict[str, str]:
    name, revision = base_name(spec, base)
    card = read_ready_card(base)
    if card is not None:
        files = dict(card.sha256)
    else:
        # Hashing a large base would take longer than many a training; whoever changes one changes its size as a rule.
        files = {path.name: f"{path.stat().st_size} bytes" for path in sorted(base.glob("*.safetensors"))}
    return {"name": name, "revision": revision or ""} | files
