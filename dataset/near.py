"""Near duplicates: pairs of texts whose sets of character 5-grams have a Jaccard similarity of 0.8 or more.

MinHash finds candidates, the true sets decide. A signature holds 110 minima in 22 bands of 5: a pair at exactly 0.8
becomes a candidate with probability 1 - (1 - 0.8^5)^22 = 0.9998, and the more alike the surer. (Leskovec, Rajaraman and
Ullman, Mining of Massive Datasets, section 3.4.) Candidates whose signatures agree in less than 60 % are dropped: at
0.8 that is 5.2 standard deviations off. Time grows with the number of characters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

GRAM = 5
THRESHOLD = 0.8
BANDS, ROWS_PER_BAND = 22, 5
_AGREEMENT = 0.6
_CHUNK_CHARS = 1 << 19
_MAX_PAIRS = 200_000_000
"""Pairs of signatures that are compared at most: about a minute."""
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


def grams(text: str) -> set[str]:
    """Character 5-grams; a shorter text is its own only gram."""
    if len(text) <= GRAM:
        return {text}
    return {text[start : start + GRAM] for start in range(len(text) - GRAM + 1)}


def jaccard(one: set[str], other: set[str]) -> float:
    """Size of the intersection over size of the union."""
    both = len(one & other)
    return both / (len(one) + len(other) - both)


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
        self.complete = True
        self.pairs_left = _MAX_PAIRS

    def run(self) -> Near:

        if len(self.texts) > 1:
            self.signatures = _signatures(self.texts)
            for band in range(BANDS):
                for bucket in self._buckets(band):
                    if self.border is None:
                        self._within(bucket)
                    else:
                        self._across(bucket, self.border)
        return Near(self.partner, [self._root(index) for index in range(len(self.texts))], self.complete)

    def _buckets(self, band: int) -> Iterator[np.ndarray[Any, Any]]:
        import numpy as np

        part = self.signatures[:, band * ROWS_PER_BAND : (band + 1) * ROWS_PER_BAND].astype(np.uint64)
        key = np.zeros(len(part), dtype=np.uint64)
        for column in range(ROWS_PER_BAND):
            key = (key ^ part[:, column]) * np.uint64(0x9E3779B97F4A7C15)
            key ^= key >> np.uint64(29)
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        ends = np.r_[starts[1:], len(ordered)]
        for index in np.flatnonzero(ends - starts > 1):
            yield order[starts[index] : ends[index]]

    def _within(self, bucket: np.ndarray[Any, Any]) -> None:
        """Verify the pairs of a bucket that could still change something: a partner found, or two clusters joined."""
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
        """Verify pairs across the border until each text on the left has a partner."""
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
        """Those of `places` in the bucket whose signatures agree well with that of `one`, while the budget lasts."""
        import numpy as np

        if self.pairs_left < len(places):
            self.complete = False
            places = places[: self.pairs_left]
        if not len(places):
            return []
        self.pairs_left -= len(places)
        agreeing = np.count_nonzero(self.signatures[bucket[places]] == self.signatures[one], axis=1)
        found: list[int] = places[agreeing >= _AGREEMENT * BANDS * ROWS_PER_BAND].tolist()
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


def _signatures(texts: Sequence[str]) -> np.ndarray[Any, Any]:
    """MinHash signatures, shape (texts, 110), uint32. The same texts give the same ones on every machine."""
    import numpy as np

    random = np.random.Generator(np.random.PCG64(20_11))
    factors = random.integers(0, 1 << 31, size=BANDS * ROWS_PER_BAND, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    masks = random.integers(0, 1 << 32, size=BANDS * ROWS_PER_BAND, dtype=np.uint64).astype(np.uint32)
    result = np.empty((len(texts), BANDS * ROWS_PER_BAND), dtype=np.uint32)
    start = 0
    while start < len(texts):
        end, size = start, 0
        while end < len(texts) and (end == start or size + len(texts[end]) <= _CHUNK_CHARS):
            size += max(GRAM, len(texts[end]))
            end += 1
        hashes, offsets = _gram_hashes(texts[start:end])
        scratch = np.empty_like(hashes)
        for column, (factor, mask) in enumerate(zip(factors, masks, strict=True)):
            np.bitwise_xor(hashes, mask, out=scratch)
            np.multiply(scratch, factor, out=scratch)
            np.bitwise_xor(scratch, scratch >> np.uint32(15), out=scratch)
            np.multiply(scratch, np.uint32(0x2C1B3C6D), out=scratch)
            result[start:end, column] = np.minimum.reduceat(scratch, offsets)
        start = end
    return result


def _gram_hashes(texts: Sequence[str]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """(hashes of all 5-grams text after text, uint32; where each text begins)."""
    import numpy as np

    padded = [text if len(text) >= GRAM else text.ljust(GRAM, "\x00") for text in texts]
    codes = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    lengths = np.fromiter((len(text) for text in padded), dtype=np.int64, count=len(padded))
    ends = np.cumsum(lengths)
    hashes = np.zeros(len(codes) - GRAM + 1, dtype=np.uint32)
    for place in range(GRAM):
        hashes *= np.uint32(0x01000193)
        hashes ^= codes[place : place + len(hashes)]
        hashes *= np.uint32(0x85EBCA6B)
        hashes ^= hashes >> np.uint32(13)
    whole = np.ones(len(codes), dtype=bool)  # grams that would reach into the next text do not count
    for back in range(1, GRAM):
        whole[ends - back] = False
    counts = lengths - (GRAM - 1)
    return hashes[whole[: len(hashes)]], np.r_[0, np.cumsum(counts)[:-1]]
