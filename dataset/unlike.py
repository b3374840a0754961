"""How alike rows are: cosine of TF-IDF vectors of character 3-grams of the user turns, so for any language.

A row is as alike to the others as the mean of its three nearest among at most 5,000 rows drawn by the seed: one
look-alike does not make an odd row a common one, and time grows with the rows and not with their square. All figures
count as one: another order number is no other kind of row.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from dataset.normalise import keys_of
from dataset.row import Row

NEIGHBOURS = 3
SAMPLE = 5000
FEATURES = 1 << 16
_BLOCK = 1000


def likeness(rows: Sequence[Row], clusters: Sequence[Sequence[int]], *, seed: int) -> list[float]:
    """For each cluster (places of rows) how alike its rows are to those of other clusters: 0 not at all, 1 the same."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [re.sub(r"\d+", "0", text) for text in keys_of(rows).users]
    if not any(text.strip() for text in texts):
        return [0.0] * len(clusters)
    words = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(3, 3), sublinear_tf=True, max_features=FEATURES, dtype=np.float32
    )
    vectors = words.fit_transform(texts)
    cluster = np.zeros(len(rows), dtype=np.int64)
    for number, places in enumerate(clusters):
        cluster[list(places)] = number
    sample = np.array(sorted(random.Random(seed).sample(range(len(rows)), min(SAMPLE, len(rows)))))
    others = vectors[sample].T.tocsc()
    alike = np.zeros(len(rows))
    for start in range(0, len(rows), _BLOCK):
        found = (vectors[start : start + _BLOCK] @ others).toarray()
        found[cluster[start : start + _BLOCK, None] == cluster[None, sample]] = 0.0
        nearest = min(NEIGHBOURS, found.shape[1])
        alike[start : start + _BLOCK] = np.partition(found, -nearest, axis=1)[:, -nearest:].mean(axis=1)
    return [float(alike[list(places)].mean()) for places in clusters]
