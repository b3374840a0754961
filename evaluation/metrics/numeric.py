"""Answers that end in a number: is it the right one?"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

TOLERANCE = 1e-6
"""Relative. Two numbers nearer than this are the same."""
_MARK = "####"
"""What stands before the result in GSM8K (Cobbe et al. 2021)."""
_NUMBER = re.compile(
    r"""
    (?P<sign>(?<![\w.,)%])[-+\u2212])?[$\u20ac\u00a3\u00a5]?\s?
    (?P<digits>\d+(?:[.,\u2019'\u00a0\u202f]\d+)*|(?<!\d)\.\d+)(?P<power>[eE][-+]?\d{1,3}(?!\w))?
    (?:/(?P<below>\d+)(?![\d/]))?
    (?P<percent>\s?%)?
    """,
    re.VERBOSE,
)
_MAX_CHARACTERS = 20_000
"""Read from the end of an answer: the last number stands there."""


def numeric(expected: str, answer: str) -> float:
    """1 when the last number of the answer is the expected one, within a millionth of it.

    What stands after the last `####` counts alone, where there is one. `1,234.50`, `1'234.5`, `1.234,50`, `$12`, `3/4`
    and `1e3` are read. `12 %` is 12 and 0.12 alike, unless both carry the sign. 0 where either text holds no number.
    """
    wanted, said = number_in(expected), number_in(answer)
    if wanted is None or said is None:
        return 0.0
    if wanted[1] == said[1]:
        return float(_near(wanted[0], said[0]))
    (percent, plain) = (wanted[0], said[0]) if wanted[1] else (said[0], wanted[0])
    return float(_near(percent, plain) or _near(percent / 100, plain))


def number_in(text: str) -> tuple[float, bool] | None:
    """The last number, and whether a percent sign follows it; None for none."""
    text = text[-_MAX_CHARACTERS:]
    after = text.rpartition(_MARK)[2]
    found = list(_NUMBER.finditer(after)) or list(_NUMBER.finditer(text))
    for match in reversed(found):
        value = _value(match["digits"], match["power"] or "")
        if match["below"] and value is not None:
            below = float(match["below"])
            value = value / below if below else None
        if value is not None and math.isfinite(value):
            return (-value if match["sign"] in ("-", "\u2212") else value), bool(match["percent"])
    return None


def ends_in_numbers(answers: Sequence[str], share: float) -> bool:
    """True where at least that share of the answers carries `####` with a number behind it."""
    marked = sum(_MARK in text and _NUMBER.search(text.rpartition(_MARK)[2]) is not None for text in answers)
    return bool(answers) and marked >= share * len(answers)


def is_number(text: str) -> bool:
    """True where the whole text is one number."""
    return _NUMBER.fullmatch(text.strip()) is not None


def _value(digits: str, power: str) -> float | None:
    """Thousands apart by comma, point, apostrophe or narrow space; a point, or a comma that cannot part thousands,
    begins the decimals."""
    plain = re.sub(r"[\u2019'\u00a0\u202f]", "", digits)
    comma, point = plain.rfind(","), plain.rfind(".")
    if comma >= 0 and point >= 0:
        thousands, decimal = (",", ".") if point > comma else (".", ",")
        plain = plain.replace(thousands, "").replace(decimal, ".")
    elif comma >= 0:
        parts = plain.split(",")
        in_threes = all(len(part) == 3 for part in parts[1:]) and parts[0].lstrip("0") != ""
        plain = "".join(parts) if in_threes else ".".join(parts)
    elif plain.count(".") > 1:
        plain = plain.replace(".", "")
    try:
        return float(plain + power)
    except ValueError:
        return None


def _near(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=TOLERANCE)
