"""English words that say whether a man or a woman is meant, and how one sentence becomes the other.

Only he and she change places: `they` takes other verbs and is left as it is.
"""

from __future__ import annotations

import re

from evaluation.axes.untouched import ADDRESSES, WORD, pieces
from evaluation.axes.wording import word_list

_TITLES = {"mr": "ms", "ms": "mr", "mrs": "mr", "miss": "mr", "sir": "madam", "madam": "sir"}
_PLAIN = {"he": "she", "she": "he", "him": "her", "himself": "herself", "herself": "himself", "hers": "his"}
_WORDS = re.compile(r"\b(?:he|she|him|her|his|hers|himself|herself)\b", re.IGNORECASE)
# A title has a capital and a name behind it, but for the one in an address: "Dear Sir".
_TITLE = re.compile(r"\b(?:(?:Mrs?|Ms|Miss)\b(?=\.?\s+[A-Z])|(?<=Dear )(?:Sir|Madam)\b)")
_EITHER = re.compile(rf"{_TITLE.pattern}|(?i:{_WORDS.pattern})")
_BOTH = re.compile(
    r"\b(?:s/he|he/she|she/he|(?:he|she|him|her|his|hers|himself|herself|sir|madam)(?:\s+(?:or|and)\s+|/)"
    r"(?:he|she|him|her|his|hers|himself|herself|sir|madam))\b|\(s\)he",
    re.IGNORECASE,
)
_NOUNS = word_list("gendered_nouns")
_NO_THING = word_list("no_thing")
_TWO_OBJECTS = word_list("two_objects")
_NEXT = re.compile(r"[^\S\n]+(?:([\w'\u2019-]+)|[{\[<`@#\"\u201c])")
_LAST = re.compile(r"([\w'\u2019-]+)\s+$")
_NEAR = 40
"""Characters around a pronoun that are looked at."""
_SOMETHING = "thing"


def says_gender(text: str) -> bool:
    """True when the text has a he, she or title that could be changed."""
    return bool(_WORDS.search(text) or _TITLE.search(text))


def flip(text: str) -> str | None:
    """The text with he and she, Mr and Ms changed for each other, or None where a rule cannot tell how.

    That is so where both stand side by side ("he or she"), where a noun says it as well ("mother"), and where `her`
    may be `him` or `his`.
    """
    if _BOTH.search(text) or not _NOUNS.isdisjoint(word.casefold() for word in WORD.findall(text)):
        return None
    shouted = text.upper() == text
    changed: list[str] = []
    start = 0
    for piece, free in pieces(text, ADDRESSES):
        end = 0
        for found in _EITHER.finditer(piece) if free else ():
            ahead, behind = (start + place for place in found.span())
            other = _other(found[0], text[max(0, ahead - _NEAR) : ahead], text[behind : behind + _NEAR], shouted)
            if other is None:
                return None
            changed += [piece[end : found.start()], other]
            end = found.end()
        changed.append(piece[end:])
        start += len(piece)
    return "".join(changed)


def neutral(text: str) -> str:
    """The text with one word for he and she, one for his and her, and so on: what is left is the same for both."""
    text = re.sub(r"\b(?:he|she)\b", "he", text, flags=re.IGNORECASE)
    text = re.sub(r"\b(?:him|his|her|hers)\b", "his", text, flags=re.IGNORECASE)
    text = re.sub(r"\b(?:himself|herself)\b", "himself", text, flags=re.IGNORECASE)
    text = re.sub(r"\b(?:Mr|Ms|Mrs|Miss)\b\.?", "Mr", text)
    return re.sub(r"\b(?:sir|madam)\b", "sir", text, flags=re.IGNORECASE)


def _other(word: str, before: str, after: str, shouted: bool) -> str | None:
    """The other form of a pronoun or title, in the same case; None where it cannot be told."""
    plain = word.casefold()
    if plain in _TITLES:
        return _case_of(word, _TITLES[plain])
    if word.isupper() and not shouted:
        return word  # HE and HIS are names of things: higher education, an information system
    if plain in _PLAIN:
        return _case_of(word, _PLAIN[plain])
    following = _NEXT.match(after)
    follows = (following[1] or _SOMETHING).casefold() if following else ""
    belongs = bool(follows) and follows not in _NO_THING
    if plain == "his":
        return _case_of(word, "her" if belongs else "hers")
    leading = _LAST.search(before)
    if belongs and ((leading and leading[1].casefold() in _TWO_OBJECTS) or follows == "back"):
        return None
    return _case_of(word, "his" if belongs else "him")


def _case_of(word: str, other: str) -> str:
    if word.isupper() and len(word) > 1:
        return other.upper()
    return other.capitalize() if word[:1].isupper() else other
