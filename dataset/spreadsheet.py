"""Text on its way into a spreadsheet: a cell that a program would run as a formula is written as plain text.

For tables that people open. What is trained on is JSON Lines, in which no character is changed.
"""

from __future__ import annotations

import re

_STARTS = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
"""Signs that begin a formula, and their full-width twins, which some programs take for them."""
_BREAKS = ("\t", "\r", "\n")
_NUMBER = re.compile(r" *[+-]?(?=[.,]*\d)[\d.,]+(?:[eE][+-]?\d+)?%? *", re.ASCII)


def safe_cell(text: str) -> str:
    """The text, behind an apostrophe where a spreadsheet would run it (OWASP, CSV injection). `-3.5` stays a number."""
    runs = text.startswith(_BREAKS) or text.lstrip().startswith(_STARTS)
    return f"'{text}" if runs and not _NUMBER.fullmatch(text) else text
