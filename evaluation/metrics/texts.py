"""The same text: to the letter, or but for case, punctuation and spaces."""

from __future__ import annotations

import re

from dataset.normalise import normalise

_UNSPACED = r"\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")
"""Scripts that put no spaces between words (Thai, Chinese, Japanese) are counted by the character."""


def exact_match(expected: str, answer: str) -> float:
    """1 when the texts are equal but for white space around them. For labels this is the accuracy."""
    return float(expected.strip() == answer.strip())


def normalised_match(expected: str, answer: str) -> float:
    """1 when the texts are equal after NFKC, case folding, and punctuation and spaces collapsed."""
    return float(words_of(expected) == words_of(answer))


def words_of(text: str) -> list[str]:
    """The words that are compared: NFKC, case-folded, without punctuation."""
    return _WORD.findall(normalise(text))
