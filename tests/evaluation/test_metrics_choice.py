from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from core.answers import TaskKind
from core.errors import BadInput, Refused
from core.jobspec import JobSpec, MetricName, check_evaluate_spec
from evaluation.metrics import METRICS, Metric, choose_metric, score
from evaluation.metrics import sql_text as sql_text_module

QUERIES = ["SELECT a FROM t", "select count(*) from t where b = 'x'", "WITH u AS (SELECT 1) SELECT * FROM u"]
LONG = ["Dear customer, " + "we are sorry to hear this. " * 9]


def test_every_metric_can_be_asked_for_in_a_spec_and_has_words() -> None:
    assert set(get_args(MetricName)) == {"auto", *METRICS} == {"auto", *get_args(Metric)}
    for metric in METRICS:
        if metric != "sql_rows":
            assert 0 <= score(metric, "42", "the answer is 42") <= 1


@pytest.mark.parametrize(
    ("kind", "expected", "metric"),
    [
        (None, ["#### 12"] * 3, "numeric"),
        ("reasoning", ["12", "1,300"], "numeric"),
        (None, ["12", "1,300"], "exact_match"),
        ("classify", ["1", "2"], "exact_match"),
        ("qa", ["Bern", "the Aare"], "normalised_match"),
        ("qa", LONG, "token_f1"),
        ("summarise", LONG, "rouge_l"),
        ("summarise", ['{"a": 1}'], "json_match"),
        ("translate", LONG, "token_f1"),
        ("sql", QUERIES, "sql_match"),
        (None, QUERIES, "sql_match"),
        ("chat", QUERIES, "exact_match"),
        (None, ["Select the blue box, please.", "With kind regards"], "exact_match"),
        (None, [], "token_f1"),
    ],
)
def test_the_metric_follows_the_answers_and_the_kind_of_task(
    kind: TaskKind | None, expected: list[str], metric: str
) -> None:
    assert choose_metric("auto", expected, kind) == metric


def test_a_database_makes_queries_run(tmp_path: Path) -> None:
    assert choose_metric("auto", QUERIES, "sql", database=tmp_path / "shop.db") == "sql_rows"
    assert choose_metric("sql_rows", QUERIES, database="shop.db") == "sql_rows"
    with pytest.raises(Refused) as caught:
        choose_metric("sql_rows", QUERIES)
    assert "sqlite" in caught.value.hint


def test_without_sqlglot_queries_are_judged_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_text_module.importlib.util, "find_spec", lambda name: None)
    assert (
        choose_metric("auto", ["SELECT a, b, c, d, e, f FROM a_table_with_a_long_name WHERE this = 'that'"])
        == "token_f1"
    )
    with pytest.raises(Refused):
        choose_metric("sql_match", QUERIES)


def test_what_was_asked_for_is_taken() -> None:
    for asked in ("normalised_match", "json_match", "field_f1", "token_f1", "rouge_l", "numeric", "sql_match"):
        assert choose_metric(asked, LONG) == asked
    with pytest.raises(BadInput):
        choose_metric("bleu", LONG)


def test_a_spec_without_its_files_is_refused_before_anything_runs(tmp_path: Path) -> None:
    spec = JobSpec(kind="evaluate", metric="sql_rows", json_schema=str(tmp_path / "none.json"))
    assert {problem.where for problem in check_evaluate_spec(spec)} == {"sqlite", "json_schema"}
