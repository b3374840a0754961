"""The classifier that always stands in the table of a label task: TF-IDF and logistic regression.

If it wins, no language model should be tuned for this: it is trained in a second and answers in a microsecond. A job
with `learner: classic` keeps the very same one (`training.classic`).
"""

from __future__ import annotations

from collections.abc import Sequence

from dataset.label_task import is_label_task, labels_of
from serving.classic_classifier import unfitted

__all__ = ["classify", "is_label_task", "labels_of"]


def classify(train: Sequence[tuple[str, str]], inputs: Sequence[str], seed: int) -> list[str]:
    """Labels for `inputs` by a classifier fitted on `(input, label)` rows."""
    labels = [label.strip() for _, label in train]
    if len(set(labels)) < 2:
        return [labels[0] if labels else ""] * len(inputs)
    pipeline = unfitted(seed)
    pipeline.fit([text for text, _ in train], labels)
    return [str(label) for label in pipeline.predict(list(inputs))]
