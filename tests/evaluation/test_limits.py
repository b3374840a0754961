"""How many questions were asked stands among what a judgement cannot see."""

from __future__ import annotations

from pathlib import Path

from core.jobspec import JobSpec
from evaluation.limits import limits
from evaluation.report import AxisReport
from evaluation.rows import JudgedRows


def said(spec: JobSpec) -> str:
    rows = JudgedRows(
        test=[], in_file=0, test_file=Path("test.jsonl"), test_sha256="", leaked=frozenset(), train=[], selection=[],
        chosen_on_validation=False,
    )  # fmt: skip
    return "\n".join(limits(spec, rows, "cpu", {"knowledge": AxisReport(words="general knowledge", n=30)}))


def test_a_number_of_questions_is_told_as_it_was_and_not_as_that_of_a_quick_look() -> None:
    for look in ("quick", "full"):
        told = said(JobSpec(kind="evaluate", look=look, n=30))
        assert "30 questions an axis at most" in told and "100 questions" not in told
    assert "A quick look: 100 questions an axis" in said(JobSpec(kind="evaluate", look="quick"))
    assert "questions an axis" not in said(JobSpec(kind="evaluate", look="full"))
