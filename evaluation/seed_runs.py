"""The other seeds of a training: which jobs may stand beside it, and their answers to the rows of the judgement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from core.errors import BadInput, Problem, ProblemsFound, Refused, TuneworthyError
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from evaluation.answering import Answerer
from evaluation.cache import weights_key
from evaluation.judged_model import ADAPTER, find_adapter

MAY_DIFFER = frozenset(
    {
        *("seed", "name", "after", "group", "report_to", "resume_of", "test", "shifted", "sqlite", "json_schema"),
        *("axes", "look", "stakes", "domain", "metric", "task_kind", "latency_ms", "judge", "harm_judge", "margins"),
        *("n", "max_new_tokens", "general_set", "models", "few_shot", "seed_jobs"),
    }
)
"""Fields of the spec that say nothing of what was learned, and the seed itself."""


@runtime_checkable
class Swaps(Protocol):
    """A model in memory that can put another adapter in the place of one."""

    def swap_adapter(self, name: str, folder: Path) -> None:
        """Raises `NotFound` or `BadInput`."""
        ...


@dataclass(frozen=True)
class SeedRun:
    """One training of the recipe."""

    job: str
    seed: int
    adapter: Path


def seed_runs(spec: JobSpec) -> list[SeedRun]:
    """The trainings that `seed_jobs` names, the judged one first; empty where none is named.

    Raises `ProblemsFound` with all that stands against them, `NotFound` where the judged training is not here, and
    `BadInput` where it is not of a language model.
    """
    if not spec.seed_jobs or not spec.job:
        return []
    judged = RunFolder.of(spec.job).spec()
    if judged.learner != "llm":
        raise BadInput("seeds of a small classifier cannot be compared yet.", "Leave `seed_jobs` out.")
    found = [SeedRun(spec.job, judged.seed, find_adapter(spec))]
    problems: list[Problem] = []
    for job in spec.seed_jobs:
        try:
            other = RunFolder.of(job).spec()
            adapter = find_adapter(spec.model_copy(update={"job": job, "adapter": None}))
        except TuneworthyError as error:
            problems.append(Problem(what=error.message, where="seed_jobs", hint=error.hint))
            continue
        if apart := differences(judged, other):
            what = f"{job} differs from {spec.job} in {', '.join(apart)}."
            problems.append(Problem(what=what, where="seed_jobs", hint="Only the seed may differ. Leave it out."))
        elif other.seed in {run.seed for run in found}:
            what = f"{job} has the seed {other.seed}, as another one has."
            problems.append(Problem(what=what, where="seed_jobs", hint="Train it with another seed."))
        else:
            found.append(SeedRun(job, other.seed, adapter))
    if problems:
        raise ProblemsFound(problems)
    return found


def differences(one: JobSpec, other: JobSpec) -> list[str]:
    """Fields in which two trainings differ, seed and names left aside."""
    first, second = one.model_dump(), other.model_dump()
    return [field for field in first if field not in MAY_DIFFER and first[field] != second[field]]


def ask_seeds(
    runs: Sequence[SeedRun], answerer: Answerer, prompts: list[list[int]]
) -> dict[tuple[str, int], list[str]]:
    """`{(job, seed): answers}` of all trainings but the first, which is loaded and was asked already.

    One adapter is in memory at a time, and the last one stays. Raises `Stopped`, and `Refused` where the model cannot
    swap adapters.
    """
    model = answerer.model
    if not isinstance(model, Swaps):
        raise Refused("this model cannot change its adapter.", "Leave `seed_jobs` out.")
    found: dict[tuple[str, int], list[str]] = {}
    for run in runs[1:]:
        answerer.progress.stage(f"asking the tune of seed {run.seed}")
        before = weights_key(run.adapter)
        model.swap_adapter(ADAPTER, run.adapter)
        if weights_key(run.adapter) != before:
            raise Refused("the adapter was written over while it was loaded.", "Judge it when its training has ended.")
        other = answerer.with_adapter(ADAPTER, run.adapter, before)
        found[run.job, run.seed] = [answer.text for answer in other.answers(prompts, tuned=True)]
    return found
