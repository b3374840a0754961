"""Near duplicates: pairs of texts whose sets of character 5-grams have a Jaccard similarity of 0.8 or more.

Sketches find candidates, the true sets decide. A sketch holds 110 minima in 22 bands of 5: a pair at exactly 0.8
becomes a candidate with probability 1 - (1 - 0.8^5)^22 = 0.9998, and the more alike the surer. (Leskovec, Rajaraman and
Ullman, Mining of Massive Datasets, section 3.4.) Candidates whose sketches agree in less than 60 % are dropped: at 0.8
that is 5.2 standard deviations off. Time grows with the number of characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataset.grams import grams, jaccard, jaccards
from dataset.sketches import PLACES, sketches

if TYPE_CHECKING:
    import numpy as np

THRESHOLD = 0.8
BANDS, ROWS_PER_BAND = 22, 5
_AGREEMENT = 0.6
_SMALL_BUCKET = 16
"""Texts in a bucket up to which all its pairs are compared at once."""
_PAIRS_AT_ONCE = 1 << 16
_MAX_PAIRS = 200_000_000
"""Pairs of sketches of large buckets that are compared at most: about a minute."""
_MAX_GRAM_SETS = 4000


@dataclass(frozen=True, slots=True)
class Near:
    """Who is near whom."""

    partner: list[int]
    """Index of one near partner, -1 where there is none."""
    cluster: list[int]
    """Index of the cluster's first text; texts are in one cluster when a chain of near pairs links them."""
    complete: bool
    """False where there were too many look-alikes to try every pair: the counts are then a lower bound."""


def near_duplicates(texts: Sequence[str]) -> Near:
    """Near partners and clusters among distinct `texts`."""
    return _Search(texts, None).run()


def near_between(texts: Sequence[str], others: Sequence[str]) -> list[int]:
    """For each of `texts` the index of a near one among `others`, or -1. Equal pairs count as near too."""
    found = _Search([*texts, *others], len(texts)).run()
    return [partner - len(texts) if partner >= 0 else -1 for partner in found.partner[: len(texts)]]


class _Search:
    """State of one search. With `border`, only pairs across it count, and the right side needs no partner."""

    def __init__(self, texts: Sequence[str], border: int | None) -> None:
        self.texts = texts
        self.border = border
        self.partner = [-1] * len(texts)
        self.parent = list(range(len(texts)))
        self.sets: dict[int, set[str]] = {}
        self.refused: set[tuple[int, int]] = set()
        self.complete = True
        self.pairs_left = _MAX_PAIRS

    def run(self) -> Near:

        if len(self.texts) > 1 and self.border not in (0, len(self.texts)):
            self.sketches = sketches(self.texts)
            for band in range(BANDS):
                order, starts, sizes = self._buckets(band)
                self._small(order, starts, sizes)
                for index in (sizes > _SMALL_BUCKET).nonzero()[0].tolist():
                    bucket = order[starts[index] : starts[index] + sizes[index]]
                    if self.border is None:
                        self._within(bucket)
                    else:
                        self._across(bucket, self.border)
        return Near(self.partner, [self._root(index) for index in range(len(self.texts))], self.complete)

    def _buckets(self, band: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """(texts, those of one bucket side by side; where each bucket of two or more starts; its size)."""
        import numpy as np

        key = np.zeros(len(self.texts), dtype=np.uint64)
        for place in range(band * ROWS_PER_BAND, (band + 1) * ROWS_PER_BAND):
            key = (key ^ self.sketches[:, place]) * np.uint64(0x9E3779B97F4A7C15)
            key ^= key >> np.uint64(29)
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        sizes = np.diff(np.r_[starts, len(ordered)])
        return order, starts[sizes > 1], sizes[sizes > 1]

    def _small(self, order: np.ndarray[Any, Any], starts: np.ndarray[Any, Any], sizes: np.ndarray[Any, Any]) -> None:
        """Verify the pairs of a band's small buckets."""
        import numpy as np

        for size in range(2, _SMALL_BUCKET + 1):
            members = order[starts[sizes == size, None] + np.arange(size)]
            first, second = np.triu_indices(size, 1)
            rows = max(1, _PAIRS_AT_ONCE // len(first))
            for start in range(0, len(members), rows):
                some = np.sort(members[start : start + rows], axis=1)
                self._verify(some[:, first].reshape(-1), some[:, second].reshape(-1))

    def _verify(self, low: np.ndarray[Any, Any], high: np.ndarray[Any, Any]) -> None:
        """Verify pairs of indices, the lower one in `low`."""
        import numpy as np

        if self.border is not None:
            across = (low < self.border) & (high >= self.border)
            low, high = low[across], high[across]
        agreeing = np.count_nonzero(self.sketches[low] == self.sketches[high], axis=1) >= _AGREEMENT * PLACES
        pairs = zip(low[agreeing].tolist(), high[agreeing].tolist(), strict=True)
        pairs_left = [pair for pair in pairs if self._would_change(*pair)]
        alike = jaccards([self.texts[one] for one, _ in pairs_left], [self.texts[other] for _, other in pairs_left])
        for (one, other), is_near in zip(pairs_left, (alike >= THRESHOLD).tolist(), strict=True):
            if is_near:
                self._join(one, other)
            else:
                self.refused.add((one, other))

    def _would_change(self, one: int, other: int) -> bool:
        """A pair that matters if it is near: a partner found, or two clusters joined."""
        if self.partner[one] < 0 or (self.border is None and self.partner[other] < 0):
            return (one, other) not in self.refused
        joins = self.border is None and self._root(one) != self._root(other)
        return joins and (one, other) not in self.refused

    def _within(self, bucket: np.ndarray[Any, Any]) -> None:
        """Verify the pairs of a large bucket, most of which need not be looked at."""
        import numpy as np

        members = bucket.tolist()
        cluster = np.array([self._root(member) for member in members])
        alone = np.array([self.partner[member] < 0 for member in members])
        for place, one in enumerate(members[:-1]):
            rest = np.arange(place + 1, len(members))
            if not alone[place]:
                rest = rest[alone[rest] | (cluster[rest] != cluster[place])]
            for other in self._candidates(one, bucket, rest):
                if not alone[place] and not alone[other] and cluster[place] == cluster[other]:
                    continue
                if self._is_near(one, members[other]):
                    self._join(one, members[other])
                    alone[place] = alone[other] = False
                    cluster[cluster == cluster[other]] = cluster[place]

    def _across(self, bucket: np.ndarray[Any, Any], border: int) -> None:
        """Verify pairs of a large bucket across the border until each text on the left has a partner."""
        import numpy as np

        right = np.flatnonzero(bucket >= border)
        if not len(right):
            return
        for one in bucket[bucket < border].tolist():
            if self.partner[one] < 0:
                for other in self._candidates(one, bucket, right):
                    if self._is_near(one, int(bucket[other])):
                        self.partner[one] = int(bucket[other])
                        break

    def _candidates(self, one: int, bucket: np.ndarray[Any, Any], places: np.ndarray[Any, Any]) -> list[int]:
        """Those of `places` in the bucket whose sketches agree well with that of `one`, while the budget lasts."""
        import numpy as np

        if self.pairs_left < len(places):
            self.complete = False
            places = places[: self.pairs_left]
        if not len(places):
            return []
        self.pairs_left -= len(places)
        agreeing = np.count_nonzero(self.sketches[bucket[places]] == self.sketches[one], axis=1)
        found: list[int] = places[agreeing >= _AGREEMENT * PLACES].tolist()
        return found

    def _is_near(self, one: int, other: int) -> bool:
        return jaccard(self._grams(one), self._grams(other)) >= THRESHOLD

    def _join(self, one: int, other: int) -> None:
        for index, partner in ((one, other), (other, one)):
            if self.partner[index] < 0:
                self.partner[index] = partner
        low, high = sorted((self._root(one), self._root(other)))
        self.parent[high] = low

    def _grams(self, index: int) -> set[str]:
        found = self.sets.get(index)
        if found is None:
            if len(self.sets) >= _MAX_GRAM_SETS:
                self.sets.clear()
            found = self.sets[index] = grams(self.texts[index])
        return found

    def _root(self, index: int) -> int:
        while self.parent[index] != index:
            self.parent[index] = self.parent[self.parent[index]]
            index = self.parent[index]
        return index
