"""The rows of a test set that are least like the training rows, where no shifted slice was set aside."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from dataset.normalise import keys_of
from dataset.row import Row
from dataset.unlike import FEATURES, NEIGHBOURS, SAMPLE


def least_like(rows: Sequence[Row], train: Sequence[Row], count: int, *, seed: int) -> list[Row]:
    """At most `count` of `rows`, those least like the training rows, in the order of the rows.

    Likeness as in `dataset.unlike`: the mean cosine to the three nearest of at most 5,000 training rows, over TF-IDF
    of character 3-grams of the user turns. Ties go to the earlier row. None where there are no training rows.
    """
    if not rows or not train or count < 1:
        return []
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    sample = random.Random(seed).sample(range(len(train)), min(SAMPLE, len(train)))
    known = _texts([train[place] for place in sorted(sample)])
    if not any(text.strip() for text in known):
        return []
    words = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(3, 3), sublinear_tf=True, max_features=FEATURES, dtype=np.float32
    )
    others = words.fit_transform(known).T.tocsc()
    found = (words.transform(_texts(rows)) @ others).toarray()
    nearest = min(NEIGHBOURS, found.shape[1])
    alike = np.partition(found, -nearest, axis=1)[:, -nearest:].mean(axis=1)
    return [rows[place] for place in sorted(np.argsort(alike, kind="stable")[:count].tolist())]


def _texts(rows: Sequence[Row]) -> list[str]:
    """All figures count as one: another order number is no other kind of row."""
    return [re.sub(r"\d+", "0", text) for text in keys_of(rows).users]
