"""All rules, in the order in which they are shown. To add one, see docs/add-a-rule.md."""

from __future__ import annotations

from advisor import rules_data, rules_form, rules_knowledge, rules_limits, rules_money, rules_prompting, rules_scale
from advisor.rule import Rule

FAMILIES: dict[str, tuple[Rule, ...]] = {
    "What prompting has shown": rules_prompting.RULES,
    "Examples": rules_data.RULES,
    "Facts": rules_knowledge.RULES,
    "Form and kind of work": rules_form.RULES,
    "Volume and speed": rules_scale.RULES,
    "Limits": rules_limits.RULES,
    "Money": rules_money.RULES,
}
RULES: tuple[Rule, ...] = tuple(rule for family in FAMILIES.values() for rule in family)


def table() -> str:
    """The rules as a Markdown table, as docs/advise.md shows them."""
    lines = []
    for family, rules in FAMILIES.items():
        lines += [f"### {family}", "", "| rule | fires when | for and against |", "|---|---|---|"]
        lines += [f"| `{rule.id}` | {rule.threshold} | {effect(rule)} |" for rule in rules] + [""]
    return "\n".join(lines).strip() + "\n"


def effect(rule: Rule) -> str:
    """What a rule does, in short."""
    parts = [f"{approach} {points:+d}" for approach, points in rule.points.items()]
    parts += [f"{approach} ruled out" for approach in rule.veto]
    return ", ".join([*parts, *(["a note"] if rule.note else [])])
