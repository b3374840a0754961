"""A training made ready, and what came of it: steps, losses, what was measured, and what a person should know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.job import Measured, Result
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from training.adapter import BestAdapter
from training.cap import spent_usd
from training.measure import peak_memory_gib, working_seconds
from training.origin import Origin
from training.plan import TrainingPlan
from training.rows import Part

if TYPE_CHECKING:
    from training.watcher import Watcher


@dataclass(frozen=True)
class Run:
    """One training, made ready: nothing heavy is loaded yet."""

    spec: JobSpec
    folder: RunFolder
    base: Path
    train: Part
    validation: Part | None
    plan: TrainingPlan
    origin: Origin
    best: BestAdapter
    resume_from: Path | None
    notes: list[str]


def result_of(run: Run, trainer: Any, watcher: Watcher, *, step: int | None) -> Result:
    """What came of it; `step` is that of the adapter, None where none was left."""
    state = trainer.state
    losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
    validations = [entry["eval_loss"] for entry in state.log_history if "eval_loss" in entry]
    last_epoch = losses[-max(1, run.plan.steps_per_epoch // run.plan.log_steps) :]
    metrics = {
        "steps": float(state.global_step),
        "epochs": round(float(state.epoch or 0.0), 3),
        "rows": float(run.train.own_rows),
        **({"rows_mixed": float(sum(run.train.mixed.values()))} if run.train.mixed else {}),
        "rows_cut": float(run.train.cut),
        "rows_left_out": float(run.train.left_out),
    }
    learned = [weight.numel() for weight in trainer.model.parameters() if weight.requires_grad]
    metrics["weights_trained"] = float(sum(learned))
    if losses:
        metrics["train_loss"] = sum(last_epoch) / len(last_epoch)
        metrics["first_loss"] = losses[0]
    if validations:
        metrics["validation_loss"] = min(validations)
    for name in ("margins", "accuracies"):
        told = [entry[f"eval_rewards/{name}"] for entry in state.log_history if f"eval_rewards/{name}" in entry]
        if told:
            metrics[{"margins": "validation_reward_margin", "accuracies": "validation_pair_accuracy"}[name]] = told[-1]
    if step is not None:
        metrics["adapter_step"] = float(step)
    if watcher.cap_reached:
        metrics["stopped_by_budget"] = 1.0
    seconds = working_seconds(run.folder.events(), datetime.now(UTC))
    usd = spent_usd(run.spec, seconds)
    return Result(
        adapter=str(run.folder.adapter) if step is not None else None,
        metrics=metrics,
        measured=Measured(
            memory_gib=round(peak_memory_gib(run.plan.device), 3),
            seconds=round(seconds, 1),
            usd=round(usd, 4) if usd is not None else None,
            tokens_per_second=round(watcher.tokens / watcher.step_seconds, 1) if watcher.step_seconds else None,
        ),
        notes=run.notes if step is not None else [*run.notes, f"Its last checkpoint is of step {state.global_step}."],
    )
