"""How much of a difference is luck beside that of the rows: noise of decoding, and of the seed of training."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from evaluation.noise import DecodingNoise, decoding_noise, half_width
from evaluation.seeds import SeedNoise, seed_noise

Answers = Mapping[int, str]
"""{position of a held-out row: answer}."""
Training = tuple[str, int]
"""(job, seed)."""


@dataclass(frozen=True)
class Luck:
    """What was measured of it; None for what was not."""

    decoding: DecodingNoise | None = None
    seeds: SeedNoise | None = None

    @property
    def spread(self) -> dict[str, float]:
        """{model: half-width at 95 % that joins its score}. Of the prompted and the tuned model decoding is taken to be
        as unsteady as that of the base; a classifier has none."""
        decoding = half_width(self.decoding)
        seeds = self.seeds.half_width if self.seeds else 0.0
        return {"base": decoding, "best_prompt": decoding, "tuned": math.hypot(decoding, seeds)}


def luck_of(
    scores: Mapping[str, Sequence[float]],
    honest: Sequence[int],
    mark: Callable[[int, str], float],
    *,
    again: Answers,
    judged: Training,
    seeds: Mapping[Training, Sequence[str]],
    rows_seed: int,
) -> Luck:
    """From the scores of each model on all held-out rows and what was asked besides.

    `mark` gives an answer to a row its score; `again` are the base's second answers; `seeds` the answers of the other
    trainings to all rows, beside the `judged` one.
    """
    decoding = seeded = None
    if again:
        places = sorted(again)
        first = [scores["base"][at] for at in places]
        decoding = decoding_noise(first, [mark(at, again[at]) for at in places], len(honest))
    if seeds:
        by_seed = {judged: [scores["tuned"][at] for at in honest]}
        by_seed |= {training: [mark(at, answers[at]) for at in honest] for training, answers in seeds.items()}
        seeded = seed_noise(by_seed, rows_seed)
    return Luck(decoding, seeded)
