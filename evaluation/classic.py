"""The classifier that always stands in the table of a label task: TF-IDF and logistic regression.

If it wins, no language model should be tuned for this: it is trained in a second and answers in a microsecond.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

MIN_ROWS = 6
MIN_ROWS_PER_LABEL = 3
"""On average. The check of the data calls answers labels from here on too."""


def is_label_task(answers: Sequence[str]) -> bool:
    """True where answers are few and repeat: two or more different ones, and three rows or more to each on average.

    Answers of any length and form count, JSON too: where few of them repeat, a classifier can choose among them.
    """
    said = [answer.strip() for answer in answers if answer.strip()]
    return len(said) >= MIN_ROWS and 2 <= len(set(said)) <= len(said) // MIN_ROWS_PER_LABEL


def labels_of(answers: Sequence[str]) -> list[str]:
    """The labels, the most frequent first."""
    return [label for label, _ in Counter(answer.strip() for answer in answers).most_common()]


def classify(train: Sequence[tuple[str, str]], inputs: Sequence[str], seed: int) -> list[str]:
    """Labels for `inputs` by a classifier fitted on `(input, label)` rows."""
    labels = [label.strip() for _, label in train]
    if len(set(labels)) < 2:
        return [labels[0] if labels else ""] * len(inputs)
    pipeline = _pipeline(seed)
    pipeline.fit([text for text, _ in train], labels)
    return [str(label) for label in pipeline.predict(list(inputs))]


def _pipeline(seed: int) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    # Words and pairs for what is said, characters for spelling and for scripts without spaces.
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b|\S"),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, max_features=50_000),
    )
    return make_pipeline(features, LogisticRegression(C=10.0, max_iter=1000, random_state=seed))
