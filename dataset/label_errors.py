"""Labels that the other rows speak against: likely mistakes of whoever labelled them, to be looked at one by one.

Each row is judged by a classifier (TF-IDF and logistic regression) that was fitted without it: out-of-fold. A row is a
suspect where another label is at least as sure as it usually is for rows that carry it: confident learning (Northcutt
et al. 2021, J. Artif. Intell. Res. 70). The less the row's own label is believed, the higher it stands. Only words are
seen, not meaning: rare wordings of a right label are suspects too, and what is wrong in a habitual way is not.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataset.checks.labels import labels_of
from dataset.row import Row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Probabilities = NDArray[np.float64]
    """Of the shape (rows, classes)."""
    Indices = NDArray[np.intp]

FEWEST_ROWS = 100
FEWEST_PER_CLASS = 10
"""Smaller classes are left out: a label seen in a handful of rows cannot speak against another."""
MOST_ROWS = 50_000
"""Above it a sample is searched."""
FOLDS = 5
FEWEST_AGREEMENT = 0.5
"""Of the way from always naming the largest class to naming every label as given. Below it the words do not tell the
labels, and the classifier's doubts say nothing."""
_DIMENSIONS = 200
_MAX_CHARS = 2_000
_SAME = 1e-6
"""Probabilities this close to a threshold have reached it."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A row whose label may be wrong."""

    place: int
    """Index among the rows that were searched through."""
    line: int
    given: str
    likely: str
    """The label that the classifier would give."""
    confidence: float
    """What it gives the likely label, 0 to 1."""
    given_confidence: float
    """What it gives the row's own label; the list is sorted by it."""


@dataclass(frozen=True, slots=True)
class LabelSearch:
    """The suspects, the likeliest mistake first, and what was searched."""

    suspects: tuple[Suspect, ...] = ()
    searched: int = 0
    of_rows: int = 0
    classes: int = 0
    agreement: float = 0.0
    """Share of the searched rows on which the classifier names the label as given."""
    why_not: str = ""
    """Why nothing could be searched, as a sentence; empty where something was."""


def search_labels(rows: Sequence[Row], *, seed: int = 0, most_rows: int = MOST_ROWS) -> LabelSearch:
    """Suspects among rows whose answers are labels. The same rows and seed give the same suspects.

    10,000 short rows of 77 classes take some 5 seconds on one core; fewer classes take less.
    """
    counts = labels_of(rows)
    if not counts:
        return LabelSearch(of_rows=len(rows), why_not="The answers are texts rather than labels.")
    places = [at for at, row in enumerate(rows) if counts.get(row.answer, 0) >= FEWEST_PER_CLASS and row.input_text]
    if len(places) > most_rows:
        places = sorted(random.Random(seed).sample(places, most_rows))
    enough = {label for label, count in Counter(rows[at].answer for at in places).items() if count >= FEWEST_PER_CLASS}
    places = [at for at in places if rows[at].answer in enough]
    if len(places) < FEWEST_ROWS or len(enough) < 2:
        why = f"Too few rows: it takes {FEWEST_ROWS} rows, and two classes or more with {FEWEST_PER_CLASS} rows each."
        return LabelSearch(of_rows=len(rows), why_not=why)
    return _searched(rows, places, sorted(enough), seed)


def _searched(rows: Sequence[Row], places: Sequence[int], names: Sequence[str], seed: int) -> LabelSearch:
    import numpy as np
    import sklearn.decomposition  # noqa: F401  brings the libraries whose threads are limited
    from threadpoolctl import threadpool_limits

    index = {name: at for at, name in enumerate(names)}
    given = np.array([index[rows[at].answer] for at in places])
    # Several threads wait for each other on a busy machine, and gain little on an idle one.
    with threadpool_limits(1):
        probabilities = out_of_fold([rows[at].input_text[:_MAX_CHARS] for at in places], given, len(names), seed)
    likely = probabilities.argmax(axis=1)
    agreement = float((likely == given).mean())
    told = {"searched": len(places), "of_rows": len(rows), "classes": len(names), "agreement": agreement}
    largest = float(np.bincount(given).max() / len(given))
    if agreement - largest < FEWEST_AGREEMENT * (1 - largest):
        why = f"The words do not tell the labels: a classifier names {agreement:.0%} of them as given."
        return LabelSearch(**told, why_not=why)  # type: ignore[arg-type]
    suspects = tuple(
        Suspect(
            place=places[at],
            line=rows[places[at]].line,
            given=names[given[at]],
            likely=names[likely[at]],
            confidence=round(float(probabilities[at, likely[at]]), 4),
            given_confidence=round(float(probabilities[at, given[at]]), 4),
        )
        for at in suspected(probabilities, given).tolist()
    )
    return LabelSearch(**told, suspects=suspects)  # type: ignore[arg-type]


def suspected(probabilities: Probabilities, given: Indices) -> Indices:
    """Indices of the rows with a doubtful label, the least believed first.

    A class's threshold is the mean probability of that class over the rows that carry it. A row counts as one of the
    classes whose threshold it reaches (of several, the likeliest); it is a suspect where that is not its own, and
    where its own is not the likeliest either. That is the off-diagonal of the confident joint.
    """
    import numpy as np

    classes = probabilities.shape[1]
    of_own = probabilities[np.arange(len(given)), given]
    thresholds = np.bincount(given, of_own, classes) / np.maximum(np.bincount(given, minlength=classes), 1)
    confident = probabilities >= thresholds - _SAME
    likeliest = probabilities.argmax(axis=1)
    counted_as = np.where(confident.sum(axis=1) > 1, likeliest, confident.argmax(axis=1))
    doubtful = np.flatnonzero(confident.any(axis=1) & (counted_as != given) & (likeliest != given))
    ranked: Indices = doubtful[np.argsort(of_own[doubtful], kind="stable")]
    return ranked


def out_of_fold(texts: Sequence[str], given: Indices, classes: int, seed: int) -> Probabilities:
    """What a classifier fitted on the other folds gives each class, for each row. Every class needs `FOLDS` rows."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold

    features = _features(texts, seed)
    found = np.zeros((len(texts), classes))
    for others, held_out in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(features, given):
        # A looser tolerance than the default halves the time and moves the ranking by nothing that matters.
        classifier = LogisticRegression(C=10.0, max_iter=300, tol=5e-4, random_state=seed)
        classifier.fit(features[others], given[others])
        found[np.ix_(held_out, classifier.classes_)] = classifier.predict_proba(features[held_out])
    return found


def _features(texts: Sequence[str], seed: int) -> NDArray[np.float64]:
    """TF-IDF of words and of pieces of words, as the classifier in a judgement reads them, in 200 dimensions.

    The labels have no part in it, so it may see all rows. With 77 classes the fits are four times as fast as on the
    bare terms, and find as many mistakes.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    terms = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b|\S", max_features=50_000),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, max_features=50_000),
    ).fit_transform(texts)
    reduced: NDArray[np.float64] = TruncatedSVD(min(_DIMENSIONS, *terms.shape), random_state=seed).fit_transform(terms)
    return reduced
