"""Writing the memo of a plan: `write_memo(plan, today=...)`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from pydantic import TypeAdapter, ValidationError

from advisor import memo_costs
from advisor.advice import Advice, Flip, NextQuestion, Ranked, Reason
from advisor.advise import advise
from advisor.memo import Memo, Place, Said, Score, Why
from advisor.memo_words import day, in_sentence, label_of, name_of, recommended, source_of, usd, value_of
from advisor.reminders import reminders
from core.answers import APPROACHES, ApproachId
from core.errors import ProblemsFound
from core.plan import Plan
from cost_models.curves import cost
from cost_models.options import CostOptions, read_options
from cost_models.prices import PriceBook
from cost_models.report import CostReport
from evaluation.report import MODEL_WORDS, VERDICT_WORDS, EvaluationReport

DRIFT = 0.01
"""Share by which a total may differ from the one at the decision before the memo says so."""
_RANKING = TypeAdapter(list[Ranked])


def write_memo(plan: Plan, *, today: date, evaluation: EvaluationReport | None = None) -> Memo:
    """The memo of a plan, decided or not. The same plan, day and evaluation give the same memo.

    A decided plan is shown as it was decided: its ranking, the prices used, and curves drawn with the prices and dates
    of that day. Where those answers would lead elsewhere now, the caveats say so.
    """
    when = _figures_of(plan, today)
    known = {row.item for row in PriceBook.load(None, when).rows()}
    overrides = {item: amount for item, amount in plan.price_overrides.items() if item in known}
    report = cost(plan.answers, today=when, overrides=overrides, options=_options(plan))
    advice = advise(plan.answers, today=when, cost=report, overrides=overrides)
    best = next((name for name in APPROACHES if name == plan.recommendation), advice.recommendation)
    ranking = (_decided_ranking(plan) if plan.decided_at else None) or advice.ranking
    row = next((row for row in ranking if row.approach == best), advice.ranked(best))
    return Memo(
        plan=plan.id,
        name=plan.name,
        task=plan.answers.task or "",
        written=today,
        figures_of=when,
        recommendation=recommended(best, row.variant),
        headline=_headline(row),
        decision=_decision(plan),
        verdict=_verdict(plan, evaluation),
        caveats=_caveats(plan, best, advice, report),
        figures=memo_costs.figures(report, best),
        chart=memo_costs.chart(report, best),
        cost_words=memo_costs.cost_words(report, best),
        reasons=[_why(reason) for reason in row.reasons],
        against=_against(row, advice),
        ranking=[_place(each, report) for each in ranking if each.approach in report.curves],
        flips=[*memo_costs.cost_flips(report), *(_flip(flip) for flip in advice.flips)],
        questions=[_question(question) for question in advice.questions],
        notes=advice.notes,
        tornado_about=memo_costs.tornado_about(report),
        tornado=memo_costs.tornado(report),
        answers=_said((name, value) for name, value in plan.answers if name != "task" and value is not None),
        assumed=_said((entry.field, entry.value) for entry in advice.assumptions),
        evaluation_plan=_planned(plan),
        findings=_findings(evaluation),
        scores=_scores(evaluation),
        prices=memo_costs.prices(plan.prices_used or [row.model_dump(mode="json") for row in report.prices]),
        not_counted=report.not_counted,
        reminders=reminders(plan, today=today),
    )


def _figures_of(plan: Plan, today: date) -> date:
    """The day of the decision, as whoever decided saw it; today where nothing was decided."""
    if plan.decided_at is None:
        return today
    try:
        return date.fromisoformat(str(plan.cost_summary.get("today")))
    except ValueError:
        return plan.decided_at.date()


def _options(plan: Plan) -> CostOptions:
    """The plan's settings of the curves; ours where it has some that no longer hold."""
    try:
        return read_options(plan.cost_options)
    except ProblemsFound:
        return CostOptions()


def _decided_ranking(plan: Plan) -> list[Ranked] | None:
    """The ranking that was kept; None where a later version no longer reads it."""
    try:
        return _RANKING.validate_python(plan.ranking) or None
    except ValidationError:
        return None


def _headline(row: Ranked) -> str:
    pro = [reason.because for reason in row.reasons if reason.points > 0][:2]
    return " ".join(pro) or "It is what is left when the others are ruled out."


def _decision(plan: Plan) -> str:
    if plan.decided_at is None:
        return "Not decided yet."
    who = plan.decided_by or "somebody who left no name"
    return f"Decided on {day(plan.decided_at.date())} by {who}."


def _verdict(plan: Plan, evaluation: EvaluationReport | None) -> str:
    judged = evaluation is not None and "tuned" in evaluation.models
    verdict = evaluation.verdict if judged and evaluation else plan.verdict
    words = next((words for key, words in VERDICT_WORDS.items() if key == verdict), None)
    if words is None:
        return "Not judged yet." if plan.decided_at else ""
    return f"Verdict of the judge: {words[:1].lower()}{words[1:]}."


def _caveats(plan: Plan, best: ApproachId, advice: Advice, report: CostReport) -> list[str]:
    """Where the decision and what its answers give now differ."""
    if plan.decided_at is None:
        return []
    said = []
    if advice.recommendation != best:
        said.append(
            f"The answers or the rules have changed since the decision: they now lead to "
            f"{in_sentence(advice.recommendation)}. What would change it, and what is open, is told for that."
        )
    totals = plan.cost_summary.get("usd_p50")
    before = totals.get(best) if isinstance(totals, dict) else None
    now = report.curves[best].p50[-1]
    if isinstance(before, int | float) and abs(now - before) > DRIFT * max(abs(before), 1.0):
        said.append(
            f"Costs are drawn again from the answers and terms of now: {usd(now)} over {report.months[-1]} months, "
            f"where the decision saw {usd(before)}."
        )
    return said


def _why(reason: Reason) -> Why:
    assumed = f" (rests on an assumption: {', '.join(map(label_of, reason.assumed)).lower()})" if reason.assumed else ""
    return Why(
        points="ruled out" if reason.veto else f"{reason.points:+d}",
        because=reason.because + assumed,
        source=source_of(reason.source),
        url=reason.source.url,
    )


def _against(row: Ranked, advice: Advice) -> list[str]:
    """Conflicts that the table of reasons does not show by itself, such as advice against cost."""
    shown = {reason.rule for reason in row.reasons}
    return [
        conflict.says
        for conflict in advice.conflicts
        if conflict.approach == row.approach and not {conflict.pro, conflict.contra} <= shown
    ]


def _place(row: Ranked, report: CostReport) -> Place:
    return Place(
        name=name_of(row.approach),
        verdict="ruled out" if row.vetoed else row.verdict,
        score=f"{row.score:+d}",
        upfront=usd(report.upfront_usd[row.approach]),
        total=usd(report.curves[row.approach].p50[-1]),
        why=row.reasons[0].because if row.reasons else "No rule speaks for or against it.",
    )


def _flip(flip: Flip) -> str:
    now = value_of(flip.field, flip.from_) + ("" if flip.answered or flip.from_ is None else " (assumed)")
    then = in_sentence(flip.then)
    return f"{label_of(flip.field)}: {value_of(flip.field, flip.to)} instead of {now} makes it {then}."


def _question(question: NextQuestion) -> str:
    others = " or ".join(in_sentence(name) for name in question.could_become)
    return f"{question.question} Could make it {others}." if others else question.question


def _said(pairs: Iterable[tuple[str, object]]) -> list[Said]:
    return [Said(label=label_of(field), value=value_of(field, value)) for field, value in pairs]


def _planned(plan: Plan) -> list[str]:
    written = plan.evaluation_plan
    if written is None:
        return []
    models = ", ".join(_model(name) for name in written.models)
    return [
        f"{models[:1].upper()}{models[1:]}, by {written.metric} on {written.rows:,} held-out rows.",
        written.success,
        f"Written down on {day(written.written_at.date())}.",
    ]


def _findings(evaluation: EvaluationReport | None) -> list[str]:
    if evaluation is None:
        return []
    opening = (
        f"On {evaluation.rows:,} held-out rows, {day(evaluation.created_at.date())}, by {evaluation.metric_words}."
    )
    judge = [evaluation.llm_judge.words] if evaluation.llm_judge else []
    return [opening, *evaluation.reasons, *judge]


def _scores(evaluation: EvaluationReport | None) -> list[Score]:
    if evaluation is None:
        return []
    return [
        Score(model=_model(name), score=f"{task.score:.2f}", interval=f"{task.low:.2f} to {task.high:.2f}")
        for name, axes in evaluation.models.items()
        if (task := axes.get("task"))
    ]


def _model(name: str) -> str:
    words = {str(key): words for key, words in MODEL_WORDS.items()}
    return words.get(name, name)
