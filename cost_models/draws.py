"""Seeded Latin-hypercube draws: every input is spread evenly over its range, so that few draws say much."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cost_models.facts import Assumption

Array = NDArray[np.float64]


def draw(assumptions: Iterable[Assumption], n: int, seed: int) -> dict[str, Array]:
    """`n` values of each assumption, shape (n,), triangular between low and high with its peak at likely.

    Each assumption has a stream of its own, made of the seed and its id: adding one leaves the others as they were,
    and a changed range moves every draw in the same direction.
    """
    return {entry.id: _values(entry, n, seed) for entry in assumptions}


def _values(entry: Assumption, n: int, seed: int) -> Array:
    if entry.low == entry.high:
        return np.full(n, entry.likely)
    uniform = _uniform(entry.id, n, seed)
    if entry.scale == "log":
        return np.exp(_triangular(uniform, np.log(entry.low), np.log(entry.likely), np.log(entry.high)))
    return _triangular(uniform, entry.low, entry.likely, entry.high)


@lru_cache(maxsize=512)
def _uniform(name: str, n: int, seed: int) -> Array:
    """One value in each of `n` equal parts of 0 to 1, in random order; the same for the same name and seed."""
    rng = np.random.default_rng((seed, zlib.crc32(name.encode())))
    uniform = (rng.permutation(n) + rng.random(n)) / n
    uniform.setflags(write=False)
    return uniform


def _triangular(uniform: Array, low: float, likely: float, high: float) -> Array:
    """Inverse of the triangular distribution function."""
    split = (likely - low) / (high - low)
    rising = low + np.sqrt(uniform * (high - low) * (likely - low))
    falling = high - np.sqrt((1 - uniform) * (high - low) * (high - likely))
    return np.where(uniform < split, rising, falling)
