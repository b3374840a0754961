"""Chains of jobs: prepare the base if needed, ask it first, tune, judge. All is checked before anything is started."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from backends.engines import engine
from backends.launch import over_budget, submit, with_data_hash
from core.base_models import locate
from core.errors import EngineError, ProblemsFound
from core.estimate import Estimate, RunEstimate
from core.home import new_id
from core.jobspec import JobSpec
from core.plan import EvaluationPlan, Plan
from core.store import JobRecord, Store

BEFORE_A_TUNE: tuple[Literal["base", "best_prompt", "classic"], ...] = ("base", "best_prompt", "classic")


def launch_tune(
    store: Store, plan: Plan, spec: JobSpec, evaluation_plan: EvaluationPlan | None = None
) -> list[JobRecord]:
    """Prepare (if the base is not here yet), ask base and best prompt, train, and judge all on the same held-out rows.

    The evaluation plan is written into the plan before the first job starts.
    Raises `ProblemsFound` with everything that would stop any of the jobs; then nothing was started.
    """
    return _launch(store, plan, tune_specs(_with_data(spec, plan)), evaluation_plan)


def launch_measure(
    store: Store, plan: Plan, spec: JobSpec, evaluation_plan: EvaluationPlan | None = None
) -> list[JobRecord]:
    """Measure the ways to ask the base on the held-out rows, a tournament of prompts, without tuning."""
    named = spec.model_copy(update={"name": spec.name or plan.name})
    return _launch(store, plan, measure_specs(_with_data(named, plan)), evaluation_plan)


def launch_evaluation(store: Store, train: JobRecord, evaluation_plan: EvaluationPlan | None = None) -> JobRecord:
    """Judge the adapter of a train job that has none of its own evaluation yet.

    The evaluation plan is written into the training's plan, where it has one, before the job starts.
    Raises `ProblemsFound`; then nothing was started.
    """
    spec = judge_spec(train.spec).model_copy(update={"job": train.id, "group": train.spec.group})
    (predicted,) = needs([spec])
    record = store.add_job(with_data_hash(spec), plan_id=train.plan_id, predicted=predicted)
    _write_down(store, record, evaluation_plan)
    return submit(store, record)


def tune_specs(spec: JobSpec) -> list[JobSpec]:
    """The jobs of a tune, without the preparation of the base: baseline, training, judgement.

    A managed host only trains: what it made is asked by its address, in a tournament.
    """
    train = spec.model_copy(update={"kind": "train"})
    if spec.engine == "openai":
        return [train]
    return [*baseline(train), train, judge_spec(train)]


def measure_specs(spec: JobSpec) -> list[JobSpec]:
    """The tournament of prompts that measures without a tune, without the preparation of the base."""
    return [judge_spec(spec).model_copy(update={"kind": "tournament", "name": _name(spec.name, "compare prompts")})]


def judge_spec(train: JobSpec) -> JobSpec:
    """The evaluation that belongs to a training: same base, data, seed and device."""
    return train.model_copy(
        update={"kind": "evaluate", "name": _name(train.name, "judge"), "after": [], "job": None, "resume_of": None}
    )


def baseline(train: JobSpec) -> list[JobSpec]:
    """The judgement of everything but the tune, before it; none where the tuned model alone is to be judged.

    It asks what the judge will ask, so that the judge finds those answers in the cache. Single answers are timed by
    the judge alone: times are compared within one job.
    """
    models = [name for name in train.models or BEFORE_A_TUNE if name != "tuned"]
    if not models:
        return []
    updates: dict[str, object] = {"models": models, "adapter": None, "seed_jobs": [], "latency_ms": None}
    return [judge_spec(train).model_copy(update=updates | {"name": _name(train.name, "baseline")})]


def is_baseline(spec: JobSpec) -> bool:
    """Is it an evaluation of what there is without a tune?"""
    return spec.kind == "evaluate" and spec.models is not None and "tuned" not in spec.models


def estimate_chain(specs: list[JobSpec]) -> RunEstimate:
    """What jobs that run one after the other will need: the most memory of any, the time and dollars of all.

    What is unknown of one is unknown of all. Raises what an engine's own estimate raises.
    """
    return together(estimates(specs))


def estimates(specs: list[JobSpec]) -> list[RunEstimate]:
    """What each job of a chain will need. Raises what an engine's own estimate raises."""
    return [engine(spec.engine).estimate(spec) for spec in _still_to_answer(specs)]


def _still_to_answer(specs: list[JobSpec]) -> list[JobSpec]:
    """The specs as far as they take time: a judge behind a baseline has the tuned model alone to ask."""
    found: list[JobSpec] = []
    for spec in specs:
        after_baseline = spec.kind == "evaluate" and any(is_baseline(each) for each in found)
        found.append(spec.model_copy(update={"models": ["tuned"]}) if after_baseline else spec)
    return found


def together(each: list[RunEstimate]) -> RunEstimate:
    """Of jobs that run one after the other: the most memory of any, the time and dollars of all."""
    largest = max(each, key=lambda one: one.memory_gib.likely or 0.0)
    unknown = next((one for one in each if not one.memory_gib.known), largest)
    fits = [one.fits for one in each]
    return largest.model_copy(
        update={
            "memory_gib": unknown.memory_gib,
            "seconds": _sum([one.seconds for one in each]),
            "usd": _sum([one.usd for one in each]),
            "fits": False if False in fits else None if None in fits else True,
        }
    )


def _sum(estimates: list[Estimate]) -> Estimate:
    """Lows to lows and highs to highs: the bounds of one day, good or bad for all of them."""
    because = list(dict.fromkeys(text for one in estimates for text in one.because))
    unit = estimates[0].unit
    parts = [(one.low, one.likely, one.high) for one in estimates]
    low, likely, high = (_total(column) for column in zip(*parts, strict=True))
    return Estimate(low=low, likely=likely, high=high, unit=unit, because=because)


def _total(values: tuple[float | None, ...]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known), 4) if len(known) == len(values) else None


def _with_data(spec: JobSpec, plan: Plan) -> JobSpec:
    if plan.data is None or spec.dataset is not None:
        return spec
    return spec.model_copy(
        update={"dataset": plan.data.train, "validation": plan.data.validation, "test": plan.data.test}
    )


def _launch(store: Store, plan: Plan, specs: list[JobSpec], evaluation_plan: EvaluationPlan | None) -> list[JobRecord]:
    specs = [with_data_hash(spec) for spec in [*preparation(specs[0]), *specs]]
    records = store_chain(store, specs, needs(specs), group=new_id("group"), plan_id=plan.id)
    _write_down(store, records[-1], evaluation_plan)
    return submit_chain(store, records)


def store_chain(
    store: Store,
    specs: list[JobSpec],
    predicted: list[RunEstimate],
    *,
    group: str,
    plan_id: str | None,
    apart: bool = False,
) -> list[JobRecord]:
    """Keep jobs that run one after the other, each judgement with the training before it.

    `apart`: a training waits for what stands before the first of them alone, so that one that fails stops no other.
    All intents are stored before the first one starts: a crash between two leaves nothing unknown.
    """
    records: list[JobRecord] = []
    first = next((place for place, spec in enumerate(specs) if spec.kind == "train"), 0)
    for bare, estimate in zip(specs, predicted, strict=True):
        earlier = records[:first] if apart and bare.kind == "train" else records
        before = earlier[-1] if earlier else None
        updates: dict[str, object] = {"group": group, "after": [before.id] if before else []}
        if bare.kind == "evaluate" and before is not None and before.kind == "train":
            updates["job"] = before.id
        records.append(store.add_job(bare.model_copy(update=updates), plan_id=plan_id, predicted=estimate))
    return records


def submit_chain(store: Store, records: Sequence[JobRecord]) -> list[JobRecord]:
    """Start stored jobs in their order. Where one cannot start, those before it are cancelled: raises `EngineError`."""
    started: list[JobRecord] = []
    for record in records:
        try:
            started.append(submit(store, record))
        except EngineError:
            for earlier in started:
                if earlier.ref is not None:
                    engine(earlier.engine).cancel(earlier.ref)
            raise
    return started


def needs(specs: list[JobSpec]) -> list[RunEstimate]:
    """What each will need. Raises `ProblemsFound` with everything that would stop any of them."""
    host = engine(specs[0].engine)
    problems = [problem for spec in specs for problem in host.check(spec) if problem.severity == "error"]
    if problems:
        raise ProblemsFound(list({str(problem): problem for problem in problems}.values()))
    predicted = estimates(specs)
    if problems := [found for spec, each in zip(specs, predicted, strict=True) for found in over_budget(spec, each)]:
        raise ProblemsFound(problems)
    return predicted


def _write_down(store: Store, judge: JobRecord, evaluation_plan: EvaluationPlan | None) -> None:
    """Keep the measure of success with the job that it belongs to: another launch of the plan leaves it alone."""
    if evaluation_plan is None or judge.plan_id is None:
        return
    kept = store.plan(judge.plan_id).evaluation_plans
    store.update_plan(
        judge.plan_id, evaluation_plan=evaluation_plan, evaluation_plans=kept | {judge.id: evaluation_plan}
    )


def preparation(spec: JobSpec) -> list[JobSpec]:
    """The job that fetches the base of a spec; none where it is here, or none of our business."""
    if spec.engine != "local" or locate(spec.base_model, spec.base_revision).ready:
        return []
    return [
        JobSpec(
            kind="prepare",
            name=_name(spec.name, "prepare the base"),
            engine=spec.engine,
            base_model=spec.base_model,
            base_revision=spec.base_revision,
            device=spec.device,
            allow_network=spec.allow_network,
        )
    ]


def _name(name: str, what: str) -> str:
    return f"{name[:90]}: {what}" if name else what
