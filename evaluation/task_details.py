"""What the report says of the task beside its one score: by the form of the answers, each figure with its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from pydantic import BaseModel, ConfigDict

from core.jobspec import JobSpec
from core.paths import typed_path
from evaluation.answer_length import AnswerLength, answer_lengths
from evaluation.classic import is_label_task, labels_of
from evaluation.confusion import Confusion, confusions
from evaluation.consistency import Consistency
from evaluation.instructions import MAX_LABELS
from evaluation.metrics import METRICS, Metric, broken_queries, infer_schema, read_schema, schema_valid, score
from evaluation.metrics.sql_rows import run_query
from evaluation.metrics.sql_text import has_sqlglot, sql_parses
from evaluation.stats import Interval, interval
from evaluation.style import Style, styles

BESIDE: dict[Metric, tuple[Metric, ...]] = {
    "exact_match": ("normalised_match",),
    "json_match": ("field_f1",),
    "field_f1": ("json_match",),
    "token_f1": ("rouge_l",),
    "rouge_l": ("token_f1",),
    "sql_rows": ("sql_match",),
}
"""Metrics that are shown beside the one that decides."""
SCHEMA_VALID = "answers that follow the JSON schema"
PARSES = "answers that are SQL"


class TaskDetails(BaseModel):
    """Figures beside the score of the task. What does not apply to the answers is empty."""

    # A later release adds fields; an older one must still read its files.
    model_config = ConfigDict(extra="ignore")
    beside: dict[str, dict[str, Interval]] = {}
    """{what: {model: share or score}}: other metrics, answers that follow the schema, answers that are SQL."""
    confusion: dict[str, Confusion] = {}
    """For label tasks, by model."""
    style: dict[str, Style] = {}
    """For free text, by model."""
    consistency: dict[str, Consistency] = {}
    """For free text of the kinds style, generate and chat: base and tuned model, asked several times with chance."""
    length: dict[str, AnswerLength] = {}
    """For free text, by model."""
    json_schema: dict[str, Any] | None = None
    """What answers in JSON were held to."""
    notes: list[str] = []


def check_files(spec: JobSpec) -> None:
    """Open the schema and the database of a spec, before any model is asked. Raises `NotFound` or `BadInput`."""
    if spec.json_schema:
        read_schema(typed_path(spec.json_schema))
    if spec.sqlite:
        run_query("SELECT 1", typed_path(spec.sqlite))


def task_details(
    spec: JobSpec,
    metric: Metric,
    house: Sequence[str],
    expected: Sequence[str],
    said: Mapping[str, Sequence[str]],
) -> TaskDetails:
    """Everything that applies. `house`: training answers; `expected` and each of `said`: the same honest rows.

    Raises `NotFound` or `BadInput` for a schema that cannot be used.
    """
    found = TaskDetails()
    if not expected:
        return found
    for other in BESIDE.get(metric, ()):
        if other != "sql_match" or has_sqlglot():
            _put(found, METRICS[other], said, partial(score, other), expected, spec.seed)
    if metric in ("exact_match", "normalised_match"):
        _labels(found, house, expected, said)
    if metric in ("json_match", "field_f1"):
        _schema(found, spec, house or expected, expected, said)
    if metric in ("token_f1", "rouge_l"):
        models = {name: answers for name, answers in said.items() if name != "classic"}
        found.style = styles(house, models, spec.seed)
        found.length = answer_lengths(expected, models, spec.seed)
    if metric in ("sql_match", "sql_rows"):
        _sql(found, spec, metric, expected, said)
    return found


def _labels(
    found: TaskDetails, house: Sequence[str], expected: Sequence[str], said: Mapping[str, Sequence[str]]
) -> None:
    if not is_label_task(house) and not is_label_task(expected):
        return
    if len(labels_of([*house, *expected])) > MAX_LABELS:
        found.notes.append(f"No table label by label: there are more than {MAX_LABELS} labels.")
        return
    found.confusion = confusions(expected, said, house)


def _schema(
    found: TaskDetails,
    spec: JobSpec,
    house: Sequence[str],
    expected: Sequence[str],
    said: Mapping[str, Sequence[str]],
) -> None:
    schema = read_schema(typed_path(spec.json_schema)) if spec.json_schema else infer_schema(house)
    if schema is None:
        return
    found.json_schema = schema
    _put(found, SCHEMA_VALID, said, lambda _, got: schema_valid(schema, got), expected, spec.seed)
    wrong = sum(not schema_valid(schema, text) for text in expected)
    if wrong:
        found.notes.append(f"{wrong} of {len(expected)} expected answers do not follow the JSON schema themselves.")


def _sql(
    found: TaskDetails, spec: JobSpec, metric: Metric, expected: Sequence[str], said: Mapping[str, Sequence[str]]
) -> None:
    if has_sqlglot():
        _put(found, PARSES, said, lambda _, got: sql_parses(got), expected, spec.seed)
    if metric == "sql_rows" and spec.sqlite:
        broken = len(broken_queries(expected, typed_path(spec.sqlite)))
        if broken:
            found.notes.append(
                f"{broken} of {len(expected)} expected queries fail on the database: there all are wrong."
            )


def _put(
    found: TaskDetails,
    what: str,
    said: Mapping[str, Sequence[str]],
    rule: Callable[[str, str], float],
    expected: Sequence[str],
    seed: int,
) -> None:
    found.beside[what] = {
        name: interval([rule(want, got) for want, got in zip(expected, answers, strict=True)], seed)
        for name, answers in said.items()
    }
