"""TF-IDF with logistic regression, from plain lists and numbers: what reads a text is code of ours, never of a file.

A text becomes two vectors, of words with pairs and of pieces of letters; each count c counts as 1 + ln c, times the
idf, at length 1. The likeliest label has the largest of `intercept + coef . text`. scikit-learn fits the numbers
(`training.classic`) and cuts the texts; a test holds the answers against its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import BadInput, Refused
from serving.classifier import AGAIN, WEIGHTS, ClassifierCard, Form, Sorted

WORDS: dict[str, Any] = {"ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b|\S"}
PIECES: dict[str, Any] = {"analyzer": "char_wb", "ngram_range": (2, 4)}
MOST_PIECES = 50_000
"""Words and pairs for what is said, pieces of letters for spelling and for scripts without spaces."""
AT_ONCE = 2_000
"""Texts that are worked out together: bounds the memory."""
Numbers = NDArray[np.float32]


class ClassicClassifier:
    """Opened and ready."""

    form: Form = "classic"

    def __init__(self, card: ClassifierCard, weights: dict[str, Numbers]) -> None:
        """Raises `BadInput` where the numbers do not fit the card."""
        _refuse_misfits(card, weights)
        self.labels = card.labels
        # In the form of the product, once: a single text must not pay for it.
        self._coef = np.ascontiguousarray(weights["coef"].T.astype(np.float64))
        self._intercept = weights["intercept"].astype(np.float64)
        self._count = [
            (_counter(card.words, WORDS), weights["words_idf"]),
            (_counter(card.pieces, PIECES), weights["pieces_idf"]),
        ]

    @classmethod
    def load(cls, folder: Path, card: ClassifierCard) -> ClassicClassifier:
        """Raises `BadInput`, or `Refused` where safetensors is not installed."""
        return cls(card, read_numbers(folder / WEIGHTS))

    def sort(self, texts: Sequence[str]) -> list[Sorted]:
        """A label for each text."""
        found: list[Sorted] = []
        for start in range(0, len(texts), AT_ONCE):
            shares = self.shares(texts[start : start + AT_ONCE])
            best = shares.argmax(axis=1)
            found += [Sorted(self.labels[place], float(row[place])) for place, row in zip(best, shares, strict=True)]
        return found

    def shares(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """How likely each label is, shape (texts, labels)."""
        from scipy import sparse

        parts = [_tf_idf(counter, idf, texts) for counter, idf in self._count if counter is not None]
        seen = sparse.hstack(parts, format="csr")
        logits = seen @ self._coef + self._intercept
        logits -= logits.max(axis=1, keepdims=True)
        likely = np.exp(logits)
        return np.asarray(likely / likely.sum(axis=1, keepdims=True))


def unfitted(seed: int) -> Any:
    """scikit-learn's pipeline that is to be fitted: features in two parts, then the regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    features = make_union(
        TfidfVectorizer(sublinear_tf=True, **WORDS),
        TfidfVectorizer(sublinear_tf=True, max_features=MOST_PIECES, **PIECES),
    )
    return make_pipeline(features, LogisticRegression(C=10.0, max_iter=1000, random_state=seed))


def read_numbers(path: Path) -> dict[str, Numbers]:
    """The arrays of a safetensors file. Raises `BadInput` for any other file, `Refused` without the library."""
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file
    except ImportError as error:
        raise Refused("a classifier's numbers need safetensors.", "pip install -e '.[local]'") from error
    try:
        return dict(load_file(path))
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput("is cut off or is not safetensors.", AGAIN, file=str(path)) from error


def save_classic(folder: Path, card: ClassifierCard, weights: dict[str, Numbers]) -> None:
    """Card and numbers into `folder`. Raises `BadInput` where they do not fit each other."""
    from safetensors.numpy import save_file

    _refuse_misfits(card, weights)
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: np.ascontiguousarray(array) for name, array in weights.items()}, folder / WEIGHTS)
    card.save(folder)  # last: a folder without a card holds no classifier


def _refuse_misfits(card: ClassifierCard, weights: dict[str, Numbers]) -> None:
    labels, words, pieces = len(card.labels), len(card.words), len(card.pieces)
    shapes: dict[str, tuple[int, ...]] = {
        "words_idf": (words,),
        "pieces_idf": (pieces,),
        "coef": (labels, words + pieces),
        "intercept": (labels,),
    }
    if set(weights) != set(shapes):
        raise BadInput(f"its numbers are not {', '.join(shapes)}.", AGAIN)
    for name, shape in shapes.items():
        array = weights[name]
        if array.shape != shape or array.dtype != np.float32:
            raise BadInput(f"`{name}` is {array.dtype} {array.shape}, and must be float32 {shape}.", AGAIN)
        if not np.isfinite(array).all():
            raise BadInput(f"`{name}` holds what is no number.", AGAIN)


def _counter(terms: list[str], settings: dict[str, Any]) -> Any:
    """What counts the terms in texts; None where there are none."""
    from sklearn.feature_extraction.text import CountVectorizer

    if not terms:
        return None
    return CountVectorizer(vocabulary={term: at for at, term in enumerate(terms)}, **settings)


def _tf_idf(counter: Any, idf: Numbers, texts: Sequence[str]) -> Any:
    """1 + ln c, times idf, each row at length 1; shape (texts, terms), sparse."""
    from scipy import sparse

    counts = counter.transform(texts).astype(np.float64)
    counts.data = (1.0 + np.log(counts.data)) * idf[counts.indices]
    lengths = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    return sparse.diags_array(1.0 / np.where(lengths > 0, lengths, 1.0)) @ counts
