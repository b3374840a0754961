"""Is this task one of choosing among a few labels? The judge, the classifiers and the pages ask here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

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
