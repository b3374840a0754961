"""Rows like a support desk's, as many as wanted, with a known share of what a check of data should find.

The words are ours and the seed is fixed: the same count gives the same rows on every machine.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SHARES = {
    "exact": 0.02,
    "normalised": 0.01,
    "near": 0.04,
    "conflict": 0.005,
    "personal": 0.01,
    "secret": 0.001,
}
"""Share of the rows: the same row again; the same but for case and signs; near copies of an earlier row (one to three
words changed); an earlier input with another answer; rows with personal data; rows with a secret."""

_CONSONANTS = "bdfgklmnprstv"
_VOWELS = "aeiou"
_THINGS = """
lamp chair kettle parcel invoice table shelf blanket radio mirror carpet printer saddle jacket bottle garden hose
curtain pillow ladder drill toaster camera speaker cushion wardrobe bracket hammer bicycle helmet charger cable
"""
_DEEDS = """
arrived broke leaked vanished stopped rattled faded cracked doubled shrank blinked stalled tilted jammed melted
peeled bent squeaked overheated tore froze buzzed slipped dripped yesterday today since before after during because
"""
_OPENINGS = (
    "Hello, I have a question about my order. ",
    "Good morning! ",
    "Could you please help me with the following? ",
    "Hi there, I am writing because something went wrong. ",
    "",
    "To whom it may concern: ",
)
_CLOSINGS = (
    " Thank you very much for your help.",
    " Please answer soon.",
    "",
    " Kind regards.",
    " What should I do now?",
)
_ANSWERS = (
    "We are sorry. Please send it back with the label that we put into the box, and we refund the price.",
    "Thank you for telling us. A colleague of the workshop calls you within two days.",
    "The replacement leaves our store tomorrow and needs three days.",
    "Please hold the small button for ten seconds; the light then turns green.",
)


@dataclass
class Planted:
    """What was put in, in numbers of rows, and where the near copies are."""

    rows: int
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SHARES, 0))
    near_pairs: list[tuple[int, int]] = field(default_factory=list)
    """(line of a row, line of its altered copy), 1-based. Whether a pair is at 0.8 or more is for the truth to say."""


def vocabulary(chooser: random.Random) -> list[str]:
    """3,000 made-up names of goods and places, and the plain words as often as all of these together."""
    syllables = [first + second for first in _CONSONANTS for second in _VOWELS]
    names = {"".join(chooser.choices(syllables, k=chooser.randint(2, 4))) for _ in range(3200)}
    plain = (_THINGS + _DEEDS).split()
    return sorted(names)[:3000] + plain * (3000 // len(plain))


def support_rows(count: int, planted: Planted, seed: int = 11) -> Iterator[tuple[str, str]]:
    """(question, answer) of about 300 characters together; what is planted is noted in `planted`."""
    chooser = random.Random(seed)
    words = vocabulary(chooser)
    kept: list[tuple[int, str, str]] = []  # earlier rows to copy from: a reservoir, each taken once
    edges, total = [], 0.0
    for kind, share in SHARES.items():
        total += share
        edges.append((total, kind))
    for line in range(1, count + 1):
        draw = chooser.random()
        kind = next((kind for edge, kind in edges if draw < edge), "") if kept and draw < total else ""
        question, answer = _question(chooser, words), _answer(chooser, words)
        if kind in ("exact", "normalised", "near", "conflict"):
            before, question, answer = kept.pop(chooser.randrange(len(kept)))
            if kind == "normalised":
                question = question.upper().replace(".", "!") + " ..."
            elif kind == "near":
                question = _altered(question, chooser, words)
                planted.near_pairs.append((before, line))
            elif kind == "conflict":
                answer = "No: " + answer
        elif kind == "personal":
            question += chooser.choice(_PERSONAL)(chooser)
        elif kind == "secret":
            question += " My key is hf_" + "".join(chooser.choices("abcdefghijkmnpqrstuvwxyzABCDEFGH23456789", k=34))
        elif len(kept) < 50_000:
            kept.append((line, question, answer))
        if kind:
            planted.counts[kind] += 1
        yield question, answer


def write_chat(path: Path, count: int, seed: int = 11) -> Planted:
    """Write `count` rows as chat JSON Lines."""
    planted = Planted(count)
    with path.open("w", encoding="utf-8") as file:
        for question, answer in support_rows(count, planted, seed):
            turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
            file.write(json.dumps({"messages": turns}) + "\n")
    return planted


def _question(chooser: random.Random, words: list[str]) -> str:
    middle = " ".join(chooser.choices(words, k=chooser.randint(18, 30)))
    return f"{chooser.choice(_OPENINGS)}{middle.capitalize()}.{chooser.choice(_CLOSINGS)}"


def _answer(chooser: random.Random, words: list[str]) -> str:
    return f"{chooser.choice(_ANSWERS)} Case {chooser.randint(1, 9999)}, {chooser.choice(words)}."


def _altered(text: str, chooser: random.Random, words: list[str]) -> str:
    """One to three words exchanged or dropped."""
    parts = text.split(" ")
    for _ in range(chooser.randint(1, 3)):
        place = chooser.randrange(len(parts))
        parts[place : place + 1] = [chooser.choice(words)] if chooser.random() < 0.6 else []
    return " ".join(parts)


_PERSONAL = (
    lambda chooser: f" Write to {chooser.choice(_THINGS.split())}{chooser.randint(1, 99999)}@mailhouse.co.uk",
    lambda chooser: f" Ring +44 20 7946 {chooser.randint(1000, 9999)}",
    lambda _chooser: " The card was 4111 1111 1111 1111",
)
