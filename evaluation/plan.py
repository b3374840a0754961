"""What will be measured, on which rows, and what would count as success: written down before the launch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from core.jobspec import JobSpec
from core.plan import EvaluationPlan
from evaluation.axes.question import AXIS_WORDS, Axis
from evaluation.classic import is_label_task
from evaluation.classifier_verdict import classifier_success
from evaluation.gate import bar, margin_of
from evaluation.metrics import METRICS, choose_metric
from evaluation.rungs import mostly_json
from evaluation.verdict import DEFAULT_MARGIN, MIN_ROWS


def plan_evaluation(
    train_answers: Sequence[str], test_answers: Sequence[str], spec: JobSpec, *, now: datetime, tuned: bool = True
) -> EvaluationPlan:
    """The plan of a judgement as `spec` asks for it, from the right answers of both files.

    `tuned` false plans a tournament of prompts.
    """
    chosen = choose_metric(spec.metric, test_answers or train_answers, spec.task_kind, database=spec.sqlite)
    rows = min(len(test_answers), spec.n) if spec.n else len(test_answers)
    labels = is_label_task(train_answers) and (spec.learner != "classic" or not tuned)
    models = ["base", "best_prompt", "tuned"] if tuned else _rungs(train_answers, spec)
    models = [
        name for name in [*models, *["classic"] * labels] if not tuned or spec.models is None or name in spec.models
    ]
    return EvaluationPlan(
        metric=METRICS[chosen],
        rows=rows,
        models=models,
        success=_success(METRICS[chosen], rows, labels, spec) if tuned else _measured(METRICS[chosen], rows),
        written_at=now,
    )


def _rungs(train_answers: Sequence[str], spec: JobSpec) -> list[str]:
    held = bool(spec.json_schema) or mostly_json(train_answers)
    return ["zero_shot", *["few_shot", "retrieval"] * (len(train_answers) > 1), *["constrained"] * held]


def _measured(metric_words: str, rows: int) -> str:
    return (
        f"We measure {metric_words} of the base, asked in each of these ways, on {rows} held-out rows. "
        "If the prompt is good enough for you, nothing has to be tuned."
    )


def _success(metric_words: str, rows: int, labels: bool, spec: JobSpec) -> str:
    margin = spec.margins.get("task", DEFAULT_MARGIN)
    if spec.learner != "llm":
        return classifier_success(metric_words, rows, spec, margin)
    parts = [
        f"On the same {rows} held-out rows the tuned model has a higher {metric_words} than the base and than the "
        "base with the best prompt that we can write, by more than luck would give 1 time in 20."
    ]
    if labels:
        parts.append("It also beats TF-IDF with logistic regression; if not, a classifier does this.")
    parts.append(f"If the gain is surely below {margin * 100:.0f} points, the prompt does this.")
    parts += _kept_words(spec)
    if rows < MIN_ROWS:
        parts.append(f"With fewer than {MIN_ROWS} rows no verdict will be given: hold out more.")
    return " ".join(parts)


def _kept_words(spec: JobSpec) -> list[str]:
    """What must not be lost, and how that is shown: by the axes that will be asked, and by how high the bar is."""
    axes: list[Axis] = [axis for axis in spec.axes if axis != "task"]
    if not axes:
        return []
    margins = sorted({margin_of(axis, spec) for axis in axes})
    allowed = " to ".join(f"{margin * 100:g}" for margin in margins)
    words = ", ".join(AXIS_WORDS[axis] for axis in axes)
    if bar(spec) == "high":
        return [f"As a wrong answer is costly, it is shown to lose less than {allowed} points on: {words}."]
    return [f"It has not lost beyond luck and beyond {allowed} points on any of: {words}."]
