"""Which rules fire, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from advisor.facts import Facts
from advisor.rule import Rule
from core.answers import APPROACHES, ApproachId


@dataclass(frozen=True)
class Scores:
    """The outcome of all rules on one case."""

    fired: tuple[Rule, ...]
    points: dict[ApproachId, int]
    vetoed: frozenset[ApproachId]
    order: tuple[ApproachId, ...]
    """Best first; what is ruled out last; the cheaper start first where scores are equal."""

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
    order = tuple(sorted(APPROACHES, key=lambda name: (name in ruled_out, -points[name])))
    return Scores(fired=fired, points=points, vetoed=frozenset(ruled_out), order=order)
