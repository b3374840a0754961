"""What would change the advice, found by trying: every field, every value worth trying, all rules again."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from advisor.advice import Flip, NextQuestion
from advisor.facts import TRIAL_VALUES, Facts
from advisor.rules import RULES
from advisor.scores import Scores, score
from core.answers import Answers, ApproachId


def flips_and_questions(facts: Facts, best: ApproachId) -> tuple[list[Flip], list[NextQuestion]]:
    """Flips of every field that has one, answered fields first; questions that are open, most decisive first."""
    now = score(facts, RULES)
    flips: list[Flip] = []
    questions: list[NextQuestion] = []
    for name in TRIAL_VALUES:
        tried = [(value, _with(facts, name, value)) for value in _nearest_first(facts, name)]
        flip = next(((value, other.best) for value, other in tried if other.best != best), None)
        answered = name not in facts.assumed
        if flip is not None:
            value, then = flip
            given = {"field": name, "from": getattr(facts, name), "to": value, "then": then, "answered": answered}
            flips.append(Flip.model_validate(given))
        if not answered:
            questions += _question(name, [other for _, other in tried], now)
    flips.sort(key=lambda flip: not flip.answered)
    questions.sort(key=lambda question: (not question.could_become, -len(question.could_become), -question.moves))
    return flips, questions


def _with(facts: Facts, name: str, value: object) -> Scores:
    changed: dict[str, Any] = {name: value, "assumed": facts.assumed - {name}}
    return score(replace(facts, **changed), RULES)


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
    others = [value for value in values if value != present or name in facts.assumed]
    if present is None:
        return others
    if isinstance(present, int | float) and not isinstance(present, bool):
        return sorted(others, key=lambda value: abs(math.log1p(float(str(value))) - math.log1p(present)))
    place = values.index(present)
    return sorted(others, key=lambda value: abs(values.index(value) - place))
