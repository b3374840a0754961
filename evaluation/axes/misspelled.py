"""Slips of the keyboard in an input, at a stated rate: what people send when nobody corrects them."""

from __future__ import annotations

from random import Random

from evaluation.axes.untouched import WORD, answer_words, pieces

SLIP_RATE = 0.1
"""Share of the words that may have a slip and get one; at least one word does."""
MIN_LETTERS = 4
"""Shorter words become other words too easily."""
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def misspelled(text: str, answer: str, chance: Random) -> str | None:
    """The text with one slip in about a tenth of its words, or None where no word may have one.

    A slip is a key next to the right one, a letter left out, doubled, or changed for its neighbour; never the first
    letter. Words with a capital (a name may come twice), code, addresses, e-mails, figures and words of the answer stay
    as they are.
    """
    keep = answer_words(answer)
    parts = list(pieces(text))
    places = [
        (at, found.start(), found[0])
        for at, (piece, free) in enumerate(parts)
        if free
        for found in WORD.finditer(piece)
        if _may_slip(found[0]) and found[0].casefold() not in keep
    ]
    if not places:
        return None
    chosen = chance.sample(places, max(1, round(SLIP_RATE * len(places))))
    changed = [piece for piece, _ in parts]
    for at, start, word in sorted(chosen, reverse=True):  # from the end, so that earlier places stay right
        changed[at] = changed[at][:start] + slip(word, chance) + changed[at][start + len(word) :]
    return "".join(changed)


def slip(word: str, chance: Random) -> str:
    """A word of `MIN_LETTERS` letters or more with one slip. Never the word itself."""
    kinds = [_neighbour, _dropped, _doubled, _swapped]
    chance.shuffle(kinds)
    for kind in kinds:
        place = chance.randrange(1, len(word))
        changed = kind(word, place, chance)
        if changed.casefold() != word.casefold():
            return changed
    return word + word[-1]


def _may_slip(word: str) -> bool:
    """Plain words in alphabets with few letters: a sign left out of Chinese would be another word."""
    alphabet = all(char < "\u0590" or "\u1e00" <= char <= "\u1fff" for char in word)
    return word.isalpha() and len(word) >= MIN_LETTERS and alphabet and word.islower()


def _neighbour(word: str, place: int, chance: Random) -> str:
    """A key beside the right one on a keyboard that begins with QWERTY; other letters have none."""
    for row, keys in enumerate(_ROWS):
        column = keys.find(word[place])
        if column >= 0:
            beside = keys[max(0, column - 1) : column] + keys[column + 1 : column + 2]
            beside += _ROWS[row - 1][column : column + 1] if row else ""
            return word[:place] + chance.choice(beside) + word[place + 1 :]
    return word


def _dropped(word: str, place: int, chance: Random) -> str:
    return word[:place] + word[place + 1 :]


def _doubled(word: str, place: int, chance: Random) -> str:
    return word[:place] + word[place] + word[place:]


def _swapped(word: str, place: int, chance: Random) -> str:
    place = min(place, len(word) - 2)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
