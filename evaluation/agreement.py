"""How often a judge says what a person says, and how much of that is more than chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluation.stats import Interval, wilson


@dataclass(frozen=True)
class Agreement:
    """Two judges on the same answers."""

    same: Interval
    """Share of equal labels, with its 95 % Wilson interval."""
    kappa: float | None
    """Cohen's kappa; None where both gave one and the same label throughout, so that chance explains everything."""
    n: int


def agreement(ours: Sequence[str], theirs: Sequence[str]) -> Agreement:
    """Labels of two judges, answer by answer. Needs at least one answer; lengths must be equal."""
    same = sum(one == other for one, other in zip(ours, theirs, strict=True))
    return Agreement(wilson(same, len(ours)), cohens_kappa(ours, theirs), len(ours))


def cohens_kappa(ours: Sequence[str], theirs: Sequence[str]) -> float | None:
    """`(observed - expected) / (1 - expected)`, expected from each judge's own shares of labels (Cohen 1960)."""
    n = len(ours)
    observed = sum(one == other for one, other in zip(ours, theirs, strict=True)) / n
    mine, other_counts = Counter(ours), Counter(theirs)
    expected = sum(mine[label] * other_counts[label] for label in mine) / n**2
    return None if expected == 1 else (observed - expected) / (1 - expected)


def agreement_table(first: str, groups: Mapping[str, tuple[Sequence[str], Sequence[str]]]) -> str:
    """A Markdown table with one row for each group of answers; `first` names what the groups are."""
    lines = [f"| {first} | answers | same label | 95 % interval | kappa |", "|---|---|---|---|---|"]
    for name, (ours, theirs) in groups.items():
        found = agreement(ours, theirs)
        kappa = "not defined" if found.kappa is None else f"{found.kappa:.2f}"
        between = f"{found.same.low:.0%} to {found.same.high:.0%}"
        lines.append(f"| {name} | {found.n} | {found.same.score:.1%} | {between} | {kappa} |".replace("%", " %"))
    return "\n".join(lines)


def confusion_table(labels: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> str:
    """A Markdown table of how often which label met which: a row is what the other judge (a person, say) said."""
    lines = [f"| labelled as | {' | '.join(labels)} |", f"|---|{'---|' * len(labels)}"]
    counts = Counter(zip(theirs, ours, strict=True))
    lines += [f"| {said} | {' | '.join(str(counts[said, label]) for label in labels)} |" for said in labels]
    return "\n".join(lines)
