"""The fixes of a data set, one function each: rows in, and what becomes of each row that is not kept as it is."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from dataset.checks.labels import labels_of
from dataset.checks.shape import ROLES, USUAL_ROLES
from dataset.checks.spelling import same_but_for_form
from dataset.masking import mask_personal, mask_secrets
from dataset.near import near_between, near_duplicates
from dataset.normalise import keys_of
from dataset.row import Row

_SPACES = re.compile(r"\s+")


class Mended(NamedTuple):
    """What becomes of one row."""

    place: int
    """Index in the rows that were given."""
    after: Row | None
    """None: the row goes."""
    reason: str


def repeated(rows: Sequence[Row]) -> Iterator[Mended]:
    """All but the first of rows with the same input (as inputs are compared), whatever their answers."""
    first: dict[str, Row] = {}
    for place, (row, key) in enumerate(zip(rows, keys_of(rows).inputs, strict=True)):
        kept = first.setdefault(key, row) if key else row
        if kept is not row:
            other = "" if kept.answer == row.answer else ", with another answer"
            yield Mended(place, None, f"repeats the input of line {kept.line}{other}")


def near_copies(rows: Sequence[Row]) -> Iterator[Mended]:
    """All but the first of rows that are near copies and have the same answer.

    A near copy with another answer stays: `turn the light on` and `turn the light off` teach a difference.
    """
    keys = keys_of(rows).users
    distinct = list(dict.fromkeys(key for key in keys if key))
    near = near_duplicates(distinct)
    cluster = {
        text: root for text, root, partner in zip(distinct, near.cluster, near.partner, strict=True) if partner >= 0
    }
    first: dict[tuple[int, str], Row] = {}
    for place, (row, key) in enumerate(zip(rows, keys, strict=True)):
        if key in cluster:
            kept = first.setdefault((cluster[key], row.answer), row)
            if kept is not row:
                yield Mended(place, None, f"is a near copy of line {kept.line}, with the same answer")


def without_answer(rows: Sequence[Row]) -> Iterator[Mended]:
    """Rows whose last turn is not the assistant's."""
    for place, row in enumerate(rows):
        if not row.messages or row.messages[-1].role != "assistant":
            yield Mended(place, None, "the last turn is not the assistant's")


def without_text(rows: Sequence[Row]) -> Iterator[Mended]:
    """Rows with an empty turn. An empty system turn alone is taken out and its row stays."""
    for place, row in enumerate(rows):
        empty = {message.role for message in row.messages if not message.content.strip()}
        if empty == {"system"}:
            turns = tuple(message for message in row.messages if message.content.strip())
            yield Mended(place, replace(row, messages=turns), "its empty system turn was taken out")
        elif empty:
            yield Mended(place, None, f"has an empty turn ({', '.join(sorted(empty))[:60]})")


def conflicting(rows: Sequence[Row]) -> Iterator[Mended]:
    """All rows of an input that carries different answers."""
    for places in _conflicts(rows):
        for place in places:
            others = [rows[other].line for other in places if rows[other].answer != rows[place].answer]
            yield Mended(place, None, f"line {others[0]} gives another answer to the same input")


def outvoted(rows: Sequence[Row]) -> Iterator[Mended]:
    """Of an input with different answers the rows that are not of the majority; all of them where there is none."""
    for places in _conflicts(rows):
        votes = Counter(rows[place].answer for place in places).most_common(2)
        if votes[0][1] == votes[1][1]:
            for place in places:
                yield Mended(place, None, "the same input has several answers, none of them with a majority")
            continue
        for place in places:
            if rows[place].answer != votes[0][0]:
                yield Mended(place, None, f"{votes[0][1]} rows give another answer to the same input")


def _conflicts(rows: Sequence[Row]) -> Iterator[list[int]]:
    """Places of rows with inputs equal but for case and white space (`C++` is not `C#`), and different answers."""
    groups: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        key = _SPACES.sub(" ", row.input_text.casefold()).strip()
        if key and row.answer:
            groups[key].append(place)
    yield from (places for places in groups.values() if len({rows[place].answer for place in places}) > 1)


def personal(rows: Sequence[Row]) -> Iterator[Mended]:
    """E-mail addresses, phone numbers, cards, IBANs and public IP addresses give way to their kind."""
    yield from _masked(rows, mask_personal, "masked")


def secrets(rows: Sequence[Row]) -> Iterator[Mended]:
    """Keys, tokens and passwords give way to `[secret]`."""
    yield from _masked(rows, mask_secrets, "taken out")


def _masked(rows: Sequence[Row], mask: Callable[[str], tuple[str, list[str]]], verb: str) -> Iterator[Mended]:
    for place, row in enumerate(rows):
        turns, kinds = [], Counter[str]()
        for message in row.messages:
            text, found = mask(message.content)
            turns.append(replace(message, content=text) if found else message)
            kinds.update(found)
        if kinds:
            shown = ", ".join(f"{kind} {count}" if count > 1 else kind for kind, count in kinds.items())
            yield Mended(place, replace(row, messages=tuple(turns)), f"{verb}: {shown}")


def wrong_roles(rows: Sequence[Row]) -> Iterator[Mended]:
    """`model`, `Chatbot` and their like become assistant, `human` becomes user; names that say nothing stay."""
    for place, row in enumerate(rows):
        renamed: dict[str, str] = {}
        for message in row.messages:
            meant = USUAL_ROLES.get(message.role.strip().lower())
            if message.role not in ROLES and meant:
                renamed[message.role] = meant
        if renamed:
            turns = tuple(replace(turn, role=renamed.get(turn.role, turn.role)) for turn in row.messages)
            shown = ", ".join(f"{was[:30]} is now {now}" for was, now in renamed.items())
            yield Mended(place, replace(row, messages=turns), f"role {shown}")


def spelled_labels(rows: Sequence[Row], training: Sequence[Row] = ()) -> Iterator[Mended]:
    """Labels that differ in case, blanks or punctuation get the spelling that most rows (training's too) have."""
    spelling = dict(same_but_for_form(labels_of([*rows, *training])))
    for place, row in enumerate(rows):
        now = spelling.get(row.answer)
        if now is not None:
            last = row.messages[-1]
            turns = (*row.messages[:-1], replace(last, content=now))
            yield Mended(place, replace(row, messages=turns), f"label {row.answer[:40]!r} is now {now[:40]!r}")


def seen_in_training(rows: Sequence[Row], training: Sequence[Row]) -> Iterator[Mended]:
    """Held-out rows whose input stands in training."""
    lines: dict[str, int] = {}
    for row, key in zip(training, keys_of(training).inputs, strict=True):
        lines.setdefault(key, row.line)
    for place, key in enumerate(keys_of(rows).inputs):
        if key and key in lines:
            yield Mended(place, None, f"its input stands in line {lines[key]} of training")


def nearly_in_training(rows: Sequence[Row], training: Sequence[Row]) -> Iterator[Mended]:
    """Held-out rows with a near copy in training (or the input itself)."""
    keys = keys_of(rows).users
    places = [place for place, key in enumerate(keys) if key]
    known = {key: row.line for row, key in zip(reversed(training), reversed(keys_of(training).users), strict=True)}
    known.pop("", None)
    texts = list(known)
    for place, partner in zip(places, near_between([keys[place] for place in places], texts), strict=True):
        if partner >= 0:
            yield Mended(place, None, f"has a near copy in line {known[texts[partner]]} of training")
