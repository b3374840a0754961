"""What came of a comparison of methods: one row a method, and what can be told of the best."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from backends.comparison import ComparisonJobs, MethodJobs
from backends.engines import engine
from backends.launch import state_of
from core.adapter_files import files_of
from core.base_models import locate
from core.errors import BadInput, NotFound, TuneworthyError
from core.job import JobState, Result, StateName
from core.run_folder import RunFolder
from core.store import JobRecord, Store
from cost_models.shapes import shape_of
from evaluation.clustered import holm
from evaluation.kept import Kept
from evaluation.report import EvaluationReport, read_report
from evaluation.same_rows import scores_on_same_rows
from evaluation.stats import SIGNIFICANT, Interval, compare
from training.methods.variants import VARIANTS

LIMITS = (
    "Each method was trained once, at its usual settings: another seed, rate or number of passes may change the order.",
    "The best of several looks a little better than it is, because luck helps the one that is chosen.",
    "Validation loss compares methods on the same rows; what counts is the task.",
)


class MethodRow(BaseModel):
    """One method: what it took and what it is worth. None where it was not measured."""

    model_config = ConfigDict(extra="forbid")
    method: str
    words: str
    state: StateName | Literal["left_out"]
    reason: str = ""
    """Why it has no score: its training or judgement failed, or it cannot be trained here."""
    rate: float | None = None
    """Peak learning rate."""
    trained: int | None = None
    """Numbers that were trained."""
    share: float | None = None
    """Of all numbers of the base."""
    memory_gib: float | None = None
    """Peak of the training."""
    seconds: float | None = None
    """Of the training."""
    megabytes: float | None = None
    """Size of the weights that it leaves, in MB of 1,000,000 bytes."""
    validation_loss: float | None = None
    """Mean over the learned tokens of the validation rows, in nats: the lowest of the training."""
    task: Interval | None = None
    knowledge: Kept | None = None
    """General knowledge against the base; None where it was not asked."""


class Comparison(BaseModel):
    """The table of a comparison, as far as it has come."""

    model_config = ConfigDict(extra="forbid")
    group: str
    name: str
    base_model: str
    rows: dict[str, int]
    judged_rows: int | None = None
    metric_words: str = ""
    base: Interval | None = None
    """The base without a tune, on the same rows."""
    methods: list[MethodRow]
    done: bool
    words: str
    limits: list[str] = list(LIMITS)


def compared(store: Store, jobs: ComparisonJobs) -> Comparison:
    """The comparison as it stands. Raises `BadInput` for judgements that cannot be compared."""
    whole = _weights_of_base(jobs)
    rows = [_row(store, each, whole) for each in jobs.methods]
    reports = {each.method: report for each in jobs.methods if (report := _report(each.judge)) is not None}
    for row in rows:
        if (report := reports.get(row.method)) is not None:
            row.task = report.models["tuned"]["task"]
            axis = report.axes.get("knowledge")
            row.knowledge = axis.kept if axis else None
    left = [
        MethodRow(method=name, words=VARIANTS[name].words, state="left_out", reason=why)
        for name, why in jobs.left_out.items()
    ]
    of_base = next(iter(reports.values()), None) or _report(jobs.baseline)
    done = all(row.state in ("succeeded", "failed", "cancelled") for row in rows)
    return Comparison(
        group=jobs.group,
        name=jobs.name,
        base_model=jobs.base_model,
        rows=jobs.rows,
        judged_rows=of_base.rows if of_base else None,
        metric_words=of_base.metric_words if of_base else "",
        base=of_base.models["base"]["task"] if of_base and "base" in of_base.models else None,
        methods=[*rows, *left],
        done=done,
        words=best_in_words(reports, jobs.seed) if done else "Not all methods are judged yet.",
    )


def best_in_words(reports: dict[str, EvaluationReport], seed: int = 0) -> str:
    """Who scores highest on the same rows, and who cannot be told from it (Holm over the pairs with the best).

    Raises `BadInput` where the reports cannot be compared.
    """
    names = list(reports)
    scores = scores_on_same_rows([reports[name] for name in names]) if reports else None
    if scores is None or len(names) < 2:
        return "There are no two methods to compare."
    by_name = dict(zip(names, scores, strict=True))
    means = {name: sum(values) / len(values) for name, values in by_name.items()}
    best = max(means, key=lambda name: means[name])
    others = [name for name in names if name != best]
    pairs = [compare(best, by_name[best], name, by_name[name], seed) for name in others]
    sure = dict(zip(others, (p < SIGNIFICANT for p in holm([pair.p_value for pair in pairs])), strict=True))
    told = f"Highest score: {VARIANTS[best].words}, {means[best]:.3f} on {len(scores[0]):,} rows."
    alike, worse = ([name for name in others if sure[name] is wanted] for wanted in (False, True))
    if worse:
        told += f" Worse beyond luck: {_listed(worse)}."
    if alike:
        told += f" Cannot be told from it on these rows: {_listed(alike)}. Of these take the one that costs least."
    return told


def _row(store: Store, jobs: MethodJobs, whole: int | None) -> MethodRow:
    variant = VARIANTS[jobs.method]
    row = MethodRow(method=jobs.method, words=variant.words, state="queued")
    try:
        train, judge = store.job(jobs.train), store.job(jobs.judge)
        trained, judged = state_of(train), state_of(judge)
    except NotFound:
        return row.model_copy(update={"state": "failed", "reason": "It was deleted."})
    row.rate = train.spec.learning_rate
    row.state, row.reason = _state(trained, judged)
    if trained.state == "succeeded" and (result := _result(train)) is not None:
        count = result.metrics.get("weights_trained")
        row.trained = int(count) if count is not None else None
        row.share = count / whole if count is not None and whole else None
        row.memory_gib, row.seconds = result.measured.memory_gib, result.measured.seconds
        row.validation_loss = result.metrics.get("validation_loss")
        with suppress(OSError, TuneworthyError):
            row.megabytes = files_of(Path(result.adapter))[1].stat().st_size / 1e6 if result.adapter else None
    return row


def _state(trained: JobState, judged: JobState) -> tuple[StateName, str]:
    """Of a method: that of its training until that has succeeded, then that of its judgement."""
    if trained.state in ("failed", "cancelled"):
        return trained.state, trained.reason or f"Its training was {trained.state}."
    if trained.state == "succeeded":
        # A judge that waits has begun, seen from the method.
        state: StateName = "running" if judged.state == "queued" else judged.state
        return state, judged.reason if judged.state in ("failed", "cancelled") else ""
    return trained.state, ""


def _result(record: JobRecord) -> Result | None:
    if record.ref is None:
        return None
    try:
        return engine(record.engine).result(record.ref)
    except TuneworthyError:
        return None


def _report(job_id: str) -> EvaluationReport | None:
    try:
        return read_report(RunFolder.of(job_id).evaluation_file)
    except (NotFound, BadInput):
        return None


def _weights_of_base(jobs: ComparisonJobs) -> int | None:
    try:
        return shape_of(jobs.base_model, locate(jobs.base_model).path).total_params
    except TuneworthyError:
        return None


def _listed(names: list[str]) -> str:
    return ", ".join(VARIANTS[name].words for name in names)
