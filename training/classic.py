"""Fit TF-IDF with logistic regression: seconds on a processor, and often as good as anything."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import BadInput
from serving.classic_classifier import Numbers, unfitted
from serving.classifier import ClassifierCard


@dataclass(frozen=True)
class FittedClassic:
    """What `serving.classic_classifier` saves and opens."""

    card: ClassifierCard
    weights: dict[str, Numbers]
    settled: bool
    """False where the fit was ended before it came to rest."""


def fit_classic(texts: Sequence[str], labels: Sequence[str], seed: int) -> FittedClassic:
    """The classifier of these rows. Raises `BadInput` where there are not two labels, or no text has a word."""
    if len(set(labels)) < 2:
        raise BadInput("all rows have the same answer.", "A classifier needs two labels or more.")
    from sklearn.exceptions import ConvergenceWarning

    pipeline = unfitted(seed)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ConvergenceWarning)
        try:
            pipeline.fit(list(texts), list(labels))
        except ValueError as error:
            if "empty vocabulary" not in str(error):
                raise
            raise BadInput("no row has a text to sort by.", "Give rows with an input.") from error
    (_, words), (_, pieces) = pipeline[0].transformer_list
    model = pipeline[1]
    coef, intercept = np.asarray(model.coef_), np.asarray(model.intercept_)
    if len(coef) == 1:  # two labels: one row that speaks for the second
        coef, intercept = np.vstack([np.zeros_like(coef), coef]), np.array([0.0, float(intercept[0])])
    return FittedClassic(
        ClassifierCard(
            version=1,
            form="classic",
            labels=[str(label) for label in model.classes_],
            words=_in_order(words.vocabulary_),
            pieces=_in_order(pieces.vocabulary_),
        ),
        {
            "words_idf": words.idf_.astype(np.float32),
            "pieces_idf": pieces.idf_.astype(np.float32),
            "coef": coef.astype(np.float32),
            "intercept": intercept.astype(np.float32),
        },
        settled=not any(issubclass(each.category, ConvergenceWarning) for each in told),
    )


def _in_order(vocabulary: dict[str, int]) -> list[str]:
    return sorted(vocabulary, key=lambda term: vocabulary[term])
