"""Supervised fine-tuning: LoRA by PEFT, trained by TRL's SFTTrainer, on the ids and labels of our own renderer.

In the run folder it leaves `checkpoints/` while it works, and `adapter/` and `lineage.json` at its end. With validation
rows the adapter is the one with the lowest validation loss, whether or not it stopped early.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import BadInput, ProblemsFound, TuneworthyError
from core.job import Result
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from dataset.render import Renderer
from training.adapter import BestAdapter, save_adapter
from training.calibration_file import calibration_of
from training.cap import Cap
from training.checkpoints import PREFIX, is_whole, keep_only_last, remove_unsealed, step_of
from training.disk import disk_full_explained, require_free_bytes
from training.lineage import base_name, make_lineage, notes_of, write_lineage
from training.measure import working_seconds
from training.mix import mix_words, mixed_into
from training.mix_prompts import mixes
from training.origin import origin_of
from training.out_of_memory import (
    TryAgain,
    allow_another_try,
    explained,
    is_out_of_memory,
    keep_plan,
    smaller_of,
    try_again_words,
)
from training.pairs import load_pairs
from training.plan import make_plan
from training.report import Report
from training.resuming import checkpoint_to_go_on_from, validation_is_missing
from training.rows import load_part, longest_row, refuse_changed
from training.run import Run, result_of
from training.specs import check_train_spec
from training.stop import MayEnd, Stop, Stopped
from training.together import any_of_us, leads
from training.trackers import set_up_trackers

if TYPE_CHECKING:
    from training.watcher import Watcher

CHECKPOINTS_KEPT = 2
"""The newest may be torn by a kill; then the one before it is taken."""


def run_train(  # the worker calls it with all that it has
    spec: JobSpec, folder: RunFolder, base: Path, report: Report, stop: Stop, abrupt: MayEnd
) -> Result:
    """Train what the spec says on the model in the folder `base`, from the last whole checkpoint if there is one.

    Raises `Stopped` (with what is kept) once a stop was asked and a checkpoint is saved, `BadInput` for rows or
    settings that cannot be trained, `Refused` for a changed training file or a checkpoint that is not of this run,
    `StoreError` for a full disk, `EngineError` when the loss is no longer a number or the memory did not suffice, and
    `TryAgain` where it may be tried once more with less.
    """
    run = None
    try:
        with disk_full_explained(folder.path):
            with abrupt.allowed():
                run = make_ready(spec, folder, base, report)
                trainer, watcher = build(run, report, stop)
            return _train(run, trainer, watcher, report, stop)
    except Exception as error:
        if leads():
            remove_unsealed(folder.checkpoints)  # on a full disk this makes room for the last word
        if run is None or isinstance(error, TuneworthyError) or not is_out_of_memory(error):
            raise
        smaller = allow_another_try(folder, spec)
        if smaller is None:
            raise explained(spec, run.plan, base, run.train) from error
        report.warning(try_again_words(smaller))
        raise TryAgain from error


def make_ready(spec: JobSpec, folder: RunFolder, base: Path, report: Report) -> Run:
    """Rows read and counted, the run cut, nothing heavy loaded. Raises as `run_train`."""
    if problems := check_train_spec(spec):
        raise ProblemsFound(problems)
    if spec.dataset is None:
        raise BadInput("no training rows are given.", "Set `dataset`.")
    report.stage("Reading the rows")
    renderer = Renderer.from_folder(base)
    max_tokens = longest_row(spec, base)
    load = load_pairs if spec.objective == "dpo" else load_part
    train = load(spec, spec.dataset, renderer, max_tokens)
    refuse_changed(spec, train)
    validation = load(spec, spec.validation, renderer, max_tokens) if spec.validation else None
    notes = train.notes("training rows", max_tokens)
    if mixes(spec):
        train = mixed_into(train, folder, renderer, max_tokens)
    if validation is not None:
        notes += validation.notes("validation rows", max_tokens)
    for note in notes:
        report.warning(note)
    if mixes(spec):
        notes.append(mix_words(train))
        report.log(notes[-1])
    smaller = smaller_of(folder)
    plan = make_plan(spec, base, train, report, smaller, calibration_of(folder))
    if smaller is not None:
        notes.append(try_again_words(smaller))
    report.log(
        f"{len(train.rows)} rows, {sum(train.token_counts)} tokens an epoch; {plan.total_steps} steps of "
        f"{plan.micro_batch} x {plan.grad_accumulation} rows on {plan.device} in {plan.precision}"
        f"{', recomputing activations' if plan.grad_checkpointing else ''}"
    )
    origin = origin_of(folder.job_id, spec, base, train, plan)
    resume_from = checkpoint_to_go_on_from(spec, folder, plan, origin, report)
    if leads():
        keep_plan(folder, plan)
    best = BestAdapter(folder.path, *base_name(spec, base))
    return Run(spec, folder, base, train, validation, plan, origin, best, resume_from, notes)


def build(run: Run, report: Report, stop: Stop) -> tuple[Any, Watcher]:
    """The trainer of a run, with the model in memory, and who watches it. Raises as `run_train`."""
    report.stage("Loading the model")
    if run.plan.device.startswith("cuda"):
        # The trainer takes all cards that it sees; the job has a place in the queue of one.
        first = int(run.plan.device.partition(":")[2])
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(str(first + place) for place in range(run.plan.n_gpus))
    from training.numbers import NumberWatch
    from training.trainer import build_trainer
    from training.watcher import Watcher

    numbers = NumberWatch(run.train, at_once=run.plan.on_cpu)
    watcher = Watcher(
        report,
        stop,
        run.best if run.validation else None,
        run.spec.early_stopping,
        origin=run.origin,
        numbers=numbers,
        cap=Cap(run.spec, working_seconds(run.folder.events(), datetime.now(UTC))),
        save_minutes=run.spec.save_minutes,
        seed=run.spec.seed,
    )
    trainer = build_trainer(
        run.spec,
        run.plan,
        run.base,
        run.train,
        run.validation,
        checkpoints=run.folder.checkpoints,
        checkpoints_kept=CHECKPOINTS_KEPT,
        trackers=set_up_trackers(run.spec, run.folder.path, report),
        watcher=watcher,
    )
    if trainer.stack_note:
        report.log(trainer.stack_note)
        run.notes.append(trainer.stack_note)
    numbers.attach(trainer)
    trained = sum(weight.numel() for weight in trainer.model.parameters() if weight.requires_grad)
    total = sum(weight.numel() for weight in trainer.model.parameters())
    report.log(f"{trained:,} of {total:,} weights are trained")
    # A checkpoint is the adapter and the optimizer's two moments, in float32; then the best adapter and the last one.
    require_free_bytes(run.folder.path, trained * 4 * (3 * (CHECKPOINTS_KEPT + 1) + 2), "TUNEWORTHY_HOME")
    return trainer, watcher


def _train(run: Run, trainer: Any, watcher: Watcher, report: Report, stop: Stop) -> Result:
    from training.watcher import StoppedBetween

    if run.resume_from is None:
        if leads():
            run.best.forget()
        report.stage("Training")
    else:
        report.stage(f"Training, from step {step_of(run.resume_from)} on")
        if run.validation and validation_is_missing(run.resume_from, run.plan.eval_steps):
            trainer.args.eval_on_start = True
    try:
        trainer.train(resume_from_checkpoint=str(run.resume_from) if run.resume_from else None)
        if run.validation and not any_of_us(stop()) and not _was_validated(trainer):
            trainer.evaluate()  # it was stopped in its last validation, and resumed
    except StoppedBetween:
        _save_last_step(run, trainer, watcher)
    if any_of_us(stop()):
        raise Stopped(result_of(run, trainer, watcher, step=None))
    report.stage("Saving the adapter")
    step = _keep_adapter(run, trainer) if leads() else trainer.state.global_step
    if watcher.stopped_early:
        run.notes.append(
            f"Stopped early at step {trainer.state.global_step}: {run.spec.early_stopping} validations without a gain."
        )
    if watcher.cap_reached:
        done, planned = trainer.state.global_step, trainer.state.max_steps
        run.notes.append(f"Stopped at step {done} of {planned}: {watcher.cap_reached}. What was learned is kept.")
        report.warning(run.notes[-1])
    if leads():
        lineage = make_lineage(
            run.spec, run.base, run.train, run.validation, run.plan, step=step, adapter=run.folder.adapter
        )
        run.notes.extend(notes_of(lineage))
        write_lineage(lineage, run.folder.path, run.folder.adapter)
        keep_only_last(run.folder.checkpoints)
    return result_of(run, trainer, watcher, step=step)


def _save_last_step(run: Run, trainer: Any, watcher: Watcher) -> None:
    """Save the weights of the last whole step, unless they are saved, or there is none yet."""
    step = trainer.state.global_step
    if step and any_of_us(not is_whole(run.folder.checkpoints / f"{PREFIX}{step}")):
        trainer._save_checkpoint(trainer.model, None)
        watcher.on_save(trainer.args, trainer.state, trainer.control)


def _was_validated(trainer: Any) -> bool:
    """Do the present weights have a validation loss?"""
    state = trainer.state
    return any("eval_loss" in entry and entry["step"] == state.global_step for entry in state.log_history)


def _keep_adapter(run: Run, trainer: Any) -> int:
    """Leave the adapter in the run folder; returns the step that it is of."""
    score = run.best.score() if run.validation else None
    if score is None:
        save_adapter(trainer.model, run.folder.adapter, *base_name(run.spec, run.base))
        return int(trainer.state.global_step)
    run.best.move_to(run.folder.adapter)
    run.notes.append(f"The adapter is that of step {score.step}, with validation loss {score.validation_loss:.4f}.")
    return score.step
