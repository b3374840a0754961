"""Near duplicates: pairs of texts whose sets of character 5-grams have a Jaccard similarity of 0.8 or more.

Sketches find candidates, the true sets decide. A sketch holds 110 minima in 22 bands of 5: a pair at exactly 0.8
becomes a candidate with probability 1 - (1 - 0.8^5)^22 = 0.9998, and the more alike the surer. (Leskovec, Rajaraman and
Ullman, Mining of Massive Datasets, section 3.4.) Candidates whose sketches agree in less than 66 % are dropped: at 0.8
that is 3.7 standard deviations off. Time grows with the number of characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataset.grams import jaccards
from dataset.sketches import BANDS, PLACES, Sketched, sketched

if TYPE_CHECKING:
    import numpy as np

THRESHOLD = 0.8
_AGREEMENT = 0.66
_SMALL_BUCKET = 64
"""Texts in a bucket up to which all its pairs are compared at once."""
_PAIRS_AT_ONCE = 1 << 16
_BEST = 16
"""Candidates of one text in a large bucket that are verified at once, the best first; if all of them fail, so will the
rest."""
_MAX_PAIRS = 4_000_000_000
"""Pairs of sketches that are compared at most in large buckets: less than a minute."""
_MAX_REFUSED = 1_000_000
"""Candidates that turn out not to be near, at most: about a quarter of a minute."""


@dataclass(frozen=True, slots=True)
class Near:
    """Who is near whom."""

    partner: list[int]
    """Index of one near partner, -1 where there is none."""
    cluster: list[int]
    """Index of the cluster's first text; texts are in one cluster when a chain of near pairs links them."""
    complete: bool
    """False where there were too many look-alikes to try every pair: the counts are then a lower bound."""


def near_duplicates(texts: Sequence[str] | Sketched) -> Near:
    """Near partners and clusters among distinct `texts`."""
    return _Search(_sketched(texts), None).run()


def near_between(texts: Sequence[str] | Sketched, others: Sequence[str] | Sketched) -> list[int]:
    """For each of `texts` the index of a near one among `others`, or -1. Equal pairs count as near too."""
    left, right = _sketched(texts), _sketched(others)
    border = len(left.texts)
    if not border or not right.texts:
        return [-1] * border
    found = _Search(left.followed_by(right), border).run()
    return [partner - border if partner >= 0 else -1 for partner in found.partner[:border]]


def _sketched(texts: Sequence[str] | Sketched) -> Sketched:
    return texts if isinstance(texts, Sketched) else sketched(texts)


class _Search:
    """State of one search. With `border`, only pairs across it count, and the right side needs no partner."""

    def __init__(self, sketched: Sketched, border: int | None) -> None:
        self.texts = sketched.texts
        self.bands = sketched.bands
        self.marks = sketched.marks
        self.border = border
        self.partner = [-1] * len(self.texts)
        self.parent = list(range(len(self.texts)))
        self.refused: set[tuple[int, int]] = set()
        self.complete = True
        self.pairs_left = _MAX_PAIRS

    def run(self) -> Near:
        if len(self.texts) > 1:
            for band in range(BANDS):
                order, starts, sizes = self._buckets(band)
                self._small(order, starts, sizes)
                for index in (sizes > _SMALL_BUCKET).nonzero()[0].tolist():
                    bucket = order[starts[index] : starts[index] + sizes[index]]
                    bucket.sort()
                    if self.border is None:
                        self._within(bucket)
                    else:
                        self._across(bucket, self.border)
        return Near(self.partner, [self._root(index) for index in range(len(self.texts))], self.complete)

    def _buckets(self, band: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """(texts, those of one bucket side by side; where each bucket of two or more starts; its size)."""
        import numpy as np

        order = np.argsort(self.bands[band])
        ordered = self.bands[band][order]
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
        agreeing = (self.marks[low] == self.marks[high]).view(np.uint8).sum(axis=1, dtype=np.uint8)
        enough = agreeing >= _AGREEMENT * PLACES
        pairs = zip(low[enough].tolist(), high[enough].tolist(), strict=True)
        self._near_ones([pair for pair in pairs if self._would_change(*pair)])

    def _would_change(self, one: int, other: int) -> bool:
        """A pair that matters if it is near: a partner found, or two clusters joined."""
        if self.partner[one] < 0 or (self.border is None and self.partner[other] < 0):
            return True
        return self.border is None and self._root(one) != self._root(other)

    def _near_ones(self, pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Those of the pairs that are near; they are joined. The lower index stands first."""
        new = [pair for pair in pairs if pair not in self.refused]
        if new and len(self.refused) >= _MAX_REFUSED:
            self.complete = False
            return []
        alike = jaccards([self.texts[one] for one, _ in new], [self.texts[other] for _, other in new]) >= THRESHOLD
        found = [pair for pair, is_near in zip(new, alike.tolist(), strict=True) if is_near]
        if len(found) < len(new):
            self.refused.update(set(new).difference(found))
        for pair in found:
            self._join(*pair)
        return found

    def _within(self, bucket: np.ndarray[Any, Any]) -> None:
        """Verify the pairs of a large bucket, most of which need not be looked at."""
        import numpy as np

        members, marks = bucket.tolist(), np.ascontiguousarray(self.marks[bucket].T)
        cluster = np.array([self._root(member) for member in members])
        alone = np.array([self.partner[member] < 0 for member in members])
        where = {member: place for place, member in enumerate(members)}
        for place, one in enumerate(members[:-1]):
            matters = alone[place + 1 :] | alone[place] | (cluster[place + 1 :] != cluster[place])
            if not matters.any():
                continue
            best = self._best_first(marks[:, place + 1 :], marks[:, place], matters)
            for start in range(0, len(best), _BEST):
                others = [members[place + 1 + at] for at in best[start : start + _BEST].tolist()]
                others = [other for other in others if self._would_change(one, other)]
                found = self._near_ones([(one, other) for other in others])
                if others and not found:
                    self.complete &= start + _BEST >= len(best)
                    break
                for _, other in found:
                    at = where[other]
                    alone[place] = alone[at] = False
                    cluster[cluster == cluster[at]] = cluster[place]

    def _across(self, bucket: np.ndarray[Any, Any], border: int) -> None:
        """Verify pairs of a large bucket across the border until each text on the left has a partner."""
        import numpy as np

        right = bucket[bucket >= border]
        marks, every = np.ascontiguousarray(self.marks[right].T), np.ones(len(right), dtype=bool)
        for one in bucket[bucket < border].tolist() if len(right) else ():
            if self.partner[one] < 0:
                best = right[self._best_first(marks, self.marks[one], every)]
                if len(best):
                    self._near_ones([(one, other) for other in best[:_BEST].tolist()])
                    self.complete &= self.partner[one] >= 0 or len(best) <= _BEST

    def _best_first(
        self, marks: np.ndarray[Any, Any], own: np.ndarray[Any, Any], matters: np.ndarray[Any, Any]
    ) -> np.ndarray[Any, Any]:
        """Places of the sketches (columns of `marks`) that agree well with `own`, the best first."""
        import numpy as np

        if self.pairs_left < len(matters):
            self.complete = False
            return np.zeros(0, dtype=np.int64)
        self.pairs_left -= len(matters)
        agreeing = (marks == own[:, None]).view(np.uint8).sum(axis=0, dtype=np.uint8)
        found = np.flatnonzero(matters & (agreeing >= _AGREEMENT * PLACES))
        best: np.ndarray[Any, Any] = found[np.argsort(PLACES - agreeing[found], kind="stable")]
        return best

    def _join(self, one: int, other: int) -> None:
        for index, partner in ((one, other), (other, one)):
            if self.partner[index] < 0:
                self.partner[index] = partner
        low, high = sorted((self._root(one), self._root(other)))
        self.parent[high] = low

    def _root(self, index: int) -> int:
        while self.parent[index] != index:
            self.parent[index] = self.parent[self.parent[index]]
            index = self.parent[index]
        return index
