"""The same words in another layout: case, punctuation, white space, a list, a quoted mail. For any language."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from evaluation.axes.untouched import WORD, answer_words, change, keeps_answer

_SENTENCE_END = re.compile(r"(?<=[.!?])[^\S\n]+(?=\S)|(?<=[。！？])(?=[^\s。！？])")  # noqa: RUF001  # full stops of Chinese
_POINTS = re.compile(r"(?<=\w)[.,;:!?]+(?=\s|\Z)|(?<=\w)[。，；：！？]+")  # noqa: RUF001
Layout = Callable[[str, frozenset[str], Random], str]


def reformatted(text: str, answer: str, chance: Random) -> str | None:
    """The text in one other layout, or None where none fits.

    Layouts are tried in an order drawn by `chance`, until one changes the text and leaves what the answer may copy.
    """
    layouts = list(LAYOUTS.values())
    chance.shuffle(layouts)
    keep = answer_words(answer)
    for layout in layouts:
        changed = layout(text, keep, chance)
        if changed != text and changed.strip() and keeps_answer(text, changed, answer):
            return changed
    return None


def _lower(text: str, keep: frozenset[str], chance: Random) -> str:
    return _cased(text, keep, str.lower)


def _upper(text: str, keep: frozenset[str], chance: Random) -> str:
    return _cased(text, keep, str.upper)


def _cased(text: str, keep: frozenset[str], case: Callable[[str], str]) -> str:
    """Words of the answer keep their case: a name may have to be copied."""

    def word(word: str) -> str:
        return word if word.casefold() in keep else case(word)

    return change(text, lambda piece: WORD.sub(lambda found: word(found[0]), piece))


def _no_punctuation(text: str, keep: frozenset[str], chance: Random) -> str:
    return change(text, lambda piece: _POINTS.sub("", piece))


def _wide_spaces(text: str, keep: frozenset[str], chance: Random) -> str:
    """Two or three spaces for about a third of them, and some at the end."""
    spread = change(text, lambda piece: re.sub(r"(?<=\S) (?=\S)", lambda _: " " * chance.choice((1, 1, 2, 3)), piece))
    return spread + "  "


def _broken_lines(text: str, keep: frozenset[str], chance: Random) -> str:
    """A new line after each sentence and a blank one at the end, as pasted from a form."""
    return change(text, lambda piece: _SENTENCE_END.sub("\n", piece)) + "\n\n"


def _bullets(text: str, keep: frozenset[str], chance: Random) -> str:
    """A list of its sentences, for texts of two or more in one paragraph."""
    if "\n" in text.strip() or "`" in text:
        return text
    sentences = [each.strip() for each in _SENTENCE_END.split(text.strip()) if each.strip()]
    return "\n".join(f"- {each}" for each in sentences) if len(sentences) > 1 else text


def _quoted_mail(text: str, keep: frozenset[str], chance: Random) -> str:
    """Each line behind `> `, as in a mail that was passed on."""
    return "\n".join(f"> {line}" if line.strip() else ">" for line in text.strip().split("\n"))


LAYOUTS: dict[str, Layout] = {
    "lower case": _lower,
    "upper case": _upper,
    "no punctuation": _no_punctuation,
    "wide spaces": _wide_spaces,
    "broken lines": _broken_lines,
    "bullets": _bullets,
    "quoted mail": _quoted_mail,
}
