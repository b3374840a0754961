"""Which rules fire, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from advisor.facts import Facts
from advisor.rule import Rule
from advisor.rules_money import MONEY, NO_PAYBACK
from core.answers import APPROACHES, ApproachId


@dataclass(frozen=True)
class Scores:
    """The outcome of all rules on one case."""

    fired: tuple[Rule, ...]
    points: dict[ApproachId, int]
    vetoed: frozenset[ApproachId]
    unfounded: frozenset[ApproachId]
    """Does not pay back, and nothing but money could speak for it."""
    order: tuple[ApproachId, ...]
    """Best first, what is ruled out last and what is unfounded before it; the cheaper start first where scores tie."""

    @property
    def best(self) -> ApproachId:
        """The recommended approach."""
        return self.order[0]

    @property
    def lead(self) -> int:
        """Points between the first and the second that is not ruled out."""
        open_ = [name for name in self.order if name not in self.vetoed]
        return self.points[open_[0]] - self.points[open_[1]] if len(open_) > 1 else 0


def vetoes(rule: Rule, facts: Facts) -> bool:
    """True when the rule rules something out and rests on answers: an assumption never vetoes."""
    return bool(rule.veto) and not any(field in facts.assumed for field in rule.uses)


def score(facts: Facts, rules: Iterable[Rule]) -> Scores:
    """All rules on one case."""
    fired = tuple(rule for rule in rules if rule.when(facts))
    points = dict.fromkeys(APPROACHES, 0)
    ruled_out: set[ApproachId] = set()
    for rule in fired:
        for name, value in rule.points.items():
            points[name] += value
        if vetoes(rule, facts):
            ruled_out.update(rule.veto)
    unpaid = {NO_PAYBACK[rule.id] for rule in fired if rule.id in NO_PAYBACK}
    unfounded = {name for name in unpaid if not any(speaks_for(rule, name) for rule in fired)}
    order = tuple(sorted(APPROACHES, key=lambda name: (name in ruled_out, name in unfounded, -points[name])))
    return Scores(fired=fired, points=points, vetoed=frozenset(ruled_out), unfounded=frozenset(unfounded), order=order)


def speaks_for(rule: Rule, name: ApproachId) -> bool:
    """True for a reason to choose the approach that is not money."""
    return rule.points.get(name, 0) > 0 and rule.id not in MONEY
