"""What no change of an input may touch: code, addresses, e-mails, placeholders, tags, numbers, and words of the answer.

Used by all that rewrites an input by rule, so that only the wording changes and never what is asked about.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

_ADDRESSES = r"""
      ```.*?(?:```|\Z) | `[^`\n]*`              # code
    | (?:https?|ftp)://\S+ | \bwww\.\S+         # addresses
    | (?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)*  # e-mails
    | (?<!\w)[@\#]\w+                           # handles and tags
    | \{\{.*?\}\}                               # placeholders
    | (?<!\w)(?:~|\.{0,2})/\w[\w./-]*           # paths
    | \b\w+(?:[_/\\.=:]\w+)+                    # names of variables and files, times, keys and values
"""
_MARK_UP = r"""
    | \{[^{}\n]*\} | <[^<>\n]+> | \[[^\[\]\n]*\]   # JSON, mark-up, notes in brackets
    | (?<![\w-])[\w-]*\d[\w.,:%-]*                   # whatever holds a figure
"""
ADDRESSES = re.compile(_ADDRESSES, re.VERBOSE | re.DOTALL)
"""Kept when a name changes."""
KEPT = re.compile(_ADDRESSES + _MARK_UP, re.VERBOSE | re.DOTALL)
"""Kept when the wording changes."""
WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
"""A word of letters, with an apostrophe inside."""


_CODE = re.compile(r"[{}();=<>|\\]|\w\(|\w_\w|^\s{4,}\S", re.MULTILINE)


def is_code(text: str) -> bool:
    """True for a text in which code, tables or mark-up stand closer than a sign in each 25 characters."""
    return len(_CODE.findall(text)) * 25 > len(text) and len(_CODE.findall(text)) > 2


def pieces(text: str, kept: re.Pattern[str] = KEPT) -> Iterator[tuple[str, bool]]:
    """(piece of the text, may it be changed), in order; together they are the text."""
    end = 0
    for found in kept.finditer(text):
        if found.start() > end:
            yield text[end : found.start()], True
        if found[0]:
            yield found[0], False
        end = found.end()
    if end < len(text):
        yield text[end:], True


def change(text: str, rule: Callable[[str], str], kept: re.Pattern[str] = KEPT) -> str:
    """The text with `rule` applied to all that may be changed."""
    return "".join(rule(piece) if free else piece for piece, free in pieces(text, kept))


def answer_words(answer: str) -> frozenset[str]:
    """Words of the answer, case-folded: a model may have to copy them from the input."""
    return frozenset(word.casefold() for word in WORD.findall(answer))


def keeps_answer(original: str, changed: str, answer: str) -> bool:
    """True when all that the answer may copy from the input still stands in it, letter by letter.

    That is: each of its words and runs without a space, and as wholes the answer and the texts inside a JSON answer.
    """
    wanted = {*WORD.findall(answer), *answer.split(), answer.strip(), *_texts_inside(answer)}
    return all(part in changed for part in wanted if part and part in original)


def _texts_inside(answer: str) -> Iterator[str]:
    if not answer.lstrip().startswith(("{", "[")):
        return
    try:
        waiting = [json.loads(answer)]
    except (ValueError, RecursionError):
        return
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
