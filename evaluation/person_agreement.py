"""How far a judge can be trusted, by the labels of the person who has to rely on it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.agreement import Agreement, agreement, cohens_kappa

TRUST_FROM = 0.6
"""Kappa from which a judge counts as good enough: "substantial" begins at 0.61 in Landis and Koch (1977)."""
FAIR_FROM = 0.4
FEWEST = 20
"""With fewer labels the interval is too wide to trust or to distrust anybody."""
_DRAWS = 1000


@dataclass(frozen=True)
class WithPerson:
    """One judge held against a person."""

    found: Agreement
    low: float | None
    """95 % interval of kappa, answers drawn with replacement; None where kappa is not defined."""
    high: float | None

    @property
    def kappa_words(self) -> str:
        """`kappa 0.79 (0.55 to 1.00)`."""
        if self.found.kappa is None or self.low is None or self.high is None:
            return "kappa not defined"
        return f"kappa {self.found.kappa:.2f} ({self.low:.2f} to {self.high:.2f})"

    @property
    def sentence(self) -> str:
        """`agrees with you on 27 of 30 (74 % to 97 %); kappa 0.79 (0.55 to 1.00): good enough to trust`."""
        same = self.found.same
        between = f"{same.low * 100:.0f} % to {same.high * 100:.0f} %"
        count = round(same.score * same.n)
        return f"agrees with you on {count} of {same.n} ({between}); {self.kappa_words}: {self.advice}"

    @property
    def advice(self) -> str:
        """What follows from it."""
        if self.found.n < FEWEST:
            return "too few labels to trust or distrust it"
        kappa = self.found.kappa
        if kappa is None:
            return "all got one and the same label, so these answers cannot tell"
        if kappa >= TRUST_FROM:
            return "good enough to trust"
        if kappa >= FAIR_FROM:
            return "fair, so read the answers on which you differ before you rely on it"
        return "do not rely on it: much of the agreement would come by chance"


def with_person(person: Sequence[str], judge: Sequence[str], seed: int = 0) -> WithPerson | None:
    """A judge's labels against the person's, answer by answer; None without any."""
    if not person:
        return None
    found = agreement(judge, person)
    if found.kappa is None:
        return WithPerson(found, None, None)
    chance = random.Random(seed)
    places = range(len(person))
    kappas: list[float] = []
    for _ in range(_DRAWS):
        drawn = chance.choices(places, k=len(person))
        kappa = cohens_kappa([judge[at] for at in drawn], [person[at] for at in drawn])
        # A draw of one label alone is full agreement by chance: it says nothing, and is left out.
        if kappa is not None:
            kappas.append(kappa)
    kappas.sort()
    low, high = kappas[int(0.025 * len(kappas))], kappas[min(len(kappas) - 1, int(0.975 * len(kappas)))]
    return WithPerson(found, min(low, found.kappa), max(high, found.kappa))
