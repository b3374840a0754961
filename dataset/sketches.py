"""Sketches of sets of 5-grams: two sketches agree in about as large a share of their places as the sets are alike.

MinHash would hash every gram 110 times. Here each gram falls into one of the 110 places by its hash, and the least one
of a place is kept; places that stay empty are filled by further rounds with other hashes. Two texts then agree in a
place as often as with MinHash (Dahlgaard, Knudsen and Thorup, Fast Similarity Sketching, FOCS 2017). A text of some
hundred characters needs two rounds. Time grows with the number of characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataset.grams import GRAM, codes_of

if TYPE_CHECKING:
    import numpy as np

BANDS, PLACES_PER_BAND = 22, 5
PLACES = BANDS * PLACES_PER_BAND
_CHUNK_CHARS = 1 << 17
"""Characters sketched at once: small enough that what is worked on stays in the processor's cache."""
_ROUNDS = 8
_EMPTY = 0xFFFFFFFF
_MAX_EMPTY = 2
"""Places of a sketch that may stay empty."""


@dataclass(frozen=True, slots=True)
class Sketched:
    """Texts and their sketches; some 290 bytes a text. The same texts give the same ones on every machine."""

    texts: Sequence[str]
    bands: np.ndarray[Any, Any]
    """Shape (22, texts), uint64: the five places of each band as one number. Texts that share one are candidates."""
    marks: np.ndarray[Any, Any]
    """Shape (texts, 110), uint8: the last byte of each place, enough to tell how well two sketches agree."""

    def followed_by(self, others: Sketched) -> Sketched:
        """These texts and then the others."""
        import numpy as np

        return Sketched(
            [*self.texts, *others.texts],
            np.concatenate([self.bands, others.bands], axis=1),
            np.concatenate([self.marks, others.marks]),
        )


def sketched(texts: Sequence[str]) -> Sketched:
    """The texts with their sketches."""
    import numpy as np

    bands = np.empty((BANDS, len(texts)), dtype=np.uint64)
    marks = np.empty((len(texts), PLACES), dtype=np.uint8)
    start = 0
    while start < len(texts):
        end, size = start, 0
        while end < len(texts) and (end == start or size + len(texts[end]) <= _CHUNK_CHARS):
            size += max(GRAM, len(texts[end]))
            end += 1
        sketch = _sketch(*_gram_hashes(texts[start:end]))
        marks[start:end] = sketch.astype(np.uint8)
        bands[:, start:end] = _band_numbers(sketch).T
        start = end
    return Sketched(texts, bands, marks)


def _band_numbers(sketch: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    import numpy as np

    parts = sketch.reshape(-1, BANDS, PLACES_PER_BAND)
    numbers = np.zeros(parts.shape[:2], dtype=np.uint64)
    for place in range(PLACES_PER_BAND):
        numbers ^= parts[:, :, place]
        numbers *= np.uint64(0x9E3779B97F4A7C15)
        numbers ^= numbers >> np.uint64(29)
    return numbers


def _sketch(hashes: np.ndarray[Any, Any], counts: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The sketches of some texts: the hashes of their grams text after text, and how many each has."""
    import numpy as np

    result = np.full((len(counts), PLACES), _EMPTY, dtype=np.uint32)
    unfilled = np.arange(len(counts))
    for turn in range(_ROUNDS):
        mixed = _mixed(hashes, turn)
        place = mixed.astype(np.uint64)
        place *= np.uint64(PLACES)
        place >>= np.uint64(32)
        place += np.repeat(np.arange(len(counts), dtype=np.uint64) * np.uint64(PLACES), counts)
        least = np.full((len(counts), PLACES), _EMPTY, dtype=np.uint32)
        np.minimum.at(least.reshape(-1), place.view(np.int64), mixed)
        if turn:
            so_far = result[unfilled]
            least = np.where(so_far == _EMPTY, least, so_far)
        result[unfilled] = least
        still = np.count_nonzero(least == _EMPTY, axis=1) > _MAX_EMPTY
        if not still.all():
            hashes, counts, unfilled = hashes[np.repeat(still, counts)], counts[still], unfilled[still]
        if not len(counts):
            return result
    # What is left are texts of few grams: MinHash, one hash a place, for the places that are still empty.
    so_far, starts = result[unfilled], np.r_[0, np.cumsum(counts)[:-1]]
    for column in range(PLACES):
        least = np.minimum.reduceat(_mixed(hashes, _ROUNDS + column), starts)
        so_far[:, column] = np.where(so_far[:, column] == _EMPTY, least, so_far[:, column])
    result[unfilled] = so_far
    return result


def _mixed(hashes: np.ndarray[Any, Any], turn: int) -> np.ndarray[Any, Any]:
    """The hashes as another hash function would give them."""
    import numpy as np

    mixed = hashes ^ np.uint32((turn + 1) * 0x9E3779B9 & 0xFFFFFFFF)
    for factor, shift in ((0x85EBCA6B, 15), (0x2C1B3C6D, 13)):
        mixed *= np.uint32(factor)
        mixed ^= mixed >> np.uint32(shift)
    return mixed


def _gram_hashes(texts: Sequence[str]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """(hashes of all 5-grams text after text, uint32; how many each text has)."""
    import numpy as np

    codes, whole, counts = codes_of(texts)
    hashes = np.zeros(len(whole), dtype=np.uint32)
    for place in range(GRAM):
        hashes *= np.uint32(0x01000193)
        hashes ^= codes[place : place + len(hashes)]
        hashes *= np.uint32(0x85EBCA6B)
        hashes ^= hashes >> np.uint32(13)
    return hashes[whole], counts
