"""Luck of the seed: trainings that differ in their seed alone, judged on the same rows.

The tune that is judged is one draw of its recipe. What another seed would score differs from it by the standard
deviation `s` between the seeds, estimated from few: so the half-width at 95 % is `t s`, with Student's `t` for one
degree of freedom less than there are seeds (Student 1908, Biometrika 6; why seeds belong into a comparison:
Bouthillier et al. 2021, arXiv:2103.03098).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from evaluation.stats import CONFIDENCE, Interval, interval

ONE_SEED = "One seed: how much luck of the seed there is in this is not known. `seed_jobs` names trainings with others."


class _Part(BaseModel):
    # A later release adds fields; an older one must still read its files.
    model_config = ConfigDict(extra="ignore")


class SeedScore(_Part):
    """One training on the rows of the judgement."""

    job: str
    seed: int
    score: Interval
    """By the rows alone."""


class SeedNoise(_Part):
    """Several seeds of one recipe. The first is the tune that the report is about."""

    scores: list[SeedScore]
    sd: float
    """Standard deviation of the scores between seeds, with n - 1 below."""
    t: float
    """Student's quantile for 95 % at n - 1 degrees of freedom."""
    half_width: float
    """What the seed adds to the tuned model's score, at 95 %: half of the width."""
    sentence: str


def seed_noise(scores: Mapping[tuple[str, int], Sequence[float]], rows_seed: int = 0) -> SeedNoise | None:
    """From `{(job, seed): scores of the rows}`, the judged tune first. None for fewer than two trainings or no rows."""
    means = [sum(values) / len(values) for values in scores.values() if values]
    if len(means) < 2 or len(means) < len(scores):
        return None
    sd, t = between(means), student(len(means))
    return SeedNoise(
        scores=[
            SeedScore(job=job, seed=seed, score=interval(values, rows_seed)) for (job, seed), values in scores.items()
        ],
        sd=sd,
        t=t,
        half_width=t * sd,
        sentence=_sentence(means, sd, t),
    )


def between(means: Sequence[float]) -> float:
    """Sample standard deviation, with n - 1 below. Raises `ZeroDivisionError` for fewer than two."""
    middle = sum(means) / len(means)
    # Equal scores have no spread: rounding must not give them one.
    if max(means) == min(means):
        return 0.0
    return math.sqrt(sum((mean - middle) ** 2 for mean in means) / (len(means) - 1))


def student(n: int) -> float:
    """Student's two-sided quantile at 95 % for `n` seeds: 12.7 for two, 4.3 for three, 2.8 for five."""
    from scipy.stats import t

    return float(t.ppf((1 + CONFIDENCE) / 2, n - 1))


def _sentence(means: Sequence[float], sd: float, t: float) -> str:
    shown = [f"{mean:.2f}" for mean in means]
    told = f"{len(means)} seeds of training score {', '.join(shown[:-1])} and {shown[-1]}"
    if sd == 0:
        return f"{told}: no luck of the seed was seen."
    few = " Two seeds say little: a third narrows this most." if len(means) == 2 else ""
    return (
        f"{told}: luck of the seed of {100 * sd:.1f} points (standard deviation), "
        f"at 95 % up to {100 * t * sd:.1f} points either way.{few}"
    )
