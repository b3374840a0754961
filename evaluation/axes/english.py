"""Which rows are in English: rules of English wording are applied to those alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache

from dataset.checks.language import SURE, prose
from dataset.row import Row
from evaluation.axes.untouched import WORD
from evaluation.axes.wording import word_list

_FUNCTION_WORDS = word_list("function_words")
_MIN_SHARE = 0.12
"""Share of these words from which a short text counts as English: running English has about 0.25 of them."""
_OTHER_SCRIPT = re.compile(r"[^\W\d_a-zA-Z]")


def english(rows: Sequence[Row]) -> list[bool]:
    """For each row whether its user turns are English.

    Long texts are told by py3langid where it is sure, as in the check of languages. Short ones by their share of
    English function words; those without any go with most of the rows that are told.
    """
    told = [_told(row.user_text) for row in rows]
    sure = [each for each in told if each is not None]
    most = sum(sure) * 2 > len(sure)
    return [most if each is None else each for each in told]


def _told(text: str) -> bool | None:
    letters = sum(char.isalpha() for char in text)
    if letters and len(_OTHER_SCRIPT.findall(text)) > 0.2 * letters:
        return False
    plain = prose(text)
    if plain:
        language = _identifier()(plain)
        if language:
            return language == "en"
    words = [word.casefold() for word in WORD.findall(text)]
    if words and sum(word in _FUNCTION_WORDS for word in words) >= _MIN_SHARE * len(words):
        return True
    return None


@cache
def _identifier() -> Callable[[str], str]:
    """Text to language code; empty where it is not sure. Loading takes 0.2 seconds, once."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_pickled_model(MODEL_FILE, norm_probs=True)

    def told(text: str) -> str:
        language, probability = identifier.classify(text)
        return str(language) if probability >= SURE else ""

    return told
