"""Judged again: the spec that is run, and what is said to have changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInput, NotFound
from core.jobspec import JobSpec
from evaluation.freshness import drift, judge_again, since
from evaluation.report import EvaluationReport, JudgedAnswer
from evaluation.stats import interval, wilson

DAY = datetime(2026, 11, 3, 9, tzinfo=UTC)
TRAIN = "job-20261124-00000001"


def report(right: Sequence[float], day: int = 0, *, axes: dict[str, Any] | None = None, **fields: Any) -> Any:
    answers = [
        JudgedAnswer(line=line, input="i", expected="e", scores={"tuned": score}) for line, score in enumerate(right, 1)
    ]
    given: dict[str, Any] = {
        "verdict": "ship",
        "reasons": [],
        "metric": "exact_match",
        "metric_words": "exact match",
        "models": {"tuned": {"task": interval(right)} | (axes or {})},
        "answers": answers,
        "base_model": "b",
        "test_file": "t",
        "test_sha256": "00",
        "rows": len(right),
        "rows_in_file": len(right),
        "seed": 7,
        "created_at": DAY + timedelta(days=day),
    }
    return EvaluationReport(**(given | fields))


def scores(right: int, n: int = 100) -> list[float]:
    return [1.0] * right + [0.0] * (n - right)


def test_the_same_rows_are_compared_one_by_one() -> None:
    found = since(report(scores(73)), report([0.0] * 7 + [1.0] * 69 + [0.0] * 24, 20))
    assert found.same_rows and found.changes[0].paired is not None
    assert (found.changes[0].paired.better, found.changes[0].paired.worse) == (3, 7)
    assert found.sentence == (
        "Since 2026-11-03: task 0.73 to 0.69, no change beyond luck "
        "(better on 3 of 100 rows, worse on 7; luck would do this 1 time in 3: we cannot tell)."
    )


def test_a_loss_that_only_a_row_by_row_look_can_see_is_seen() -> None:
    before, now = report(scores(73)), report(scores(63), 20)
    assert since(before, now).changes[0].state == "worse"
    elsewhere = now.model_copy(update={"test_sha256": "11"})
    found = since(before, elsewhere)
    assert not found.same_rows and found.changes[0].state == "unclear" and found.changes[0].paired is None
    assert "Since 2026-11-03, on other rows: task 0.73 to 0.63, no change beyond luck (100 rows then" in found.sentence


def test_a_fall_on_other_rows_is_told_when_it_is_larger_than_luck() -> None:
    found = since(report(scores(90)), report(scores(40, 80), 20, test_sha256="11"))
    assert found.changes[0].state == "worse" and found.changes[0].high < 0
    # Newcombe's method 10 by hand: 0.5 - 0.9, wilson(72 of 80) and wilson(40 of 80).
    then, today = wilson(90, 100), wilson(40, 80)
    low = -0.4 - ((0.5 - today.low) ** 2 + (then.high - 0.9) ** 2) ** 0.5
    assert found.changes[0].low == pytest.approx(low)


def test_a_gain_and_no_change_at_all_are_told() -> None:
    assert since(report(scores(50)), report(scores(80), 1)).changes[0].state == "better"
    same = since(report(scores(50)), report(scores(50), 1))
    assert "no change beyond luck (the same on all 100 rows)" in same.sentence


def test_rows_that_training_has_seen_count_for_nothing() -> None:
    before, now = report(scores(60)), report(scores(60), 1)
    now.answers[0].in_training = True
    pair = since(before, now).changes[0].paired
    assert pair is not None and pair.n == 99


def test_another_base_and_other_weights_are_named() -> None:
    before = report(scores(60), adapter_sha256="a" * 64, base_revision="aa")
    now = report(scores(60), 1, adapter_sha256="b" * 64, base_revision="bb")
    assert since(before, now).sentence.startswith("Since 2026-11-03, on another base, with other weights: task")


def test_another_alpha_is_named_and_an_older_report_goes_by_the_weights() -> None:
    told = [report(scores(60), day, adapter_sha256="a" * 64, adapter_settings_sha256=hash_ * 64)
            for day, hash_ in enumerate("xxy")]  # fmt: skip
    older = report(scores(60), adapter_sha256="a" * 64)
    assert [since(*pair).same_weights for pair in ((told[0], told[1]), (told[1], told[2]), (older, told[2]))] == [
        True,
        False,
        True,
    ]


def test_another_axis_speaks_only_when_it_moved_beyond_luck() -> None:
    high, low = wilson(190, 200), wilson(100, 200)
    fallen = since(report(scores(60), axes={"safety": high}), report(scores(60), 1, axes={"safety": low}))
    assert "; refusal of unsafe requests 0.95 to 0.50, worse beyond luck." in fallen.sentence
    still = since(report(scores(60), axes={"safety": high}), report(scores(60), 1, axes={"safety": high}))
    assert "refusal" not in still.sentence and len(still.changes) == 2


def test_two_metrics_are_not_compared() -> None:
    found = since(report(scores(60)), report(scores(60), 1, metric="json_match", metric_words="JSON match"))
    assert found.changes == [] and "not comparable, judged by exact match then and by JSON match now" in found.sentence


def test_a_measurement_without_a_tune_is_refused() -> None:
    with pytest.raises(BadInput, match="not of a tuned model"):
        since(report(scores(60)), report(scores(60), models={"base": {"task": wilson(1, 100)}}))


def test_drift_is_each_judgement_against_the_one_before() -> None:
    found = drift([report(scores(80), 30), report(scores(60)), report(scores(70), 10)])
    assert [(each.changes[0].before.score, each.changes[0].now.score) for each in found] == [(0.7, 0.8), (0.6, 0.7)]
    assert drift([report(scores(60))]) == []


def test_the_last_spec_is_run_again_with_what_is_given(tmp_path: Path) -> None:
    rows = tmp_path / "december.jsonl"
    rows.write_text("{}")
    last = JobSpec(
        kind="evaluate", test="/old.jsonl", validation="/v.jsonl", look="quick", after=["job-1"], group="g", n=50
    )
    again = judge_again(last, TRAIN, rows=rows, base_revision="bb22")
    assert (again.test, again.base_revision, again.job) == (str(rows), "bb22", TRAIN)
    assert (again.validation, again.look, again.n) == ("/v.jsonl", "quick", 50)
    assert again.after == [] and again.group is None
    assert judge_again(last, TRAIN).test == "/old.jsonl"
    with pytest.raises(NotFound, match="no file"):
        judge_again(last, TRAIN, rows=tmp_path / "mistyped.jsonl")
