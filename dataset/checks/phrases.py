"""Phrases in long texts, found fast: a slow pattern is tried only beside the few letters that it needs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

REACH = 100
"""Characters before and behind a sign within which a phrase lies."""


def phrases(pattern: re.Pattern[str], signs: Sequence[str], text: str, lower: str) -> Iterator[re.Match[str]]:
    """Matches of the pattern within reach of any of the signs; `lower` is the text in lower case.

    A phrase with two signs in it comes twice.
    """
    for sign in signs:
        at = lower.find(sign)
        while at >= 0:
            found = pattern.search(text, max(0, at - REACH), at + REACH)
            if found is not None:
                yield found
            at = lower.find(sign, at + REACH if found is None else max(found.end(), at + 1))
