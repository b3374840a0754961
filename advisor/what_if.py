"""What would change the advice, found by trying: every field, every value worth trying, all rules and bills again."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from advisor.advice import Flip, NextQuestion
from advisor.facts import TRIAL_VALUES, Facts
from advisor.money import Pricer
from advisor.rules import RULES
from advisor.scores import Scores, score
from core.answers import Answers, ApproachId

HALVINGS = 16
"""Steps towards the nearest value that flips: the interval shrinks 65,536 times."""


DONE_IS_DONE = ("prompt_tried", "has_eval_set")
"""What cannot be undone: only what may come after the present answer is tried."""


def flips_and_questions(
    facts: Facts, best: ApproachId, pricer: Pricer | None = None
) -> tuple[list[Flip], list[NextQuestion]]:
    """Flips of every field that has one, answered fields first; questions that are open, most decisive first."""
    now = score(facts, RULES)
    flips: list[Flip] = []
    questions: list[NextQuestion] = []
    for name in TRIAL_VALUES:
        tried = [(value, _with(facts, name, value, pricer)) for value in _nearest_first(facts, name)]
        flip = next(((value, other.best) for value, other in tried if other.best != best), None)
        answered = name not in facts.assumed
        if flip is not None:
            value, then = _nearest(facts, name, flip, best, pricer)
            given = {"field": name, "from": getattr(facts, name), "to": value, "then": then, "answered": answered}
            flips.append(Flip.model_validate(given))
        if not answered:
            questions += _question(name, [other for _, other in tried], now)
    flips.sort(key=lambda flip: not flip.answered)
    questions.sort(key=lambda question: (not question.could_become, -len(question.could_become), -question.moves))
    return flips, questions


def _with(facts: Facts, name: str, value: object, pricer: Pricer | None) -> Scores:
    changed: dict[str, Any] = {name: value, "assumed": facts.assumed - {name}}
    trial = replace(facts, **changed)
    if pricer is not None:
        ruled_out = score(replace(trial, money=None), RULES).vetoed
        trial = replace(trial, money=pricer.money(ruled_out, name, value))
    return score(trial, RULES)


def _nearest(
    facts: Facts, name: str, flip: tuple[object, ApproachId], best: ApproachId, pricer: Pricer | None
) -> tuple[object, ApproachId]:
    """The value nearest to the present one that still flips, between it and one that does; numbers only."""
    present, (value, then) = getattr(facts, name), flip
    if name in facts.assumed or not _is_number(present) or not _is_number(value):
        return flip
    whole = isinstance(present, int) and isinstance(value, int)
    near, far = math.log1p(float(present)), math.log1p(float(str(value)))
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        tried = _rounded(math.expm1(middle), whole, up=far > near)
        other = _with(facts, name, tried, pricer)
        if other.best == best:
            near = middle
            continue
        far, value, then = middle, tried, other.best
        if abs(far - near) < 1e-3:
            break
    return value, then


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _rounded(value: float, whole: bool, *, up: bool) -> int | float:
    """Two digits, away from the present value, so that what is shown is a value that was tried."""
    if value <= 0:
        return 0 if whole else 0.0
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    shown = (math.ceil if up else math.floor)(round(value / step, 6)) * step
    return max(round(shown), 0) if whole else round(shown, 6)


def _question(name: str, outcomes: list[Scores], now: Scores) -> list[NextQuestion]:
    """The question, unless no answer to it would move anything."""
    moves = max((abs(_lead_of(now.best, other) - now.lead) for other in outcomes), default=0)
    if not moves:
        return []
    others = dict.fromkeys(other.best for other in outcomes if other.best != now.best)
    text = Answers.model_fields[name].description or name
    return [NextQuestion(field=name, question=text, could_become=list(others), moves=moves)]


def _lead_of(best: ApproachId, scores: Scores) -> int:
    """Points of an approach before the best of the others that are open; what is ruled out lies 100 behind."""
    rivals = [scores.points[name] for name in scores.order if name != best and name not in scores.vetoed]
    lead = scores.points[best] - max(rivals, default=0)
    return lead - 100 if best in scores.vetoed else lead


def _nearest_first(facts: Facts, name: str) -> list[object]:
    """Values to try for a field, those that lie nearest to the present one first, the present one left out."""
    values, present = TRIAL_VALUES[name], getattr(facts, name)
    if name in DONE_IS_DONE and name not in facts.assumed:
        values = values[values.index(present) :]
    others = [value for value in values if value != present or name in facts.assumed]
    if present is None:
        return others
    if _is_number(present):
        return sorted(others, key=lambda value: abs(math.log1p(float(str(value))) - math.log1p(present)))
    place = values.index(present)
    return sorted(others, key=lambda value: abs(values.index(value) - place))
