"""Noise of decoding: the base is asked some rows twice, in another order and other batches, and its marks compared.

Greedy decoding is not the same to the last bit from batch to batch: sums are rounded in another order, and where two
tokens are nearly as likely the other one may win.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from evaluation.stats import Z_TWO_SIDED, Interval, wilson

MOST_AGAIN = {"quick": 20, "full": 50}
"""Rows that the base is asked again, by look. A tournament looks quickly: answers of a host are paid for."""


class DecodingNoise(BaseModel):
    """What asking the base again has changed."""

    # A later release adds fields; an older one must still read its files.
    model_config = ConfigDict(extra="ignore")
    n: int
    """Rows asked twice."""
    changed: int
    """Rows with another mark the second time."""
    share: Interval
    """Share of them."""
    score_change: float
    """Mean score the second time less the first."""
    sd: float
    """Standard deviation that this gives to one model's score over the judged rows."""
    sentence: str

    @property
    def variance(self) -> float:
        """Of one model's score: the difference of two models has it twice."""
        return self.sd**2


def rows_again(honest: Sequence[int], look: str, seed: int) -> list[int]:
    """Positions of the rows to ask again, drawn by the seed, in their order."""
    return sorted(random.Random(seed).sample(list(honest), min(MOST_AGAIN[look], len(honest))))


def decoding_noise(first: Sequence[float], again: Sequence[float], judged: int) -> DecodingNoise | None:
    """Scores of the same rows, asked twice; `judged` rows stand behind the scores of the report. None for no rows.

    Two draws of a row differ by `d` with a mean square of twice the variance of one, so a mean over `judged` rows has
    the variance `mean(d^2) / (2 judged)`. The spread between rows holds a part of it already: this is on the safe side.
    """
    changes = [after - before for before, after in zip(first, again, strict=True)]
    n = len(changes)
    if not n:
        return None
    changed = sum(change != 0 for change in changes)
    sd = math.sqrt(sum(change**2 for change in changes) / n / (2 * max(1, judged)))
    return DecodingNoise(
        n=n,
        changed=changed,
        share=wilson(changed, n),
        score_change=sum(changes) / n,
        sd=sd,
        sentence=_sentence(n, changed, sd),
    )


def half_width(noise: DecodingNoise | None) -> float:
    """What decoding adds to one model's score, at 95 %: half of the width. 0 where it was not measured."""
    return Z_TWO_SIDED * noise.sd if noise else 0.0


def _sentence(n: int, changed: int, sd: float) -> str:
    rows = f"{n} row{'' if n == 1 else 's'}"
    if not changed:
        return f"Asked again, the base changed its mark on none of {rows}: no noise of decoding was seen."
    return f"Asked again, the base changed its mark on {changed} of {rows}: noise of {100 * sd:.1f} points."
