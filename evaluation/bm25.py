"""Okapi BM25: which training rows are most like a question, by the words that they share.

Robertson and Zaragoza 2009, Foundations and Trends in Information Retrieval 3 (4), with the idf of Lucene, which is
never negative:

    score(q, d) = sum over words w of q:  idf(w) * f(w, d) * (k1 + 1) / (f(w, d) + k1 * (1 - b + b * |d| / mean |d|))
    idf(w) = ln(1 + (N - n(w) + 0.5) / (n(w) + 0.5))

f is how often w stands in d, |d| the words of d, N the number of texts, n(w) those that hold w.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from evaluation.metrics import words_of

K1 = 1.2
B = 0.75


class Bm25:
    """An index over texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        counts = [Counter(words_of(text)) for text in texts]
        lengths = [sum(count.values()) for count in counts]
        mean = sum(lengths) / len(lengths) if lengths else 0.0
        self._norms = [K1 * (1 - B + B * (length / mean if mean else 1.0)) for length in lengths]
        self._holders: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for at, count in enumerate(counts):
            for word, times in count.items():
                self._holders[word].append((at, times))

    def best(self, question: str, k: int) -> list[int]:
        """Places of the `k` texts most like the question, the best first; equal ones in their own order.

        Texts that share no word with it come last, so that there are always as many as asked for (or as there are).
        """
        scores = [0.0] * len(self._norms)
        for word in words_of(question):
            holders = self._holders.get(word, ())
            idf = math.log(1 + (len(scores) - len(holders) + 0.5) / (len(holders) + 0.5))
            for at, times in holders:
                scores[at] += idf * times * (K1 + 1) / (times + self._norms[at])
        return sorted(range(len(scores)), key=lambda at: -scores[at])[:k]
