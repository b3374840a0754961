"""From where a training goes on: its own last whole checkpoint, or that of the job that it names.

Only a checkpoint that we wrote, for the same rows, base and settings is gone on from; else the reason is said.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from pydantic import ValidationError

from core.errors import BadInput, NotFound, Refused
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from training.checkpoints import FORMAT, last_whole, read_seal, step_of
from training.origin import Origin, differences
from training.plan import TrainingPlan
from training.report import Report

STATE = "trainer_state.json"


def checkpoint_to_go_on_from(
    spec: JobSpec, folder: RunFolder, plan: TrainingPlan, origin: Origin, report: Report
) -> Path | None:
    """The checkpoint, or None for a fresh start. Torn ones are named and removed.

    Raises `Refused` for one that does not belong to what is asked now, `NotFound` where the job that is named has
    none, `BadInput` where it is already as far as this one would go.
    """
    found, torn = last_whole(folder.checkpoints)
    for checkpoint in torn:
        report.warning(f"{checkpoint.name} was not saved whole and is not used.")
        shutil.rmtree(checkpoint, ignore_errors=True)
    if found is not None:
        require_same(found, origin, folder.job_id)
        return found
    if not spec.resume_of:
        return None
    found, _ = last_whole(RunFolder.of(spec.resume_of).checkpoints)
    if found is None:
        raise NotFound(f"{spec.resume_of} has no checkpoint to go on from.", "Leave `resume_of` out.")
    require_same(found, origin, spec.resume_of)
    if step_of(found) >= plan.total_steps:
        raise BadInput(
            f"{spec.resume_of} is at step {step_of(found)} already, and this job has {plan.total_steps}.",
            "Ask for more `epochs`.",
        )
    return found


def require_same(checkpoint: Path, now: Origin, job_id: str) -> None:
    """Raise `Refused` unless the whole `checkpoint` in the folder of `job_id` is one of that job and fits `now`."""
    told = read_seal(checkpoint)
    if told.get("format") != FORMAT:
        raise Refused(
            f"{checkpoint.name} is in format {told.get('format', 1)}, and this release goes on from format {FORMAT}.",
            "Launch the job anew.",
        )
    try:
        then = Origin.model_validate(told.get("origin"))
    except ValidationError as error:
        raise Refused(f"{checkpoint.name} does not say whose it is.", "Launch the job anew.") from error
    # A training that goes on from another one keeps its checkpoints in a folder of its own, under its own name.
    if then.job != job_id:
        raise Refused(f"{checkpoint.name} is of the job {then.job}, not of {job_id}.", "Take it out of the folder.")
    if found := differences(then, now):
        raise Refused(
            f"{checkpoint.name} cannot be gone on from: {'; '.join(found)}.",
            "Put back what has changed, or launch a new job from the start.",
        )


def validation_is_missing(checkpoint: Path, eval_steps: int) -> bool:
    """Was the run stopped just where it would have validated? Then it validates first when it goes on."""
    step = step_of(checkpoint)
    try:
        history = json.loads((checkpoint / STATE).read_bytes())["log_history"]
    except (OSError, ValueError, KeyError):
        return False
    return step % eval_steps == 0 and not any("eval_loss" in each and each["step"] == step for each in history)
