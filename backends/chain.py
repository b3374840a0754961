"""Chains of jobs: prepare the base if needed, tune, judge. All is checked before anything is stored or started."""

from __future__ import annotations

from backends.engines import engine
from backends.launch import over_budget, submit
from core.base_models import locate
from core.errors import EngineError, ProblemsFound
from core.home import new_id
from core.jobspec import JobSpec
from core.plan import EvaluationPlan, Plan
from core.store import JobRecord, Store


def launch_tune(
    store: Store, plan: Plan, spec: JobSpec, evaluation_plan: EvaluationPlan | None = None
) -> list[JobRecord]:
    """Prepare (if the base is not here yet), train, and judge base, best prompt and tuned model on held-out rows.

    The evaluation plan is written into the plan before the first job starts.
    Raises `ProblemsFound` with everything that would stop any of the jobs; then nothing was started.
    """
    train = _with_data(spec.model_copy(update={"kind": "train"}), plan)
    return _launch(store, plan, [train, judge_spec(train)], evaluation_plan)


def launch_measure(
    store: Store, plan: Plan, spec: JobSpec, evaluation_plan: EvaluationPlan | None = None
) -> list[JobRecord]:
    """Measure the base and its best prompt on the held-out rows, without tuning."""
    judge = judge_spec(_with_data(spec, plan))
    models: list[str] = ["base", "best_prompt", "classic"]
    judge = judge.model_copy(update={"models": models, "name": _name(spec.name or plan.name, "measure")})
    return _launch(store, plan, [judge], evaluation_plan)


def launch_evaluation(store: Store, plan_id: str | None, train: JobRecord) -> JobRecord:
    """Judge the adapter of a train job that has none of its own evaluation yet."""
    spec = judge_spec(train.spec).model_copy(update={"job": train.id, "group": train.spec.group})
    problems = [problem for problem in engine(spec.engine).check(spec) if problem.severity == "error"]
    if problems:
        raise ProblemsFound(problems)
    return submit(store, store.add_job(spec, plan_id=plan_id))


def judge_spec(train: JobSpec) -> JobSpec:
    """The evaluation that belongs to a training: same base, data, seed and device."""
    return train.model_copy(
        update={"kind": "evaluate", "name": _name(train.name, "judge"), "after": [], "job": None, "resume_of": None}
    )


def _with_data(spec: JobSpec, plan: Plan) -> JobSpec:
    if plan.data is None or spec.dataset is not None:
        return spec
    return spec.model_copy(
        update={"dataset": plan.data.train, "validation": plan.data.validation, "test": plan.data.test}
    )


def _launch(store: Store, plan: Plan, specs: list[JobSpec], evaluation_plan: EvaluationPlan | None) -> list[JobRecord]:
    specs = [*_prepare_first(specs[0]), *specs]
    host = engine(specs[0].engine)
    problems = [problem for spec in specs for problem in host.check(spec) if problem.severity == "error"]
    if problems:
        raise ProblemsFound(list({str(problem): problem for problem in problems}.values()))
    predicted = [host.estimate(spec) for spec in specs]
    if problems := [found for spec, each in zip(specs, predicted, strict=True) for found in over_budget(spec, each)]:
        raise ProblemsFound(problems)
    if evaluation_plan is not None:
        store.update_plan(plan.id, evaluation_plan=evaluation_plan)
    group = new_id("group")
    records: list[JobRecord] = []
    for bare, estimate in zip(specs, predicted, strict=True):
        before = records[-1] if records else None
        updates: dict[str, object] = {"group": group, "after": [before.id] if before else []}
        if bare.kind == "evaluate" and before is not None and before.kind == "train":
            updates["job"] = before.id
        spec = bare.model_copy(update=updates)
        records.append(store.add_job(spec, plan_id=plan.id, predicted=estimate))
    # All intents are stored before the first one starts: a crash between two leaves nothing unknown.
    started: list[JobRecord] = []
    for record in records:
        try:
            started.append(submit(store, record))
        except EngineError:
            for earlier in started:
                if earlier.ref is not None:
                    host.cancel(earlier.ref)
            raise
    return started


def _prepare_first(spec: JobSpec) -> list[JobSpec]:
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
