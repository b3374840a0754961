from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.jobspec import JobSpec
from core.plan import EvaluationPlan
from evaluation.plan import plan_evaluation

NOW = datetime(2026, 11, 3, tzinfo=UTC)


def rows(count: int, answer: str) -> list[str]:
    """The right answers of as many rows."""
    return [answer.format(at=at, label="ab"[at % 2]) for at in range(count)]


def test_the_plan_says_what_is_measured_on_which_rows_and_what_is_success() -> None:
    plan = plan_evaluation(
        rows(60, '{{"course": "MAT-{at}"}}'), rows(40, '{{"course": "MAT-{at}"}}'), JobSpec(), now=NOW
    )
    assert plan.models == ["base", "best_prompt", "tuned"]
    assert (plan.metric, plan.rows, plan.written_at) == ("exact match (the same JSON object)", 40, NOW)
    assert plan.success.startswith("On the same 40 held-out rows the tuned model has a higher exact match")
    assert "surely below 5 points, the prompt does this" in plan.success
    assert EvaluationPlan.model_validate_json(plan.model_dump_json()) == plan


def test_a_label_task_has_to_beat_the_classifier() -> None:
    plan = plan_evaluation(rows(60, "{label}"), rows(40, "{label}"), JobSpec(), now=NOW)
    assert plan.models[-1] == "classic"
    assert "It also beats TF-IDF with logistic regression; if not, a classifier does this." in plan.success


def test_too_few_rows_are_said_before_the_launch() -> None:
    plan = plan_evaluation(rows(60, "{label}"), rows(12, "{label}"), JobSpec(), now=NOW)
    assert "With fewer than 20 rows no verdict will be given" in plan.success


def test_a_measurement_plans_the_ways_to_ask_and_no_tuned_model() -> None:
    plan = plan_evaluation(rows(60, "case {at}"), rows(40, "case {at}"), JobSpec(), now=NOW, tuned=False)
    assert plan.models == ["zero_shot", "few_shot", "retrieval"]
    assert "nothing has to be tuned" in plan.success
    made = rows(60, '{{"label": "{label}"}}')
    assert plan_evaluation(made, made, JobSpec(), now=NOW, tuned=False).models[3:] == ["constrained", "classic"]


@pytest.mark.parametrize(("n", "planned"), [(None, 40), (25, 25), (400, 40)])
def test_the_plan_counts_the_rows_that_will_be_judged(n: int | None, planned: int) -> None:
    assert plan_evaluation(rows(60, "case {at}"), rows(40, "case {at}"), JobSpec(n=n), now=NOW).rows == planned


def test_the_margin_of_the_spec_stands_in_the_plan() -> None:
    plan = plan_evaluation(rows(60, "case {at}"), rows(40, "case {at}"), JobSpec(margins={"task": 0.1}), now=NOW)
    assert "surely below 10 points" in plan.success


def test_what_must_not_be_lost_stands_in_the_plan() -> None:
    made = rows(60, "case {at}"), rows(40, "case {at}")
    usual = plan_evaluation(*made, JobSpec(), now=NOW).success
    assert "It has not lost beyond luck and beyond 5 points on any of: new inputs, general knowledge, refusal" in usual
    strict = plan_evaluation(*made, JobSpec(stakes="high", axes=["task", "safety"]), now=NOW).success
    assert "shown to lose less than 3 points on: refusal of unsafe requests." in strict
    assert "lost" not in plan_evaluation(*made, JobSpec(axes=["task"]), now=NOW).success
