"""Out of memory: known by its many names, explained with the next smaller plan, and tried once more where allowed."""

from __future__ import annotations

import signal
from pathlib import Path

from pydantic import ValidationError

from core.errors import BadInput, EngineError, NotFound
from core.jobspec import JobSpec
from core.machine import device_memory_gib
from core.run_folder import RunFolder, write_atomically
from cost_models.run_estimate import estimate_run
from cost_models.shapes import shape_of
from training.methods import METHODS
from training.plan import TrainingPlan
from training.rows import Part

PLAN = "plan.json"
"""In the run folder: how the run is cut."""
SMALLER = "smaller.json"
"""In the run folder, once it ran out of memory and was allowed one more try: how that one is cut."""


class TryAgain(Exception):
    """Raised to be started again, in a process of its own, with the smaller plan that lies in the run folder."""


def is_out_of_memory(error: BaseException) -> bool:
    """Torch, CUDA, the allocator of a processor and Python each say it in their own words."""
    text = str(error).lower()
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "out of memory" in text
        or "can't allocate memory" in text
        or "not enough memory" in text
    )


def smaller_plan(plan: TrainingPlan, *, may_checkpoint: bool = True) -> TrainingPlan | None:
    """The next smaller one with as many rows a step: fewer at a time; at one row, activations computed anew.

    None where neither is left, or the method does not allow the latter.
    """
    rows = plan.micro_batch
    if rows > 1:
        # The largest that divides it, so that each step has the same rows as before.
        fewer = next(size for size in range(rows // 2, 0, -1) if rows % size == 0)
        cut = {"micro_batch": fewer, "grad_accumulation": plan.grad_accumulation * (rows // fewer)}
        return plan.model_copy(update=cut)
    if plan.recomputed_layers is not None:
        return plan.model_copy(update={"recomputed_layers": None})  # of all layers, then
    if plan.grad_checkpointing or not may_checkpoint:
        return None
    return plan.model_copy(update={"grad_checkpointing": True})


def explained(spec: JobSpec, plan: TrainingPlan, base: Path, train: Part) -> EngineError:
    """The error to show: how the run was cut, what the next smaller cut needs, and which knobs are left."""
    needed = _likely_gib(spec, plan, base, train)
    message = f"Out of memory with {_words(plan)}{f' (about {needed:.1f} GiB were expected)' if needed else ''}."
    smaller = _smaller(plan, spec)
    if smaller is None:
        return EngineError(message, f"Set a smaller `max_tokens` (now {spec.max_tokens}){_fewer_bits(spec)}.")
    fewer = _likely_gib(spec, smaller, base, train)
    hint = (
        f"Next smaller: `micro_batch: {smaller.micro_batch}`, `grad_accumulation: {smaller.grad_accumulation}`, "
        f"`grad_checkpointing: {'on' if smaller.grad_checkpointing else 'off'}`"
        f"{f', about {fewer:.1f} GiB' if fewer else ''}. `retry_smaller: true` does that by itself. "
        f"A smaller `max_tokens`{_fewer_bits(spec)} helps too."
    )
    return EngineError(message, hint)


def keep_plan(folder: RunFolder, plan: TrainingPlan) -> None:
    """Note how the run is cut, for whoever has to explain its death."""
    write_atomically(folder.path / PLAN, plan.model_dump_json(indent=2))


def smaller_of(folder: RunFolder) -> TrainingPlan | None:
    """The smaller plan that an earlier try of this job left."""
    return _read(folder.path / SMALLER)


def allow_another_try(folder: RunFolder, spec: JobSpec) -> TrainingPlan | None:
    """Leave the next smaller plan in the folder and return it; None where none is allowed, or one was had already."""
    if not spec.retry_smaller or (folder.path / SMALLER).exists():
        return None
    plan = _read(folder.path / PLAN)
    smaller = _smaller(plan, spec) if plan is not None else None
    if smaller is not None:
        write_atomically(folder.path / SMALLER, smaller.model_dump_json(indent=2))
    return smaller


def try_again_words(smaller: TrainingPlan) -> str:
    """What the log and the page say of it."""
    return f"Out of memory. It is tried once more, with {_words(smaller)}; a step has as many rows as before."


def explained_death(rank: int, count: int, code: int) -> tuple[str, str]:
    """(message, hint) for one of several processes that died without a word."""
    how = f"killed by signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"ended with exit code {code}"
    hint = "Resume it." if code in (-signal.SIGKILL, -signal.SIGTERM) else "See its log in the folder `ranks`."
    return f"Process {rank + 1} of {count} was {how}." if code < 0 else f"Process {rank + 1} of {count} {how}.", hint


def _smaller(plan: TrainingPlan, spec: JobSpec) -> TrainingPlan | None:
    return smaller_plan(plan, may_checkpoint=METHODS[spec.method.kind].may_checkpoint())


def _read(file: Path) -> TrainingPlan | None:
    try:
        return TrainingPlan.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None


def _words(plan: TrainingPlan) -> str:
    rows = f"{plan.micro_batch} row{'s' if plan.micro_batch > 1 else ''} at a time"
    return f"{rows}, {plan.grad_accumulation} times a step{', recomputing' if plan.grad_checkpointing else ''}"


def _fewer_bits(spec: JobSpec) -> str:
    return " or `method.bits: '4'`" if spec.method.bits == "16" and spec.method.kind != "full" else ""


def _likely_gib(spec: JobSpec, plan: TrainingPlan, base: Path, train: Part) -> float | None:
    asked = {"micro_batch": plan.micro_batch, "grad_checkpointing": "on" if plan.grad_checkpointing else "off"}
    try:
        found = estimate_run(
            shape_of(spec.base_model, base),
            spec.model_copy(update=asked),
            token_counts=train.token_counts,
            device=plan.device,
            device_memory_gib=device_memory_gib(plan.device),
        )
    except (BadInput, NotFound):
        return None
    return found.memory_gib.likely
