"""The same question in other words, by rules of English that keep its meaning: frames, contractions, synonyms."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from random import Random

from evaluation.axes.untouched import change, keeps_answer
from evaluation.axes.wording import phrase_table, phrases, word_list

MAX_FRAMED = 300
"""Characters up to which a text is taken for a question or request; what is longer gets no polite words around it."""
_MAX_WORDS = 9
"""Longest "what is ..." that may be turned round: in longer ones the verb may belong elsewhere."""


def paraphrased(text: str, answer: str, chance: Random) -> str | None:
    """The text in other words, or None where no rule fits or something that the answer may copy would be lost.

    One of the frames that fit, drawn by `chance`, with contractions either made or written in full, and with phrases
    that say the same. Only a short text in one paragraph gets a frame.
    """
    worded = _worded(text, chance)
    candidates = []
    if _is_short(worded):
        candidates = [frame for frame in _frames(_in_full(text).strip()) if frame]
        chance.shuffle(candidates)
        ahead = chance.choice(phrases("before_question" if "?" in worded else "before"))
        stop = "" if worded.rstrip()[-1] in ".!?:;," else "."
        polite = [ahead + _small(worded.lstrip()), worded.rstrip() + stop + chance.choice(phrases("after"))]
        chance.shuffle(polite)
        candidates += polite
    for candidate in [*candidates, worded]:
        if candidate != text and keeps_answer(text, candidate, answer):
            return candidate
    return None


def _is_short(text: str) -> bool:
    return len(text) <= MAX_FRAMED and "\n" not in text.strip() and any(char.isalpha() for char in text)


def _frames(asked: str) -> Iterator[str]:
    """The text in each frame that fits: question into request and back. For one sentence alone."""
    for pattern, frame in _FRAMES:
        found = re.fullmatch(pattern, asked, re.IGNORECASE)
        if found:
            yield frame(found)


def _what_is(found: re.Match[str]) -> str:
    """What is the fee? becomes: Please tell me what the fee is."""
    words = found["thing"].split()
    turned_wrong = word_list("not_turned").intersection(map(str.lower, words[-1:] if len(words) < 4 else words))
    if len(words) > _MAX_WORDS or turned_wrong or re.search(r"[,;:]|(?:ing|ed)\b", found["thing"], re.IGNORECASE):
        return ""
    return f"Please tell me {found['word'].lower()} {found['thing'].strip()} {found['verb'].lower()}."


def _what_can(found: re.Match[str]) -> str:
    """Where can I park? becomes: Please tell me where I can park."""
    return f"Please tell me {found['word'].lower()} {found['who']} {found['verb'].lower()} {found['rest']}."


def _how_do(found: re.Match[str]) -> str:
    """How do I park? becomes: Please tell me how to park."""
    return f"Please tell me how to {found['rest']}."


def _may(found: re.Match[str]) -> str:
    """Can I park here? becomes: I would like to know whether I can park here."""
    return f"I would like to know whether {found['who']} can {found['rest']}."


def _please(found: re.Match[str]) -> str:
    """Could you list three rivers? becomes: Please list three rivers."""
    verb = found["verb"].lower()
    return f"Please {verb}{found['rest']}." if verb in word_list("request_verbs") else ""


def _could_you(found: re.Match[str]) -> str:
    """List three rivers. becomes: Could you list three rivers?"""
    verb, rest = found["verb"].lower(), found["rest"]
    begins = rest.split()[0].lower()
    if verb not in word_list("request_verbs") or (begins not in word_list("begins_thing") and not begins.isdigit()):
        return ""
    return f"Could you {verb}{rest}?"


_FRAMES: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (r"(?P<word>what|where|who) (?P<verb>is|are) (?P<thing>(?:the|my|your|our) [^?.!\n]+)\?", _what_is),
    (r"(?P<word>how|where|when|what) (?P<verb>can|should|must) (?P<who>I|we) (?P<rest>[^?.!\n]+)\?", _what_can),
    (r"how do (?:I|we|you) (?P<rest>[^?.!\n]+)\?", _how_do),
    (r"can (?P<who>I|we) (?P<rest>[^?.!\n]+)\?", _may),
    (r"(?:can|could|would) you (?:please )?(?P<verb>\w+)(?P<rest>[^?.!\n]*)\?", _please),
    (r"(?:please )?(?P<verb>\w+)(?P<rest> [^?.!\n]+)\.?", _could_you),
)


def _worded(text: str, chance: Random) -> str:
    """Contracted or in full, and with phrases that say the same, wherever the tables know one."""
    rules = [_contracted, _in_full]
    chance.shuffle(rules)
    changed = rules[0](text)
    if changed == text:
        changed = rules[1](text)
    return change(changed, lambda piece: _by_table("synonyms").sub(_synonym, piece))


def _contracted(text: str) -> str:
    def short(found: re.Match[str]) -> str:
        following = _NEXT_WORD.match(found.string[found.end() : found.end() + _NEAR])
        # Not before a stop: "yes, I am." has no short form.
        needs_more = not found[0].lower().endswith("not")
        if not following or (needs_more and following[1].casefold() in word_list("no_short_form")):
            return found[0]
        return _like(found[0], _table("contractions")[found[0].casefold()])

    return change(text, lambda piece: _by_table("contractions").sub(short, piece))


def _in_full(text: str) -> str:
    def full(found: re.Match[str]) -> str:
        word = found[0].replace("\u2019", "'")
        following = _NEXT_WORD.match(found.string[found.end() : found.end() + _NEAR])
        leading = _LAST_WORD.search(found.string[max(0, found.start() - _NEAR) : found.start()])
        next_word = following[1].casefold() if following else ""
        if word.lower().endswith("'s") and next_word not in word_list("after_is"):
            return found[0]
        # "Why don't you" and "can't I" turn round what would stand in full.
        if word.lower().endswith("n't") and (next_word in _SUBJECTS or (leading and leading[1].casefold() in _ASKING)):
            return found[0]
        return _like(found[0], _table("in full")[word.casefold()])

    return change(text, lambda piece: _by_table("in full").sub(full, piece))


_NEAR = 40
_NEXT_WORD = re.compile(r"\s+([\w'\u2019]+)")
_LAST_WORD = re.compile(r"(\w+)\s+$")
_SUBJECTS = frozenset(
    ("i", "you", "we", "they", "he", "she", "it", "there", "the", "my", "your", "our", "this", "that")
)
_ASKING = frozenset(("why", "how", "where", "when", "what", "who"))


def _synonym(found: re.Match[str]) -> str:
    return _like(found[0], _table("synonyms")[found[0].casefold()])


@cache
def _table(name: str) -> dict[str, str]:
    """{phrase in lower case: the other}."""
    if name == "in full":
        return {short.casefold(): full for full, short in phrase_table("contractions").items()}
    return {phrase.casefold(): other for phrase, other in phrase_table(name).items()}


@cache
def _by_table(name: str) -> re.Pattern[str]:
    """Any phrase of a table, as whole words, the longest first; either apostrophe."""
    longest_first = sorted(map(re.escape, _table(name)), key=len, reverse=True)
    either = "|".join(longest_first).replace("'", "['\u2019]")
    return re.compile(rf"(?<![\w'\u2019-])(?:{either})(?![\w'\u2019-])", re.IGNORECASE)


def _like(phrase: str, other: str) -> str:
    """The other phrase with the first one's capital; capitals throughout are left alone."""
    if phrase.isupper() and len(phrase) > 1:
        return phrase
    return other[0].upper() + other[1:] if phrase[0].isupper() else other


def _small(text: str) -> str:
    """A small letter at the beginning of words that are no names, so that they can stand after other words."""
    first = re.match(r"([A-Z][a-z]*)(?=\s)", text)
    ordinary = word_list("function_words") | word_list("request_verbs")
    return text[0].lower() + text[1:] if first and first[1].casefold() in ordinary else text
