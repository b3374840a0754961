"""How far to believe a hosted judge: its marks against the metric, and against a person's labels once there are 30."""

from __future__ import annotations

from collections.abc import Mapping

from core.run_folder import RunFolder
from evaluation.blind_labels import GOAL, RIGHT_FROM, SKIPPED, draw, read_labels
from evaluation.clustered import clustered_interval
from evaluation.llm_marks import LlmJudgement, read_marks
from evaluation.llm_summary import LlmSummary
from evaluation.person_agreement import WithPerson, with_person
from evaluation.report import EvaluationReport, read_report
from evaluation.stats import Interval


def summarise(report: EvaluationReport, marks: LlmJudgement, labels: Mapping[str, str]) -> LlmSummary:
    """The line of one judgement. `labels` are the person's, by the key of the answer, as far as they go."""
    same: list[float] = []
    lines: list[str] = []
    for row in report.answers:
        for model in marks.models if not row.in_training else ():
            said = marks.label(model, row.line)
            if said is not None and model in row.scores:
                same.append(float(said == ("right" if row.scores[model] >= RIGHT_FROM else "wrong")))
                lines.append(str(row.line))
    metric = clustered_interval(same, lines, report.seed) if same else None
    person = _person(report, marks, labels)
    return LlmSummary(
        judge=marks.judge,
        rubric=marks.rubric,
        n=len(same),
        with_metric=metric,
        labels=person.found.n if person else 0,
        with_person=person.found.same if person else None,
        kappa=person.found.kappa if person else None,
        words=_words(marks.judge, len(same), metric, person),
    )


def keep_trust(folder: RunFolder) -> None:
    """Put what the labels tell into the report of a judgement, once the last is given or where one is taken back.

    Nothing where no hosted judge was asked. Raises `NotFound`, `BadInput` or `StoreError`.
    """
    marks = read_marks(folder)
    if marks is None:
        return
    report = read_report(folder.evaluation_file)
    summary = summarise(report, marks, read_labels(folder))
    if summary != report.llm_judge:
        report.model_copy(update={"llm_judge": summary}).save(folder.evaluation_file)


def _person(report: EvaluationReport, marks: LlmJudgement, labels: Mapping[str, str]) -> WithPerson | None:
    """None before every drawn answer is labelled or passed over, and where there are fewer than 30 to label."""
    drawn = draw(report, "task")
    if len(drawn) < GOAL or any(each.key not in labels for each in drawn):
        return None
    told = [(labels[each.key], marks.label(each.model, each.line)) for each in drawn if labels[each.key] != SKIPPED]
    pairs = [(mine, theirs) for mine, theirs in told if theirs is not None]
    return with_person([mine for mine, _ in pairs], [theirs for _, theirs in pairs], report.seed)


def _words(judge: str, n: int, metric: Interval | None, person: WithPerson | None) -> str:
    if metric is None:
        return f"The LLM judge {judge} gave no mark that could be read."
    share = f"{metric.score:.0%} ({metric.low:.0%} to {metric.high:.0%})".replace("%", " %")
    said = f"The LLM judge {judge} marked {n:,} answers and says the same as the metric on {share} of them"
    if person is None:
        return f"{said}; how far it agrees with a person is not known."
    count = round(person.found.same.score * person.found.n)
    return f"{said}, and the same as a person on {count} of {person.found.n}; {person.kappa_words}: {person.advice}."
