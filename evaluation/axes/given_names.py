"""Given names by region and sex, and where they stand in a text as the name of a person."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Literal

from evaluation.axes.untouched import ADDRESSES, change, pieces

NAMES = Path(__file__).resolve().parents[1] / "slices" / "names" / "given.toml"
Sex = Literal["women", "men"]
_OTHER: dict[Sex, Sex] = {"women": "men", "men": "women"}
_THING_BEFORE = r"(?<!\bSt )(?<!\bSt\. )(?<!\bSan )(?<!\bSanta )(?<!\bSaint )(?<!\bLake )(?<!\bMount )(?<!\bPort )"
_THING_AFTER = (
    r"(?!\s+(?:Street|St|Road|Rd|Avenue|Ave|Lane|Square|Park|Hospital|University|College|School|Airport|Station|Bridge|"
    r"Island|Prize|Award|Cup|Inc|Ltd|LLC|GmbH|Hotel|Church|Cathedral|Hopkins|[IVX]+)\b)"
)
"""A name beside these is a place's, a firm's or a king's."""


@dataclass(frozen=True)
class GivenName:
    """One name of the list."""

    name: str
    region: str
    sex: Sex


@cache
def given_names() -> dict[str, GivenName]:
    """{name: what it is mostly taken for}."""
    listed = tomllib.loads(NAMES.read_text(encoding="utf-8"))
    return {
        name: GivenName(name, region, sex) for region, held in listed.items() for sex in _OTHER for name in held[sex]
    }


def names_in(text: str) -> list[GivenName]:
    """The listed names in a text, in order of their first mention: whole words with a capital."""
    found = (match[0] for piece, free in pieces(text, ADDRESSES) if free for match in _pattern().finditer(piece))
    return [given_names()[name] for name in dict.fromkeys(found)]


def replacements(
    found: list[GivenName], text: str, chance: Random, *, sex: Literal["same", "other"]
) -> dict[str, str] | None:
    """{name: another}: for the same sex of another region, for the other sex of the same one.

    None of the new names stands in the text. None where the list has no name left.
    """
    chosen: dict[str, str] = {}
    taken = set(re.findall(r"\w+", text))
    for each in found:
        want = each.sex if sex == "same" else _OTHER[each.sex]
        left = [
            other.name
            for other in given_names().values()
            if other.sex == want and (other.region == each.region) == (sex == "other") and other.name not in taken
        ]
        if not left:
            return None
        chosen[each.name] = chance.choice(left)
        taken.add(chosen[each.name])
    return chosen


def rename(text: str, names: Mapping[str, str]) -> str:
    """The text with each name changed for the other, all at once."""
    return change(text, lambda piece: _pattern().sub(lambda found: names.get(found[0], found[0]), piece), ADDRESSES)


@cache
def _pattern() -> re.Pattern[str]:
    names = "|".join(sorted(map(re.escape, given_names()), key=len, reverse=True))
    return re.compile(rf"{_THING_BEFORE}(?<![\w\u2019'-])(?:{names})(?![\w-]){_THING_AFTER}")
