"""Which metric a task is judged by, and the score of one answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from core.answers import TaskKind
from core.errors import BadInput, Refused
from core.jobspec import Metric
from core.paths import typed_path
from evaluation.metrics.json_fields import field_f1
from evaluation.metrics.json_values import is_structure, json_match
from evaluation.metrics.numeric import ends_in_numbers, is_number, numeric
from evaluation.metrics.sql_rows import sql_rows
from evaluation.metrics.sql_text import has_sqlglot, looks_like_sql, sql_match
from evaluation.metrics.texts import exact_match, normalised_match
from evaluation.metrics.word_overlap import rouge_l, token_f1

METRICS: dict[Metric, str] = {
    "exact_match": "exact match",
    "normalised_match": "match but for case and punctuation",
    "json_match": "exact match (the same JSON object)",
    "field_f1": "F1 of the JSON fields",
    "token_f1": "token F1",
    "rouge_l": "ROUGE-L",
    "numeric": "share of right numbers",
    "sql_match": "match of the SQL query",
    "sql_rows": "share of SQL queries that bring the right rows",
}
_SCORES: dict[Metric, Callable[[str, str], float]] = {
    "exact_match": exact_match,
    "normalised_match": normalised_match,
    "json_match": json_match,
    "field_f1": field_f1,
    "token_f1": token_f1,
    "rouge_l": rouge_l,
    "numeric": numeric,
    "sql_match": sql_match,
}
MAX_LABEL_CHARACTERS = 60
"""An answer up to this long, without a line break, is short enough to be right or wrong as a whole."""
_SHARE = 0.9
"""Share of the expected answers that must have a form before it counts as the task's form."""


def choose_metric(
    asked: str, expected: Sequence[str], task_kind: TaskKind | None = None, *, database: str | Path | None = None
) -> Metric:
    """What counts as right: as asked, or for `auto` as the answers and the kind of task are.

    Structured answers: the same object; so too where `exact_match` is asked, since the order of keys is no mistake.
    Queries: the same rows from `database`, or else the same query where sqlglot is installed. Results behind `####`,
    and plain numbers of a `reasoning` task: the number. Short ones (labels, names): exact match, in a `qa` task but for
    case and punctuation. Else token F1, for `summarise` ROUGE-L. Raises `Refused` where what was asked cannot be had.
    """
    structured = bool(expected) and sum(is_structure(text) for text in expected) >= _SHARE * len(expected)
    if asked == "exact_match":
        return "json_match" if structured else "exact_match"
    if asked != "auto":
        return _possible(asked, database)
    if structured:
        return "json_match"
    return _of_sql(expected, task_kind, database) or _of_text(expected, task_kind)


def score(metric: Metric, expected: str, answer: str, database: str | Path | None = None) -> float:
    """The score of one answer. `database`: the SQLite file of `sql_rows`."""
    if metric == "sql_rows":
        if database is None:
            raise BadInput("`sql_rows` needs a database.", "Set `sqlite` to a SQLite file.")
        return sql_rows(expected, answer, typed_path(str(database)))
    return _SCORES[metric](expected, answer)


def _possible(asked: str, database: str | Path | None) -> Metric:
    for metric in METRICS:
        if metric == asked:
            if metric == "sql_rows" and database is None:
                raise Refused("`sql_rows` needs a database to run the queries on.", "Set `sqlite` to a SQLite file.")
            if metric == "sql_match" and not has_sqlglot():
                raise Refused("`sql_match` needs sqlglot.", 'Run `pip install "tuneworthy[sql]"`.')
            return metric
    raise BadInput(f"there is no metric `{asked[:40]}`.", f"Metrics: auto, {', '.join(METRICS)}.")


def _of_sql(expected: Sequence[str], task_kind: TaskKind | None, database: str | Path | None) -> Metric | None:
    if task_kind not in (None, "sql", "generate", "other") or not looks_like_sql(expected, _SHARE):
        return None
    if database is not None:
        return "sql_rows"
    return "sql_match" if has_sqlglot() else None


def _of_text(expected: Sequence[str], task_kind: TaskKind | None) -> Metric:
    if ends_in_numbers(expected, _SHARE):
        return "numeric"
    short = sum(len(text.strip()) <= MAX_LABEL_CHARACTERS and "\n" not in text.strip() for text in expected)
    if not expected or short < _SHARE * len(expected):
        return "rouge_l" if task_kind == "summarise" else "token_f1"
    if task_kind == "reasoning" and all(is_number(text) for text in expected):
        return "numeric"
    return "normalised_match" if task_kind == "qa" else "exact_match"
