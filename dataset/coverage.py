"""What the inputs are about, as a map: TF-IDF of words, reduced by SVD, in clusters named by their own words.

The map shows words, not meaning: two wordings of one wish can lie apart. It is for finding topics with few rows and
rows that stand alone. The same rows give the same map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import BadInput
from dataset.row import Row

MOST_POINTS = 5_000
MOST_CLUSTERS = 10
FEWEST_ROWS = 3
SPARSE_SHARE = 0.5
"""A cluster with less than this part of an even share of the rows is a sparse corner."""
MOST_OUTLIERS = 20
OUTLIER_SHARE = 0.02
FAR = 1.4
"""An outlier is so many times farther from its fifth neighbour than the row in the middle."""
NEIGHBOURS = 5
_COMPONENTS = 50
_MAX_TERMS = 20_000
_NAME_WORDS = 3
_MAX_CHARS = 4_000
_SEED = 20_11
# Words that carry no topic, so that clusters form around the others: English, then German, French and Spanish.
_FUNCTION_WORDS = """
a about after all also am an and any are as at be because been before being but by can cannot could did didn do does
doesn doing don down for from had has have haven having he her here him his how i if in into is isn it its just ll m
may me might more most must my no not now of off on once one only or other our out over own please re s same shall she
should so some such t than that the their them then there these they this those through to too under until up us ve
very was wasn we were what when where which while who why will with won would you your yours aber als auch auf aus bei
das dass dem den der des die ein eine einen er es für hat ich im ist kann man mein mich mir mit nach nicht noch oder
sie sind und uns von war wenn wie wir zu zum zur au aux avec ce ces cette dans de du elle en est et il ils je la le
les leur ma mais mes mon ne nous ou par pas pour que qui sa se ses son sur un une vous como con del el esta este las
lo los mi para pero por si sin su una y yo
"""


@dataclass(frozen=True, slots=True)
class Point:
    """A row on the map."""

    line: int
    x: float
    y: float
    cluster: int
    """Index in `Coverage.clusters`."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Rows whose inputs share words."""

    name: str
    """Its own words: `parcel, late, where`."""
    lines: tuple[int, ...]
    typical: int
    """Line of the row in its middle."""
    sparse: bool

    @property
    def rows(self) -> int:
        """How many rows of the map are in it."""
        return len(self.lines)


@dataclass(frozen=True, slots=True)
class Coverage:
    """The map. Clusters come largest first."""

    points: tuple[Point, ...]
    clusters: tuple[Cluster, ...]
    outliers: tuple[int, ...]
    """Lines of rows that lie far from any other, the farthest first."""
    of_rows: int
    """How many rows there are; more than points where a sample was drawn."""


def coverage(rows: Sequence[Row], *, most_points: int = MOST_POINTS) -> Coverage:
    """The map of the rows' inputs (their user turns). At most `most_points` of them, sampled with a fixed seed.

    Some seconds for 5,000 rows. Raises `BadInput` for fewer than 3 rows with words.
    """
    import numpy as np

    if len(rows) > most_points:
        drawn = np.random.default_rng(_SEED).choice(len(rows), most_points, replace=False)
        sample = [rows[place] for place in sorted(drawn.tolist())]
    else:
        sample = list(rows)
    used, terms, words = _terms(sample)
    reduced = _reduced(terms)
    labels = _clusters(reduced)
    order = sorted(set(labels.tolist()), key=lambda label: (-int((labels == label).sum()), label))
    rank = {label: place for place, label in enumerate(order)}
    places = _plane(reduced)
    average = np.asarray(terms.mean(axis=0)).ravel()
    clusters = []
    for label in order:
        members = np.flatnonzero(labels == label)
        lift = np.asarray(terms[members].mean(axis=0)).ravel() - average
        lines = tuple(used[place].line for place in members.tolist())
        sparse = len(order) > 1 and len(lines) < SPARSE_SHARE * len(used) / len(order)
        middle = int((reduced[members] @ reduced[members].mean(axis=0)).round(9).argmax())
        clusters.append(Cluster(_name(lift, words), lines, lines[middle], sparse))
    points = tuple(
        Point(row.line, float(place[0]), float(place[1]), rank[label])
        for row, place, label in zip(used, places, labels.tolist(), strict=True)
    )
    return Coverage(points, tuple(clusters), tuple(used[place].line for place in _alone(reduced)), len(rows))


def _terms(rows: Sequence[Row]) -> tuple[list[Row], Any, list[str]]:
    """(rows with words, their TF-IDF matrix, the words)."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    def fit(most_share: float, least: int, stop_words: list[str] | None) -> tuple[Any, list[str]]:
        vectors = TfidfVectorizer(
            sublinear_tf=True,
            max_df=most_share,
            min_df=least,
            max_features=_MAX_TERMS,
            token_pattern=r"(?u)\b\w*[^\W\d]\w*\b" if stop_words else r"(?u)\b\w+\b",  # numbers are no topic
            stop_words=stop_words,
        )
        matrix = vectors.fit_transform(row.user_text[:_MAX_CHARS] for row in rows)
        return matrix, vectors.get_feature_names_out().tolist()

    try:
        many = len(rows) >= 20
        matrix, words = fit(0.5 if many else 1.0, 2 if many else 1, sorted(set(_FUNCTION_WORDS.split())))
    except ValueError:  # nothing is left: no word in two rows, each in most of them, or function words alone
        try:
            matrix, words = fit(1.0, 1, None)
        except ValueError as error:
            raise BadInput("has no words to draw a map of.", "A map needs rows of text.") from error
    has_words = np.flatnonzero(np.diff(matrix.indptr))
    if len(has_words) < FEWEST_ROWS:
        raise BadInput(f"has {len(has_words)} rows with words of their own.", f"A map needs {FEWEST_ROWS}.")
    return [rows[place] for place in has_words.tolist()], matrix[has_words], words


def _reduced(terms: Any) -> Any:
    """Rows as unit vectors of at most 50 components."""
    import numpy as np
    from sklearn.decomposition import TruncatedSVD

    components = min(_COMPONENTS, terms.shape[1] - 1, terms.shape[0] - 1)
    if components < 2:
        dense = np.asarray(terms.todense())
        reduced = np.pad(dense, ((0, 0), (0, max(0, 2 - dense.shape[1]))))
    else:
        reduced = TruncatedSVD(components, random_state=_SEED).fit_transform(terms)
    norms = np.linalg.norm(reduced, axis=1, keepdims=True)
    return reduced / np.where(norms > 1e-12, norms, 1.0)


def _clusters(reduced: Any) -> Any:
    """K-means labels; about the square root of half the rows, at most ten."""
    import numpy as np
    from sklearn.cluster import KMeans

    distinct = len(np.unique(reduced.round(6), axis=0))
    wanted = min(MOST_CLUSTERS, max(2, round((len(reduced) / 2) ** 0.5)), distinct)
    if wanted < 2:
        return np.zeros(len(reduced), dtype=int)
    return KMeans(wanted, n_init=4, random_state=_SEED).fit_predict(reduced)


def _plane(reduced: Any) -> Any:
    """The two directions in which the rows differ most."""
    import numpy as np

    centred = reduced - reduced.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    plane = directions[:2]
    largest = np.abs(plane).argmax(axis=1)
    signs = np.sign(plane[np.arange(len(plane)), largest])
    return centred @ (plane * np.where(signs == 0, 1, signs)[:, None]).T


def _alone(reduced: Any) -> list[int]:
    """Places of the rows that are farthest from their fifth neighbour: at most 2 in 100, and 20."""
    import numpy as np
    from sklearn.neighbors import NearestNeighbors

    neighbours = min(NEIGHBOURS, len(reduced) - 1)
    distances = NearestNeighbors(n_neighbors=neighbours).fit(reduced).kneighbors()[0][:, -1].round(9)
    far = np.flatnonzero(distances > max(FAR * float(np.median(distances)), 1e-6))
    ordered = sorted(far.tolist(), key=lambda place: (-float(distances[place]), place))
    return [int(place) for place in ordered[: min(MOST_OUTLIERS, int(OUTLIER_SHARE * len(reduced) + 0.5))]]


def _name(lift: Any, words: Sequence[str]) -> str:
    best = sorted(range(len(words)), key=lambda place: (-float(lift[place].round(9)), words[place]))
    chosen = [words[place][:30] for place in best[: 3 * _NAME_WORDS] if lift[place] > 0 and not words[place].isdigit()]
    return ", ".join(chosen[:_NAME_WORDS]) or words[best[0]][:30]
