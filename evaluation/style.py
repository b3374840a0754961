"""Does it sound like the house? The answers' characters, words, punctuation and sentences against the training answers.

A distance means nothing by itself: two halves of the house's own answers differ too. So each is read against the house
at the same size: as near to the house as the house is to itself, further, or too few answers to tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from evaluation.style_profile import PARTS, Profiles, profiles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MIN_ANSWERS = 20
"""Of a model, and in each half of the house."""
MAX_ANSWERS = 1000
"""Of the house and of a model, drawn by the seed."""
DRAWS = 400
MARGIN = 0.05
"""A distance this much beyond the house's own is not heard as another voice (distances go from 0 to 1)."""
Nearness = Literal["as near", "further", "cannot tell"]
NEARNESS_WORDS: dict[Nearness, str] = {
    "as near": "as near to the house as the house is to itself",
    "further": "further from the house than the house is from itself",
    "cannot tell": "too few answers to tell it from the house's own spread",
}


class _Part(BaseModel):
    # A later release adds fields; an older one must still read its files.
    model_config = ConfigDict(extra="ignore")


class Spread(_Part):
    """A mean over draws with the middle 95 % of them."""

    mean: float
    low: float
    high: float


class Style(_Part):
    """One model's voice against the house's."""

    n: int
    """Answers drawn of the model, and of the house, each time."""
    distance: Spread
    """Jensen-Shannon distance from the house, 0 (the same) to 1 (nothing in common): mean of the parts."""
    house: Spread
    """The same of the house's own answers from others of them."""
    beyond: Spread
    """Distance less the house's own, draw by draw."""
    parts: dict[str, float]
    """{characters, words, punctuation, sentences: distance}."""
    house_parts: dict[str, float]
    found: Nearness
    sentence: str


def styles(house: Sequence[str], said: Mapping[str, Sequence[str]], seed: int) -> dict[str, Style]:
    """{model: its style} for models with 20 answers or more; empty where the house has fewer than 40."""
    known = _drawn(house, seed)
    if len(known) < 2 * MIN_ANSWERS:
        return {}
    own = profiles(known, known)
    found = {}
    for name, answers in said.items():
        spoken = _drawn(answers, seed)
        if len(spoken) >= MIN_ANSWERS:
            found[name] = _style(own, profiles(known, spoken), seed)
    return found


def _drawn(answers: Sequence[str], seed: int) -> list[str]:
    """At most 1,000 of the answers that say anything: the others have no voice."""
    spoken = [text for text in answers if text.strip()]
    return Random(seed).sample(spoken, MAX_ANSWERS) if len(spoken) > MAX_ANSWERS else spoken


def _style(house: Profiles, model: Profiles, seed: int) -> Style:
    """Draw by draw the house is parted in two; the model and one half are held against the other half."""
    import numpy as np

    chance = np.random.default_rng(seed)
    size = min(model.n, house.n // 2)
    model_distances, house_distances = np.zeros((DRAWS, len(PARTS))), np.zeros((DRAWS, len(PARTS)))
    for draw in range(DRAWS):
        order = chance.permutation(house.n)
        own, rest = order[:size], order[size:]
        others = chance.permutation(model.n)[:size]
        # Drawn again with replacement, both alike: what answers might have been given besides.
        again = chance.integers(0, size, size)
        for at, part in enumerate(PARTS):
            reference = house.counts[part][rest].sum(axis=0)
            house_distances[draw, at] = js_distance(house.counts[part][own[again]].sum(axis=0), reference)
            model_distances[draw, at] = js_distance(model.counts[part][others[again]].sum(axis=0), reference)
    distance, own_distance = model_distances.mean(axis=1), house_distances.mean(axis=1)
    beyond = _spread(distance - own_distance)
    nearness: Nearness = "as near" if beyond.high <= MARGIN else "further" if beyond.low > 0 else "cannot tell"
    return Style(
        n=size,
        distance=_spread(distance),
        house=_spread(own_distance),
        beyond=beyond,
        parts=_means(model_distances),
        house_parts=_means(house_distances),
        found=nearness,
        sentence=f"{NEARNESS_WORDS[nearness]} ({distance.mean():.2f} against {own_distance.mean():.2f})",
    )


def js_distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Square root of the Jensen-Shannon divergence in bits of two vectors of counts (Endres and Schindelin 2003).

    0 for equal shares, 1 for nothing in common. A vector of zeros is as far as can be from any other.
    """
    import numpy as np

    if one.sum() == 0 or other.sum() == 0:
        return float(one.sum() != other.sum())
    p, q = one / one.sum(), other / other.sum()
    middle = (p + q) / 2
    divergence = 0.0
    for share in (p, q):
        seen = share > 0
        divergence += float(np.sum(share[seen] * np.log2(share[seen] / middle[seen]))) / 2
    return float(np.sqrt(min(1.0, max(0.0, divergence))))


def _spread(values: NDArray[np.float64]) -> Spread:
    import numpy as np

    low, high = np.quantile(values, (0.025, 0.975))
    return Spread(mean=float(values.mean()), low=float(low), high=float(high))


def _means(distances: NDArray[np.float64]) -> dict[str, float]:
    return {str(part): float(distances[:, at].mean()) for at, part in enumerate(PARTS)}
