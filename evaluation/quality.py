"""What came of dropping doubtful labels: the gain over all rows, and over dropping as many others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from backends.quality import ARMS, Arm, QualityJobs
from core.errors import BadInput, NotFound
from core.run_folder import RunFolder
from dataset.finding import plural
from evaluation.report import EvaluationReport, read_report
from evaluation.same_rows import scores_on_same_rows
from evaluation.stats import Interval, Paired, compare, interval

Verdict = Literal["helped", "hurt", "not_enough_evidence"]
LIMITS = (
    "Each choice of rows was trained once: another seed may score differently.",
    "The held-out labels are taken as they stand. Where they are wrong in the same way, dropping looks like a loss.",
    "A suspect with a mended label can be worth more than a row that is gone.",
)


class QualityResult(BaseModel):
    """Three trainings on the same held-out rows."""

    model_config = ConfigDict(extra="forbid")
    verdict: Verdict
    words: str
    dropped: int
    judged_rows: int
    metric_words: str
    scores: dict[Arm, Interval]
    suspects: Paired
    """Without the suspects, against all rows."""
    control: Paired
    """Without as many others, against all rows."""
    against_control: Paired
    """Without the suspects, against without as many others."""
    limits: list[str] = list(LIMITS)


def quality_result(jobs: QualityJobs) -> QualityResult | None:
    """The result; None while a judgement is missing. Raises `BadInput` for judgements that cannot be compared."""
    reports: dict[Arm, EvaluationReport] = {}
    for arm in jobs.arms:
        try:
            reports[arm.arm] = read_report(RunFolder.of(arm.judge).evaluation_file)
        except NotFound:
            return None
    return result_of_reports(reports, dropped=len(jobs.dropped), seed=jobs.seed)


def result_of_reports(reports: Mapping[Arm, EvaluationReport], *, dropped: int, seed: int = 0) -> QualityResult:
    """The result of a judgement for each of the three choices. Raises `BadInput` where they cannot be compared."""
    by_row = scores_on_same_rows([reports[arm] for arm in ARMS])
    if by_row is None:
        raise BadInput("the answers to single rows were not kept for all three.", "Launch the experiment again.")
    scores = dict(zip(ARMS, by_row, strict=True))

    def paired(first: Arm, second: Arm) -> Paired:
        return compare(ARMS[first], scores[first], ARMS[second], scores[second], seed)

    suspects, control = paired("without_suspects", "all"), paired("control", "all")
    against_control = paired("without_suspects", "control")
    verdict: Verdict = "not_enough_evidence"
    if suspects.low > 0 and against_control.low > 0:
        verdict = "helped"
    elif suspects.high < 0:
        verdict = "hurt"
    judged = len(by_row[0])
    metric_words = reports["all"].metric_words
    told = (
        f"Dropping {plural(dropped, 'suspect')} brought {_points(suspects)} on {metric_words}; "
        f"dropping {dropped:,} others {_points(control)}."
    )
    return QualityResult(
        verdict=verdict,
        words=f"{told} {_advice(verdict, suspects, judged)}",
        dropped=dropped,
        judged_rows=judged,
        metric_words=metric_words,
        scores={arm: interval(each, seed) for arm, each in scores.items()},
        suspects=suspects,
        control=control,
        against_control=against_control,
    )


def _advice(verdict: Verdict, suspects: Paired, judged: int) -> str:
    if verdict == "helped":
        return "Leave them out, or mend their labels."
    if verdict == "hurt":
        return "Keep them: they teach something that the others do not."
    if suspects.low > 0:
        return "Whether it was the suspects, or only fewer rows, cannot be told from the control."
    return f"Not enough evidence: {judged:,} judged rows cannot tell this from noise."


def _points(paired: Paired) -> str:
    """`+3.0 points (-1.0 to +7.0)`: hundredths of the score."""
    own, low, high = (f"{round(100 * value, 1) + 0.0:+.1f}" for value in (paired.difference, paired.low, paired.high))
    return f"{own} points ({low} to {high})"
