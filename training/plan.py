"""How a run is cut: device, number format, micro batch, steps. The same plan that the estimate showed before launch."""

from __future__ import annotations

import math
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from core.errors import BadInput, NotFound
from core.jobspec import JobSpec
from core.machine import device_memory_gib, machine, resolve_device
from cost_models.correction import Calibration
from cost_models.fit_plan import card_here, precision_of
from cost_models.pairs import as_one_row
from cost_models.run_estimate import estimate_run
from cost_models.shapes import shape_of
from training.methods import METHODS
from training.report import Report
from training.rows import Part

UNKNOWN_SHAPE_BATCH = 4
"""Rows a step where the memory cannot be predicted."""
EVENTS_PER_RUN = 500
"""Most step events: what a chart can show and a page can read in one go."""


class TrainingPlan(BaseModel):
    """What was decided before the first step."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    device: str
    """`cpu` or `cuda:N`."""
    precision: str
    """float32, bfloat16, or float16 on a card that has no bfloat16."""
    micro_batch: int
    grad_checkpointing: bool
    recomputed_layers: int | None = None
    """Layers whose activations are computed again with grad_checkpointing; all of them when empty."""
    grad_accumulation: int
    steps_per_epoch: int
    total_steps: int
    eval_steps: int
    """Steps between validations."""
    save_steps: int
    """Steps between checkpoints."""
    log_steps: int
    """Steps between step events."""
    n_gpus: int = 1
    """Devices that share the rows of a step."""

    @property
    def step_rows(self) -> int:
        """Rows of one step of the optimizer, over all devices."""
        return self.micro_batch * self.grad_accumulation * self.n_gpus

    @property
    def on_cpu(self) -> bool:
        """True where no card takes part."""
        return self.device == "cpu"


def make_plan(
    spec: JobSpec,
    base: Path,
    train: Part,
    report: Report,
    smaller: TrainingPlan | None = None,
    calibration: Calibration | None = None,
) -> TrainingPlan:
    """The plan for `train` on this machine; `smaller` is how to cut it where it ran out of memory before.

    `calibration` is the correction by which it was estimated before the launch.
    Raises `BadInput` for a device or layers that are not there.
    """
    device = resolve_device(spec.device)
    precision = precision_of(spec, device.partition(":")[0], machine(), card_here(machine(), device))
    accumulation = spec.grad_accumulation
    if smaller is None:
        batch, checkpointing, layers = _batch(spec, base, train, device, report, calibration)
    else:
        batch, checkpointing, accumulation = smaller.micro_batch, smaller.grad_checkpointing, smaller.grad_accumulation
        layers = smaller.recomputed_layers
    per_device = math.ceil(math.ceil(len(train.rows) / batch) / spec.n_gpus)
    per_epoch = math.ceil(per_device / accumulation)
    total = math.ceil(per_epoch * spec.epochs)
    eval_steps = spec.eval_steps or max(1, per_epoch // 2)
    return TrainingPlan(
        device=device,
        precision=precision,
        micro_batch=batch,
        grad_checkpointing=checkpointing,
        recomputed_layers=layers,
        grad_accumulation=accumulation,
        steps_per_epoch=per_epoch,
        total_steps=total,
        eval_steps=eval_steps,
        save_steps=spec.save_steps or eval_steps,
        log_steps=max(1, total // EVENTS_PER_RUN),
        n_gpus=spec.n_gpus,
    )


def _batch(
    spec: JobSpec, base: Path, train: Part, device: str, report: Report, calibration: Calibration | None
) -> tuple[int, bool, int | None]:
    """(rows a step, recompute activations?, of how many layers: None for all)"""
    if not METHODS[spec.method.kind].may_checkpoint():
        spec = spec.model_copy(update={"grad_checkpointing": "off"})
    try:
        shape = shape_of(spec.base_model, base)
    except (BadInput, NotFound) as error:
        batch = UNKNOWN_SHAPE_BATCH if spec.micro_batch == "auto" else spec.micro_batch
        batch = min(batch, len(train.rows))
        report.warning(f"The memory cannot be predicted, so {batch} rows go into a step. {error}")
        return batch, spec.grad_checkpointing == "on", None
    memory = device_memory_gib(device)
    if train.rejected:
        shape, spec = as_one_row(shape, spec)
    estimate = estimate_run(
        shape,
        spec,
        token_counts=train.token_counts,
        learned_share=sum(row.trainable for row in (*train.rows, *train.rejected)) / max(1, sum(train.token_counts)),
        device=device,
        device_memory_gib=memory,
        calibration=calibration,
    )
    if estimate.fits is False:
        likely = estimate.memory_gib.likely or 0.0
        report.warning(f"This needs about {likely:.1f} GiB, and {device} has {memory:.1f}: it may run out of memory.")
    planned, layers = estimate.plan["micro_batch"], estimate.plan["recomputed_layers"]
    assert isinstance(planned, int) and isinstance(layers, int)
    selective = estimate.plan["checkpointing"] == "selective"
    return planned, bool(estimate.plan["grad_checkpointing"]), layers if selective else None
