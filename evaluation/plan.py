"""What will be measured, on which rows, and what would count as success: written down before the launch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from core.plan import EvaluationPlan
from dataset.row import Row
from evaluation.classic import is_label_task
from evaluation.metrics import METRICS, choose_metric
from evaluation.verdict import DEFAULT_MARGIN, MIN_ROWS


def plan_evaluation(
    train_rows: Sequence[Row],
    test_rows: Sequence[Row],
    *,
    now: datetime,
    metric: str = "auto",
    n: int | None = None,
    tuned: bool = True,
    margin: float = DEFAULT_MARGIN,
) -> EvaluationPlan:
    """The plan of a judgement on `test_rows` (at most `n`). `tuned` false plans a measurement of base and prompt."""
    chosen = choose_metric(metric, [row.answer for row in (test_rows or train_rows)])
    rows = min(len(test_rows), n) if n else len(test_rows)
    labels = is_label_task([row.answer for row in train_rows])
    models = ["base", "best_prompt"] + ["tuned"] * tuned + ["classic"] * labels
    return EvaluationPlan(
        metric=METRICS[chosen],
        rows=rows,
        models=models,
        success=_success(METRICS[chosen], rows, tuned, labels, margin),
        written_at=now,
    )


def _success(metric_words: str, rows: int, tuned: bool, labels: bool, margin: float) -> str:
    if not tuned:
        return (
            f"We measure {metric_words} of the base and of its best prompt on {rows} held-out rows. "
            "If the prompt is good enough for you, nothing has to be tuned."
        )
    parts = [
        f"On the same {rows} held-out rows the tuned model has a higher {metric_words} than the base and than the "
        "base with the best prompt that we can write, by more than luck would give 1 time in 20."
    ]
    if labels:
        parts.append("It also beats TF-IDF with logistic regression; if not, a classifier does this.")
    parts.append(f"If the gain is surely below {margin * 100:.0f} points, the prompt does this.")
    if rows < MIN_ROWS:
        parts.append(f"With fewer than {MIN_ROWS} rows no verdict will be given: hold out more.")
    return " ".join(parts)
