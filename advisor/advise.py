"""From answers to advice: `advise(answers, today=...)`. Every score is the visible sum of the rules that fired."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from advisor.advice import Advice, Assumed, Conflict, Ranked, Reason, RunsOn, Verdict
from advisor.contradictions import contradictions
from advisor.facts import Facts, resolve
from advisor.money import Pricer
from advisor.rule import Rule, sources
from advisor.rules import RULES
from advisor.rules_money import MONEY
from advisor.scores import Scores, score, vetoes
from advisor.what_if import flips_and_questions
from core.answers import APPROACHES, Answers, ApproachId
from cost_models.report import CostReport

ACCEPTABLE_BEHIND = 30
"""Points behind the first within which an approach is still acceptable: one strong rule."""
PULLS_APART = 20
FAR_DEARER = 1.5
"""Times the cheapest from which cost speaks up against the advice."""
STRONGEST = 2


def advise(
    answers: Answers, *, today: date, cost: CostReport | None = None, overrides: dict[str, float] | None = None
) -> Advice:
    """What to do, why, and what would change it. Same answers, day, cost and prices give the same advice.

    With `cost`, the curves speak too: what probably costs least, what does not pay back; an approach that is
    recommended although it costs more says so among the conflicts. `overrides` are the prices behind `cost`.
    """
    facts = resolve(answers, today)
    pricer = Pricer(answers, today, overrides, cost.options) if cost else None
    if pricer is not None:
        facts = replace(facts, money=pricer.money(score(facts, RULES).vetoed))
    scores = score(facts, RULES)
    values = _values(facts)
    ranking = [_ranked(name, facts, scores, values) for name in scores.order]
    best = ranking[0]
    flips, questions = flips_and_questions(facts, scores.best, pricer)
    return Advice(
        recommendation=best.approach,
        variant=best.variant,
        headline=_headline(best),
        ranking=ranking,
        assumptions=[_assumption(name, facts) for name in sorted(facts.assumed) if getattr(facts, name) is not None],
        conflicts=[*_conflicts(best), *(_cost_conflicts(best, scores, cost) if cost else [])],
        flips=flips,
        questions=questions,
        contradictions=contradictions(answers),
        notes=[rule.note for rule in scores.fired if rule.note],
        tune_lives_months=_lifetime(facts),
        today=today,
    )


def _lifetime(facts: Facts) -> float | None:
    left = facts.calendar.months_left if facts.calendar else None
    return None if left is None else round(left, 1)


def _values(facts: Facts) -> dict[str, object]:
    """What the sentences may name."""
    calendar = facts.calendar
    assert calendar is not None
    shown = {name: getattr(facts, name) for name in Facts.__dataclass_fields__}
    for name in ("knowledge_need", "knowledge_freshness", "format_strictness", "task_kind"):
        shown[name] = str(shown[name]).replace("_", " ")
    return (
        shown
        | _money_values(facts)
        | {
            "prompt_percent": facts.prompt_percent,
            "target_percent": facts.target_percent,
            "language_count": len(facts.languages or ()),
            "today": calendar.today,
            "retires": calendar.retires,
            "months_left": calendar.months_left,
            "openai_last_day": calendar.openai_last_day,
            "openai_retires": calendar.openai_retires,
        }
    )


def _money_values(facts: Facts) -> dict[str, object]:
    money = facts.money
    if money is None:
        return {}
    shares: dict[str, object] = {f"cheapest_{name}": share * 100 for name, share in money.cheapest.items()}
    shares |= {f"never_{name}": share * 100 for name, share in money.never.items()}
    against = {f"against_{name}": _in_sentence(other) for name, other in money.against.items()}
    return shares | against | {"cost_months": money.months}


def _in_sentence(name: ApproachId) -> str:
    words = APPROACHES[name]
    return words if words[:2].isupper() else words[:1].lower() + words[1:]


def _ranked(name: ApproachId, facts: Facts, scores: Scores, values: dict[str, object]) -> Ranked:
    reasons = [_reason(rule, name, facts, values) for rule in scores.fired if rule.touches(name)]
    reasons = [reason for reason in reasons if reason.veto or reason.points]
    # The winner's own case comes first; a loser's reasons start with what speaks against it.
    winner = name == scores.best
    # Of equal reasons the one that names the form comes first.
    forms = {rule.id for rule in scores.fired if rule.variant and rule.variant[0] == name}
    reasons.sort(
        key=lambda reason: (
            not reason.veto, -reason.points if winner else -abs(reason.points), reason.rule not in forms
        )
    )  # fmt: skip
    return Ranked(
        approach=name,
        verdict=_verdict(name, scores),
        score=scores.points[name],
        vetoed=name in scores.vetoed,
        runs_on=_runs_on(name, facts),
        variant=_variant(name, facts, scores),
        reasons=reasons,
    )


def _reason(rule: Rule, name: ApproachId, facts: Facts, values: dict[str, object]) -> Reason:
    assumed = [field for field in rule.uses if field in facts.assumed and getattr(facts, field) is not None]
    return Reason(
        rule=rule.id,
        because=rule.because.format_map(values),
        source=sources()[rule.source],
        points=rule.points.get(name, 0),
        veto=name in rule.veto and vetoes(rule, facts),
        assumed=assumed,
    )


def _verdict(name: ApproachId, scores: Scores) -> Verdict:
    if name == scores.best:
        return "recommended"
    behind = scores.points[scores.best] - scores.points[name]
    return "avoid" if name in scores.vetoed or behind > ACCEPTABLE_BEHIND or scores.points[name] < 0 else "acceptable"


def _runs_on(name: ApproachId, facts: Facts) -> RunsOn:
    if name == "ft_managed":
        return "managed_host"
    own = name in ("ft_self", "rag_plus_ft", "from_scratch") or (facts.privacy == "strict" and name != "zero_shot")
    return "own_machines" if own else "api"


def _variant(name: ApproachId, facts: Facts, scores: Scores) -> str | None:
    found = [rule.variant[1] for rule in scores.fired if rule.variant and rule.variant[0] == name]
    if not found and facts.privacy == "strict" and name in ("few_shot", "rag"):
        return "open_model"
    return found[0] if found else None


def _headline(best: Ranked) -> str:
    pros = [reason for reason in best.reasons if reason.points > 0]
    # Money is said last: it is the reason that another month's prices may take away.
    pro = [reason.because for reason in sorted(pros, key=lambda reason: reason.rule in MONEY)][:STRONGEST]
    return " ".join(pro) or f"{APPROACHES[best.approach]} is what is left when the others are ruled out."


def _assumption(name: str, facts: Facts) -> Assumed:
    value = getattr(facts, name)
    words = "yes" if value is True else "no" if value is False else value
    if isinstance(words, int | float):
        words = f"{words:,g}" if words < 1e6 else f"{words:,.0f}"
    says = f"{name.replace('_', ' ').capitalize()}: {str(words).replace('_', ' ')}."
    return Assumed(field=name, value=value, says=says)


def _conflicts(best: Ranked) -> list[Conflict]:
    """Strong rules for and against what is recommended."""
    pros = [reason for reason in best.reasons if reason.points >= PULLS_APART]
    contras = [reason for reason in best.reasons if reason.points <= -PULLS_APART]
    if not pros:
        return []
    return [
        Conflict(
            approach=best.approach,
            pro=pros[0].rule,
            contra=contra.rule,
            says=f"For it: {pros[0].because} Against it: {contra.because}",
        )
        for contra in contras
    ]


def _cost_conflicts(row: Ranked, scores: Scores, cost: CostReport) -> list[Conflict]:
    """Advice and curve do not contradict each other silently: what costs more is recommended for a reason said here."""
    best, horizon = scores.best, cost.months[-1]
    ends = {name: cost.curves[name].p50[-1] for name in scores.order if name not in scores.vetoed}
    cheapest = min(ends, key=lambda name: ends[name])
    if ends[best] <= ends[cheapest] * FAR_DEARER:
        return []
    never = next((pair.never for pair in cost.break_even if (pair.cheaper, pair.than) == (best, cheapest)), None)
    pays = "" if never is None else f" In {never * 100:.0f} % of the draws it does not pay back in that time."
    others = [reason.because for reason in row.reasons if reason.points > 0 and reason.rule not in MONEY]
    why = f"Why all the same: {others[0]}" if others else "Nothing else that was said speaks for another approach."
    return [
        Conflict(
            approach=best,
            pro="advice",
            contra="cost",
            says=f"On cost alone {APPROACHES[cheapest]} wins: about {ends[cheapest]:,.0f} USD over {horizon} months "
            f"against {ends[best]:,.0f} for {APPROACHES[best]}.{pays} {why}",
        )
    ]
