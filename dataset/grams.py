"""Sets of character 5-grams, and how much two of them share (Jaccard). One pair at a time, or many at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

GRAM = 5
_BITS = 12
"""Bits a character takes where a 5-gram is one 64-bit number: exact for up to 4,096 different characters."""
_CELLS = 1 << 20
_LEFT_OUT, _RIGHT_OUT = (1 << 64) - 1, (1 << 64) - 2
"""Numbers that are no gram: what fills up the rows of the left and of the right texts."""


def grams(text: str) -> set[str]:
    """Character 5-grams; a shorter text is its own only gram."""
    if len(text) <= GRAM:
        return {text}
    return {text[start : start + GRAM] for start in range(len(text) - GRAM + 1)}


def jaccard(one: set[str], other: set[str]) -> float:
    """Size of the intersection over size of the union."""
    both = len(one & other)
    return both / (len(one) + len(other) - both)


def jaccards(left: Sequence[str], right: Sequence[str]) -> np.ndarray[Any, Any]:
    """`jaccard` of the grams of each of `left` and its neighbour in `right`, the same numbers many times faster."""
    import numpy as np

    result = np.zeros(len(left))
    lengths = np.array([max(len(one), len(other)) for one, other in zip(left, right, strict=True)], dtype=np.int64)
    order = np.argsort(lengths, kind="stable")
    end = len(order)
    while end:  # from the longest down, so that a batch holds texts of about one length
        start = max(0, end - max(1, _CELLS // int(lengths[order[end - 1]] or 1)))
        batch = order[start:end].tolist()
        result[batch] = _batch([left[index] for index in batch], [right[index] for index in batch])
        end = start
    return result


def codes_of(texts: Sequence[str]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """(code points text after text; True where a gram starts that lies in one text; number of grams of each text).

    Texts shorter than a gram are filled up with code point 0.
    """
    import numpy as np

    padded = [text if len(text) >= GRAM else text.ljust(GRAM, "\x00") for text in texts]
    codes = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    lengths = np.fromiter(map(len, padded), dtype=np.int64, count=len(padded))
    whole = np.ones(len(codes), dtype=bool)  # grams that would reach into the next text do not count
    ends = np.cumsum(lengths)
    for back in range(1, GRAM):
        whole[ends - back] = False
    return codes, whole[: 1 - GRAM], lengths - (GRAM - 1)


def _batch(left: list[str], right: list[str]) -> np.ndarray[Any, Any]:
    import numpy as np

    codes, whole, counts = codes_of([*left, *right])
    if codes.max() >= 1 << _BITS:
        alphabet, codes = np.unique(codes, return_inverse=True)
        if len(alphabet) > 1 << _BITS:
            return np.array([jaccard(grams(one), grams(other)) for one, other in zip(left, right, strict=True)])
    numbers = np.zeros(len(codes) - GRAM + 1, dtype=np.uint64)
    for place in range(GRAM):
        numbers <<= np.uint64(_BITS)
        numbers |= codes[place : place + len(numbers)].astype(np.uint64)
    filled = np.arange(counts.max()) < counts[:, None]
    table = np.full(filled.shape, _LEFT_OUT, dtype=np.uint64)
    table[filled] = numbers[whole]
    table.sort(axis=1)
    repeated = table[:, 1:] == table[:, :-1]
    sizes = counts - np.count_nonzero(repeated & filled[:, 1:], axis=1)
    table[:, 1:][repeated] = _LEFT_OUT
    ones, others = table[: len(left)], table[len(left) :]
    others[others == _LEFT_OUT] = _RIGHT_OUT
    joined = np.concatenate([ones, others], axis=1)
    joined.sort(axis=1)
    same = (joined[:, 1:] == joined[:, :-1]) & (joined[:, 1:] < _RIGHT_OUT)
    both = np.count_nonzero(same, axis=1)
    found: np.ndarray[Any, Any] = both / (sizes[: len(left)] + sizes[len(left) :] - both)
    # A short text is its own only gram, whatever it was filled up with.
    for index, (one, other) in enumerate(zip(left, right, strict=True)):
        if len(one) < GRAM or len(other) < GRAM:
            found[index] = one == other
    return found
