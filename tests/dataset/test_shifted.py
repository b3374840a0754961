"""The slice of rows that are least like the others."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import BadInput
from dataset.near import near_between
from dataset.read import read
from dataset.row import Message, Row
from dataset.split import shifted_slice, split
from dataset.unlike import likeness

Pair = Callable[..., Row]
COMMON = ("lamp", "chair", "table", "desk", "sofa", "rug", "mirror", "shelf", "clock", "stool", "bed", "cup")
ASKED = ("where is the {} that I ordered", "the {} arrived broken, what now", "please send another {} to my home")
ODD = (
    "Bonjour, la facture de mai est perdue",
    "Kann jemand mein Passwort ändern",
    "SELECT count FROM returns WHERE",
    "予約を変更したいのですが",
)


def desk(pair: Pair) -> list[Row]:
    """36 rows that are much alike, and after them 4 that are like nothing else."""
    texts = [form.format(thing) for thing in COMMON for form in ASKED]
    return [pair(text, f"reply {n}", n) for n, text in enumerate([*texts, *ODD], start=1)]


def test_the_rows_that_are_like_nothing_else_are_set_aside(pair: Pair) -> None:
    rows = desk(pair)
    aside, rest = shifted_slice(rows, 4, seed=1)
    assert [row.line for row in aside] == [37, 38, 39, 40]
    assert [row.line for row in rest] == list(range(1, 37))


def test_one_look_alike_does_not_make_an_odd_row_a_common_one(pair: Pair) -> None:
    rows = [*desk(pair), pair("Bonjour, la facture de juin est perdue aussi", "reply", 41)]
    assert {row.line for row in shifted_slice(rows, 5, seed=1)[0]} == {37, 38, 39, 40, 41}


def test_another_number_is_no_other_kind_of_row(pair: Pair) -> None:
    rows = [pair(f"Where is my parcel {n * 7919}?", f"on shelf {n}", n) for n in range(40)]
    rows.append(pair("the kettle leaks", "sorry", 40))
    assert [row.line for row in shifted_slice(rows, 1, seed=1)[0]] == [40]


def test_the_split_without_it_is_what_it_always_was(pair: Pair) -> None:
    rows = desk(pair)
    plain = split(rows, seed=7, validation_share=0.1, test_share=0.2)
    assert plain.shifted == ()
    with_it = split(rows, seed=7, validation_share=0.1, test_share=0.2, shifted=4)
    rest = split(rows[:36], seed=7, validation_share=0.1, test_share=0.2)
    assert [row.line for row in with_it.shifted] == [37, 38, 39, 40]
    assert (with_it.train, with_it.validation, with_it.test) == (rest.train, rest.validation, rest.test)


def test_copies_and_groups_stay_together(pair: Pair) -> None:
    rows = [*desk(pair), pair(ODD[0] + "!", "reply", 41)]
    assert {row.line for row in shifted_slice(rows, 5, seed=1)[0]} == {37, 38, 39, 40, 41}
    # The customer of the first odd row also wrote three common ones: together they are too many for two places.
    grouped = [Row(row.messages, row.line, {"customer": 0 if row.line in (1, 2, 3, 37) else row.line}) for row in rows]
    aside = {row.line for row in shifted_slice(grouped, 2, seed=1, group="customer")[0]}
    assert aside < {38, 39, 40} and len(aside) == 2
    with pytest.raises(BadInput, match="tenant"):
        shifted_slice(grouped, 2, seed=1, group="tenant")


def test_each_label_gives_its_share_and_keeps_rows_to_train_on() -> None:
    chance = random.Random(4)
    letters = "abcdefghijklmnopqrstuvwxyz"
    rows = []
    for line in range(200):
        label = ("large", "large", "large", "small")[line % 4]
        text = " ".join("".join(chance.choices(letters, k=6)) for _ in range(6))
        rows.append(Row((Message("user", text), Message("assistant", label)), line))
    rows.append(Row((Message("user", "like nothing else"), Message("assistant", "single")), 200))
    aside, rest = shifted_slice(rows, 40, seed=1)
    counts = Counter(row.answer for row in aside)
    assert counts["large"] in (29, 30, 31) and counts["small"] in (9, 10, 11) and counts["single"] == 0
    assert {row.answer for row in rest} == {"large", "small", "single"}


def test_what_cannot_be_set_aside_is_refused_or_said(pair: Pair) -> None:
    rows = desk(pair)
    with pytest.raises(BadInput, match="a third at the most"):
        shifted_slice(rows, 14, seed=1)
    twins = [
        pair(f"{text} {'!' * n}", "same", n) for n in (1, 2) for text in ("one thing", "other matter", "third way")
    ]
    with pytest.raises(BadInput, match="no 1 rows can be set aside"):
        shifted_slice(twins, 1, seed=1)
    result = split([*twins, *(pair(odd, "same", 9) for odd in ODD)], seed=1, validation_share=0.1, test_share=0.2,
                   shifted=3)  # fmt: skip
    assert len(result.shifted) == 3 and not result.notes


def test_rows_without_any_text_are_like_nothing() -> None:
    rows = [Row((Message("user", ""), Message("assistant", "yes")), n) for n in range(4)]
    assert likeness(rows, [[0, 1], [2], [3]], seed=1) == [0.0, 0.0, 0.0]


def test_on_true_messages_the_slice_is_further_from_training_than_the_test_rows(shared: Path) -> None:
    rows = read(shared / "data" / "banking77" / "train.csv").usable().rows[:3000]
    parts = split(rows, seed=7, validation_share=0.1, test_share=0.2, shifted=200)
    assert 190 <= len(parts.shifted) <= 200

    def alike(slice_: tuple[Row, ...]) -> float:
        chosen = [*slice_[:190], *parts.train]
        clusters = [[place] for place in range(len(chosen))]
        return sum(likeness(chosen, clusters, seed=1)[: len(slice_[:190])]) / len(slice_[:190])

    assert alike(parts.shifted) < 0.8 * alike(parts.test)
    before, after = Counter(row.answer for row in rows), Counter(row.answer for row in parts.shifted)
    assert all(abs(after[label] - 200 * count / len(rows)) < 2 for label, count in before.items())
    texts = [[row.user_text for row in part] for part in (parts.shifted, (*parts.train, *parts.test))]
    assert set(near_between(texts[0], texts[1])) == {-1}
