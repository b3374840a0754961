"""Is a verdict still true? An adapter is judged again, on new rows or on a changed base, and held against its last."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from core.errors import BadInput, NotFound
from core.jobspec import JobSpec
from core.paths import is_file, resolved, typed_path
from evaluation.axes.question import AXIS_WORDS
from evaluation.report import EvaluationReport
from evaluation.same_rows import scores_on_same_rows
from evaluation.stats import Interval, Paired, compare

TASK = "task"
STATE_WORDS = {"better": "better beyond luck", "worse": "worse beyond luck", "unclear": "no change beyond luck"}


class Change(BaseModel):
    """One axis of the tuned model, then and now."""

    model_config = ConfigDict(extra="forbid")
    axis: str
    before: Interval
    now: Interval
    low: float
    """The score has changed by at least this, with 95 %; below zero is a loss."""
    high: float
    state: Literal["better", "worse", "unclear"]
    paired: Paired | None = None
    """Row by row, where the same rows were judged both times."""

    @property
    def words(self) -> str:
        """`task 0.73 to 0.69, no change beyond luck`."""
        axis = {str(name): words for name, words in AXIS_WORDS.items()}.get(self.axis, self.axis)
        return f"{axis} {self.before.score:.2f} to {self.now.score:.2f}, {STATE_WORDS[self.state]}"


class Since(BaseModel):
    """A judgement against an earlier one of the same adapter."""

    model_config = ConfigDict(extra="forbid")
    before: datetime
    same_rows: bool
    same_base: bool
    same_weights: bool
    changes: list[Change] = []
    """The task first. Empty where the two cannot be compared."""
    sentence: str


def judge_again(
    last: JobSpec, train_job: str, *, rows: Path | None = None, base_revision: str | None = None
) -> JobSpec:
    """The spec of an adapter's last evaluation, with other held-out rows or another revision of the base.

    It stands alone: what the last one waited for is done, and a curve or an experiment that it belonged to is closed.
    Raises `NotFound` or `BadInput` for rows that are not there.
    """
    updates: dict[str, object] = {"kind": "evaluate", "job": train_job, "adapter": None, "after": [], "group": None}
    if rows is not None:
        path = typed_path(str(rows))
        if not is_file(path):
            raise NotFound(f"no file at {path}.", "Check the path.")
        updates["test"] = str(resolved(path))
    if base_revision is not None:
        updates["base_revision"] = base_revision
    return last.model_copy(update=updates)


def since(before: EvaluationReport, now: EvaluationReport) -> Since:
    """What has become of the tuned model between two judgements.

    The task is compared row by row where both read the same file of rows and the same of its rows; all else by the
    two intervals. Raises `BadInput` where one of the two is not of a tuned model.
    """
    if any(TASK not in report.models.get("tuned", {}) for report in (before, now)):
        raise BadInput("a judgement is not of a tuned model.", "Judge the tuned model.")
    known = before.adapter_sha256 is not None and now.adapter_sha256 is not None
    scores = _same_rows(before, now)
    changes = [] if before.metric != now.metric else [_task(before, now, scores), *_axes(before, now)]
    facts = {
        "same_rows": scores is not None,
        "same_base": (before.base_model, before.base_revision) == (now.base_model, now.base_revision),
        "same_weights": not known or (before.adapter_sha256 == now.adapter_sha256 and _same_settings(before, now)),
    }
    return Since.model_validate(
        {"before": before.created_at, "changes": changes, "sentence": _sentence(before, now, changes, facts)} | facts
    )


def drift(reports: Sequence[EvaluationReport]) -> list[Since]:
    """Each judgement of an adapter against the one before it, the newest first. Any order of `reports` will do."""
    ordered = sorted(reports, key=lambda report: report.created_at)
    return [since(before, now) for before, now in pairwise(ordered)][::-1]


def _same_settings(before: EvaluationReport, now: EvaluationReport) -> bool:
    """Alpha and the like; older reports do not tell."""
    told = {before.adapter_settings_sha256, now.adapter_settings_sha256} - {None}
    return len(told) < 2


def _same_rows(before: EvaluationReport, now: EvaluationReport) -> list[list[float]] | None:
    if (before.metric, before.test_sha256) != (now.metric, now.test_sha256):
        return None
    return scores_on_same_rows([before, now])


def _task(before: EvaluationReport, now: EvaluationReport, scores: list[list[float]] | None) -> Change:
    then, today = before.models["tuned"][TASK], now.models["tuned"][TASK]
    if scores is None:
        return _unpaired(TASK, then, today)
    pair = compare("now", scores[1], "then", scores[0], now.seed)
    state: Literal["better", "worse", "unclear"] = "better" if pair.beats else "worse" if pair.loses else "unclear"
    return Change(axis=TASK, before=then, now=today, low=pair.low, high=pair.high, state=state, paired=pair)


def _axes(before: EvaluationReport, now: EvaluationReport) -> list[Change]:
    """The other axes by their intervals: questions of one template stand or fall together, and those know it."""
    then, today = before.models["tuned"], now.models["tuned"]
    return [_unpaired(axis, then[axis], today[axis]) for axis in today if axis != TASK and axis in then]


def _unpaired(axis: str, before: Interval, now: Interval) -> Change:
    """The interval of a difference from those of two independent scores (Newcombe 1998, Stat. Med. 17, method 10)."""
    difference = now.score - before.score
    low = difference - math.hypot(now.score - now.low, before.high - before.score)
    high = difference + math.hypot(now.high - now.score, before.score - before.low)
    state: Literal["better", "worse", "unclear"] = "better" if low > 0 else "worse" if high < 0 else "unclear"
    return Change(axis=axis, before=before, now=now, low=max(-1.0, low), high=min(1.0, high), state=state)


def _sentence(
    before: EvaluationReport, now: EvaluationReport, changes: Sequence[Change], facts: dict[str, bool]
) -> str:
    """`Since 2026-11-03, on other rows: task 0.73 to 0.69, no change beyond luck (...).`"""
    others = [
        words
        for fact, words in (
            ("same_rows", "on other rows"),
            ("same_base", "on another base"),
            ("same_weights", "with other weights"),
        )
        if not facts[fact]
    ]
    start = ", ".join([f"Since {before.created_at:%Y-%m-%d}", *others])
    if not changes:
        return f"{start}: not comparable, judged by {before.metric_words} then and by {now.metric_words} now."
    task, *axes = changes
    told = (
        task.paired.sentence
        if task.paired
        else f"{task.before.n} rows then, {task.now.n} now; changed by {task.low:+.2f} to {task.high:+.2f} with 95 %"
    )
    moved = "".join(f"; {change.words}" for change in axes if change.state != "unclear")
    return f"{start}: {task.words} ({told}){moved}."
