"""How many examples are enough: a curve through the scores of a few training sizes, and what more rows would buy.

The error (1 - score) is taken to be `floor + b * rows^-c` (Hestness et al. 2017, arXiv:1712.00409), with several floors
that are weighed by how well they hit the points. A curve in the logit of the error against log rows would need no
floor, and would promise gains for ever.

The band comes from judging again in thought: the judged rows are drawn with weights (Rubin's Bayesian bootstrap 1981,
Ann. Stat. 9), the same weights for all sizes, so that a row that is hard for all of them is no noise between them. One
made-up row for each size, on which only that size differs, keeps few rows and perfect scores from looking sure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from core.errors import BadInput
from evaluation.curve_words import in_words, limits
from evaluation.power_law import DRAWS, reweighted
from evaluation.report import EvaluationReport
from evaluation.same_rows import scores_on_same_rows
from evaluation.stats import Z_TWO_SIDED, Interval, interval
from evaluation.weighed_laws import WeighedLaws, weighed_laws

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

Verdict = Literal["label_more", "stop", "not_enough_evidence"]
VERDICT_WORDS: dict[Verdict, str] = {
    "label_more": "Label more",
    "stop": "Stop labelling",
    "not_enough_evidence": "Not enough evidence",
}
AHEAD = (1.5, 2.0)
"""How far the curve is read beyond the rows at hand. Further than twice, three points say nothing."""
WORTH = 0.02
"""A gain below this is not worth the labelling, unless another is given."""
LINE_POINTS = 12


class Point(BaseModel):
    """A training size and what it scored, with its 95 % interval."""

    model_config = ConfigDict(extra="forbid")
    rows: int
    score: float
    low: float
    high: float


class Gain(Point):
    """The curve at more rows than there are, and the gain over all rows at hand."""

    more_rows: int
    gain: float
    gain_low: float
    gain_high: float


class Candidate(BaseModel):
    """`score = plateau - b * (rows / all rows)^-c`, one of several."""

    model_config = ConfigDict(extra="forbid")
    plateau: float
    b: float
    c: float
    weight: float
    """Share of this candidate in the curve and in the band."""


class LearningCurve(BaseModel):
    """What the points say about more labels."""

    model_config = ConfigDict(extra="forbid")
    verdict: Verdict
    words: str
    points: list[Point]
    fit: list[Candidate]
    band: list[Gain]
    """At 1.5 and 2 times the rows."""
    line: list[Point]
    """The curve with its band from the smallest size to twice the largest, for drawing."""
    judged_rows: int
    paired: bool
    """The band rests on the same rows at every size; False: on the intervals of each alone, which is wider."""
    widened: float
    """Factor by which the noise of the judged rows had to be widened for a curve to hit the points; 1 is none."""
    worth: float
    metric_words: str = "score"
    limits: list[str] = []


def curve_of_reports(
    reports: Sequence[tuple[int, EvaluationReport]], *, worth: float = WORTH, seed: int = 0
) -> LearningCurve:
    """The curve through judgements of the tuned model, each with its number of training rows.

    Rows that any of the trainings has seen are left out everywhere. Raises `BadInput` for judgements that cannot be
    compared.
    """
    by_row = scores_on_same_rows([report for _, report in reports])
    sizes = [rows for rows, _ in reports]
    words = reports[0][1].metric_words if reports else "score"
    if by_row is not None:
        return curve_of_rows(sizes, by_row, worth=worth, seed=seed, metric_words=words)
    intervals = [report.models["tuned"]["task"] for _, report in reports]
    return curve_of_intervals(sizes, intervals, worth=worth, seed=seed, metric_words=words)


def curve_of_rows(
    sizes: Sequence[int],
    scores: Sequence[Sequence[float]],
    *,
    worth: float = WORTH,
    seed: int = 0,
    metric_words: str = "score",
) -> LearningCurve:
    """The curve through the scores of each size on the same judged rows, one list a size, each score in [0, 1]."""
    import numpy as np

    points = [_point(rows, interval(each, seed)) for rows, each in zip(sizes, scores, strict=True)]
    _refuse_few(points)
    errors = reweighted(1.0 - np.asarray(scores, dtype=np.float64).T, seed)
    return _curve(points, errors, len(scores[0]), paired=True, worth=worth, metric_words=metric_words)


def curve_of_intervals(
    sizes: Sequence[int],
    intervals: Sequence[Interval],
    *,
    worth: float = WORTH,
    seed: int = 0,
    metric_words: str = "score",
) -> LearningCurve:
    """The curve through scores of which only the intervals are known: each is taken to vary by itself."""
    import numpy as np

    points = [_point(rows, each) for rows, each in zip(sizes, intervals, strict=True)]
    _refuse_few(points)
    n = min(each.n for each in intervals)
    chance = np.random.default_rng(seed)
    centre = 1.0 - np.array([(each.low + each.high) / 2 for each in intervals])
    spread = np.array([(each.high - each.low) / (2 * Z_TWO_SIDED) for each in intervals])
    errors = chance.normal(centre, spread, size=(DRAWS, len(points)))
    return _curve(points, errors, n, paired=False, worth=worth, metric_words=metric_words)


def _point(rows: int, found: Interval) -> Point:
    return Point(rows=rows, score=found.score, low=found.low, high=found.high)


def _refuse_few(points: Sequence[Point]) -> None:
    sizes = [point.rows for point in points]
    if len(sizes) < 3 or sizes != sorted(set(sizes)) or sizes[0] < 1:
        raise BadInput("a learning curve needs three sizes or more, each larger than the last.", "Train on more sizes.")


def _curve(
    points: list[Point], errors: Numbers, judged: int, *, paired: bool, worth: float, metric_words: str
) -> LearningCurve:
    """The curve and its band from drawn errors of the shape (draws, sizes)."""
    import numpy as np

    sizes = np.array([point.rows for point in points], dtype=np.float64)
    laws = weighed_laws(sizes, errors, judged)
    most = points[-1].rows
    band = []
    for times in AHEAD:
        rows = max(most + 1, round(most * times))
        gain, gain_low, gain_high = laws.gain(rows, most)
        read = {"rows": rows, "more_rows": rows - most, "gain": gain, "gain_low": gain_low, "gain_high": gain_high}
        band.append(Gain.model_validate(_read(laws, rows).model_dump() | read))
    verdict = _verdict(band[-1], worth, judged)
    return LearningCurve(
        verdict=verdict,
        words=in_words(verdict, band, worth, metric_words, judged),
        points=points,
        fit=[
            Candidate(plateau=1 - float(fit.floor[0]), b=float(fit.b[0]), c=float(fit.c[0]), weight=float(weight))
            for fit, weight in zip(laws.own, laws.weights, strict=True)
        ],
        band=band,
        line=[_read(laws, round(rows)) for rows in np.geomspace(sizes[0], band[-1].rows, LINE_POINTS)],
        judged_rows=judged,
        paired=paired,
        widened=laws.widened,
        worth=worth,
        metric_words=metric_words,
        limits=limits(paired, laws.widened),
    )


def _read(laws: WeighedLaws, rows: int) -> Point:
    score, low, high = laws.score(rows)
    return Point(rows=rows, score=score, low=low, high=high)


def _verdict(twice: Gain, worth: float, judged: int) -> Verdict:
    # Where a single judged row is a larger step than the gain that matters, nobody can call the curve flat.
    if twice.gain_high < worth and judged * worth > 1:
        return "stop"
    return "label_more" if twice.gain_low > 0 else "not_enough_evidence"
