"""Rules about money, read off the curves: what probably costs least, and what does not pay back.

They fire only where the curves were worked out, and there is one of each kind for every approach. They lean and do not
decide: retrieval and tuning are seldom built to save money.
"""

from __future__ import annotations

from advisor.facts import Facts
from advisor.money import TUNED
from advisor.rule import Rule
from core.answers import APPROACHES, ApproachId

PROBABLY = 0.5
HARDLY_EVER = 0.8
TRIED_BY: dict[ApproachId, tuple[str, ...]] = {
    "zero_shot": ("zero_shot", "few_shot", "long_few_shot", "rag"),
    "few_shot": ("few_shot", "long_few_shot"),
}
"""Where one of these was measured, so was the approach, or something better."""


def falls_short(name: ApproachId, facts: Facts) -> bool:
    """True for prompting that misses the target, as what was measured shows: being cheap is then no reason for it."""
    return facts.good_enough is False and facts.prompt_tried in TRIED_BY.get(name, ())


def _is_cheapest(name: ApproachId, facts: Facts) -> bool:
    if facts.money is None or falls_short(name, facts):
        return False
    return facts.money.cheapest[name] >= PROBABLY


def _never_pays_back(name: ApproachId, facts: Facts) -> bool:
    return facts.money is not None and facts.money.never[name] >= HARDLY_EVER


def _cheapest(name: ApproachId) -> Rule:
    return Rule(
        id=f"cheapest_{name}",
        when=lambda f: _is_cheapest(name, f),
        because=f"{APPROACHES[name]} has cost least after {{cost_months}} months in {{cheapest_{name}:.0f}} % of the "
        "draws.",
        uses=("volume_per_month", "prompt_tried", "prompt_quality", "target_quality"),
        threshold=f"{name} costs least by the horizon in at least 50 % of the draws"
        + (", and is not known to miss the target" if name in TRIED_BY else ""),
        source="curves",
        points={name: 10},
    )


def _never(name: ApproachId) -> Rule:
    other = "rag" if name == "rag_plus_ft" else "prompting"
    other = "rag" if name == "rag_plus_ft" else "prompting"
    return Rule(
        id=f"no_payback_{name}",
        when=lambda f: _never_pays_back(name, f),
        because=f"In {{never_{name}:.0f}} % of the draws it has not paid back against {{against_{name}}} after "
        "{cost_months} months.",
        uses=("volume_per_month",),
        threshold=f"{name} is not cheaper than {other} by the horizon in at least 80 % of the draws",
        source="curves",
        points={name: -10},
    )


RULES = (
    *(_cheapest(name) for name in APPROACHES if name != "from_scratch"),
    *(_never(name) for name in TUNED),
)
NO_PAYBACK = {rule.id: name for rule, name in zip(RULES[-len(TUNED) :], TUNED, strict=True)}
"""Rules that say that an approach does not pay back, and which one."""
MONEY = frozenset(rule.id for rule in RULES)
