"""A dry run: some steps of the longest rows by the run's own trainer, then save, load and answer once.

It leaves measurements and no adapter. Memory and tokens a second correct the estimate of the run that it stands for.
"""

from __future__ import annotations

import gc
import shutil
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.job import Measured, Result
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from cost_models.probe import MOST_TIMED_STEPS, longest_first
from training.adapter import save_adapter
from training.cap import spent_usd
from training.lineage import base_name
from training.measure import peak_memory_gib, working_seconds
from training.out_of_memory import explained, is_out_of_memory
from training.report import Report
from training.rows import Part
from training.run import Run
from training.sft import build, make_ready
from training.stop import MayEnd, Stop, Stopped

KEPT = "probe"
"""Folder of the adapter in the run folder, until it was loaded again."""
NEVER = 10**9
"""Steps between checkpoints: the one of a dry run is saved by hand, to be timed."""


@dataclass(frozen=True)
class Trained:
    """What the steps took, and what the trained model says to one prompt."""

    timed_steps: int
    timed_seconds: float
    start_seconds: float
    save_seconds: float
    memory_gib: float
    prompt: list[int]
    likeliest: list[int]
    """Its ten likeliest next tokens."""
    said: list[float]
    """Log-probability of each."""


def run_probe(spec: JobSpec, folder: RunFolder, base: Path, report: Report, stop: Stop, abrupt: MayEnd) -> Result:
    """Measure. Raises as a training does: `BadInput`, `EngineError` where memory does not suffice, `Stopped`."""
    run = None
    shutil.rmtree(folder.checkpoints, ignore_errors=True)  # of a try before this one
    try:
        with abrupt.allowed():
            run = of_longest_rows(make_ready(alone(spec), folder, base, report))
        trained = _train(run, report, stop, abrupt)
    except Exception as error:
        if run is None or not is_out_of_memory(error):
            raise
        raise explained(spec, run.plan, base, run.train) from error
    gc.collect()  # the trainer and its model, before both are loaded again
    with abrupt.allowed():
        loaded, notes = _load_again(run, trained, report)
    shutil.rmtree(folder.path / KEPT, ignore_errors=True)
    shutil.rmtree(folder.checkpoints, ignore_errors=True)
    seconds = working_seconds(folder.events(), datetime.now(UTC))
    usd = spent_usd(spec, seconds)
    step_tokens = sum(run.train.token_counts)
    return Result(
        metrics={
            "steps": float(trained.timed_steps + 1),
            "step_seconds": trained.timed_seconds / trained.timed_steps,
            "rows": float(len(run.train.rows)),
            "longest_row_tokens": float(max(run.train.token_counts)),
            "start_seconds": trained.start_seconds,
            "save_seconds": trained.save_seconds,
            **loaded,
        },
        measured=Measured(
            memory_gib=round(trained.memory_gib, 3),
            seconds=round(seconds, 1),
            usd=round(usd, 4) if usd is not None else None,
            tokens_per_second=round(trained.timed_steps * step_tokens / trained.timed_seconds, 1),
        ),
        notes=[*run.notes, *notes],
    )


def alone(spec: JobSpec) -> JobSpec:
    """The same training without what only a whole one needs. The rate begins at its peak: the adapter must move."""
    without: dict[str, object] = {"mix_general": 0.0, "mix_safety": 0.0, "validation": None, "early_stopping": None}
    return spec.model_copy(update=without | {"resume_of": None, "report_to": [], "warmup_ratio": 0.0})


def of_longest_rows(run: Run) -> Run:
    """The run, cut as for all of its rows, with those of one step alone: its longest, again and again."""
    places = longest_first(run.train.token_counts, run.plan.step_rows)
    train: Part = replace(
        run.train,
        rows=[run.train.rows[place] for place in places],
        lines=[run.train.lines[place] for place in places],
        rejected=[run.train.rejected[place] for place in places] if run.train.rejected else [],
    )
    steps = MOST_TIMED_STEPS + 2  # never reached: the last step of a plan is saved by the library itself
    cut = {"steps_per_epoch": 1, "total_steps": steps, "save_steps": NEVER, "log_steps": 1}
    plan = run.plan.model_copy(update=cut)
    return replace(run, spec=run.spec.model_copy(update={"epochs": float(steps)}), train=train, plan=plan)


def _train(run: Run, report: Report, stop: Stop, abrupt: MayEnd) -> Trained:
    from training.probe_clock import ProbeClock
    from training.watcher import StoppedBetween

    with abrupt.allowed():
        trainer, watcher = build(run, report, stop)
    clock = ProbeClock(run.plan.on_cpu)
    trainer.add_callback(clock)
    start = working_seconds(run.folder.events(), datetime.now(UTC))
    report.stage("Steps of the longest rows")
    try:
        trainer.train()
    except StoppedBetween:
        raise Stopped(Result()) from None
    if stop():
        raise Stopped(Result())
    report.stage("Saving")
    began = time.monotonic()
    trainer._save_checkpoint(trainer.model, None)
    watcher.on_save(trainer.args, trainer.state, trainer.control)
    save_adapter(trainer.model, run.folder.path / KEPT, *base_name(run.spec, run.base))
    saved = time.monotonic() - began
    memory = peak_memory_gib(run.plan.device)
    prompt = prompt_of(run.train)
    likeliest, said = _says(trainer.model, prompt)
    return Trained(clock.steps, clock.seconds, start, saved, memory, prompt, likeliest, said)


def prompt_of(train: Part) -> list[int]:
    """The first row up to its answer."""
    row = train.rows[0]
    ends = next((place for place, label in enumerate(row.labels) if label >= 0), len(row.input_ids))
    return list(row.input_ids[: max(1, ends)])


def _says(model: Any, prompt: list[int]) -> tuple[list[int], list[float]]:
    """The ten likeliest next tokens, and the log-probability of each."""
    import torch

    model.eval()
    with torch.no_grad():
        ids = torch.tensor([prompt], device=next(model.parameters()).device)
        scores = torch.log_softmax(model(input_ids=ids, use_cache=False).logits[0, -1].float(), dim=-1)
    best = torch.topk(scores, min(10, scores.numel()))
    return [int(token) for token in best.indices], [float(value) for value in best.values]


def _load_again(run: Run, trained: Trained, report: Report) -> tuple[dict[str, float], list[str]]:
    """Load base and adapter anew, hold what it says against what was trained, and answer once."""
    from training.probe_reload import TOLERANCE, reloaded

    report.stage("Loading it again")
    began = time.monotonic()
    model = reloaded(run.spec, run.plan, run.base, run.folder.path / KEPT)
    load_seconds = time.monotonic() - began
    choices = [[token] for token in trained.likeliest]
    ((_, now),) = model.likelihoods([(trained.prompt, choices)], adapter=KEPT)
    ((_, bare),) = model.likelihoods([(trained.prompt, choices)], adapter=None)
    off = max(abs(one - other) for one, other in zip(now, trained.said, strict=True))
    moved = max(abs(one - other) for one, other in zip(bare, trained.said, strict=True))
    allowed = TOLERANCE["fp8" if run.spec.method.bits == "fp8" else run.plan.precision]
    equal = off <= allowed
    report.stage("Answering once")
    began = time.monotonic()
    (answer,) = model.generate([trained.prompt], adapter=KEPT, max_new_tokens=64)
    answer_seconds = time.monotonic() - began
    notes = [
        f"Saved in {trained.save_seconds:.1f} s, loaded again in {load_seconds:.1f} s; one answer of {answer.tokens} "
        f"tokens took {answer_seconds:.1f} s.",
        f"Reloaded, it says what it said when trained: log-probabilities differ by {off:.1g} at most.",
    ]
    if not equal:
        notes[1] = f"Reloaded, it does not say what it said when trained: log-probabilities differ by {off:.2g}."
        report.warning(notes[1])
    elif moved <= 2 * allowed:
        notes.append("The steps moved the answer too little to tell a lost adapter from a kept one.")
    found = {
        "load_seconds": load_seconds,
        "same_logits": float(equal),
        "logits_off": off,
        "logits_moved": moved,
        "answer_tokens": float(answer.tokens),
        "answer_seconds": answer_seconds,
    }
    return found, notes
