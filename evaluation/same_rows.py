"""Several trainings judged on the same rows: their scores row by row, so that rows hard for all are no noise."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import BadInput
from evaluation.report import EvaluationReport


def scores_on_same_rows(reports: Sequence[EvaluationReport]) -> list[list[float]] | None:
    """For each judgement the scores of its tuned model, all on the same rows in the same order.

    Rows that any of the trainings has seen are left out everywhere. None where the answers to single rows were not
    kept for all. Raises `BadInput` for judgements that cannot be compared.
    """
    if len({(report.metric, report.test_sha256) for report in reports}) > 1:
        raise BadInput("the trainings were not judged alike.", "Judge all of them by one metric on the same rows.")
    if any("tuned" not in report.models for report in reports):
        raise BadInput("a judgement is not of a tuned model.", "Judge the tuned model of each training.")
    seen = {answer.line for report in reports for answer in report.answers if answer.in_training}
    scores = [
        {answer.line: answer.scores["tuned"] for answer in report.answers if "tuned" in answer.scores}
        for report in reports
    ]
    lines = sorted(scores[0].keys() - seen) if scores else []
    if not lines or any(each.keys() != scores[0].keys() for each in scores):
        return None
    return [[each[line] for line in lines] for each in scores]
