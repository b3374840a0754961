"""Planted label errors are found, most of them near the top; data that cannot be searched says why."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dataset.checks.label_error import check_label_errors
from dataset.label_errors import FEWEST_ROWS, LabelSearch, search_labels, suspected
from dataset.read import read
from dataset.row import Message, Row

Pair = Callable[..., Row]
WORDS = {
    "delivery": "where parcel late courier tracking arrive address driver shipment waiting",
    "refund": "money back return broken paid refund card charge cancel amount",
    "account": "password login email profile account locked name reset sign settings",
    "stock": "available size colour store shelf order catalogue again stock sold",
}
EVERYBODY = "please could you tell me about my the is it when what today help need"


def desk(pair: Pair, rows: int = 400) -> list[Row]:
    """Messages of a shop's desk, half of their words from the topic and half from everybody's."""
    chance = random.Random(5)
    found = []
    for line in range(1, rows + 1):
        label = chance.choice(list(WORDS))
        words = chance.choices(WORDS[label].split(), k=4) + chance.choices(EVERYBODY.split(), k=4)
        chance.shuffle(words)
        found.append(pair(" ".join(words), label, line))
    return found


def flipped(rows: list[Row], share: float = 0.05, seed: int = 3) -> tuple[list[Row], set[int]]:
    """The rows with a share of their labels turned into another one, and the lines of those."""
    chance = random.Random(seed)
    labels = sorted({row.answer for row in rows})
    wrong = set(chance.sample(range(len(rows)), round(share * len(rows))))
    mixed = []
    for place, row in enumerate(rows):
        other = chance.choice([label for label in labels if label != row.answer])
        turns = (*row.messages[:-1], Message("assistant", other))
        mixed.append(replace(row, messages=turns) if place in wrong else row)
    return mixed, {rows[place].line for place in wrong}


def precision(found: LabelSearch, wrong: set[int], first: int) -> float:
    return float(np.mean([each.line in wrong for each in found.suspects[:first]]))


def test_planted_errors_stand_at_the_top_with_the_label_that_they_had(pair: Pair) -> None:
    rows = desk(pair)
    mixed, wrong = flipped(rows)
    found = search_labels(mixed)
    assert precision(found, wrong, len(wrong)) >= 0.95
    assert len(wrong & {each.line for each in found.suspects}) >= 0.8 * len(wrong)
    for each in found.suspects[:10]:
        assert (each.given, each.likely) == (mixed[each.place].answer, rows[each.place].answer)
        assert each.given_confidence < each.confidence <= 1
    beliefs = [each.given_confidence for each in found.suspects]
    assert beliefs == sorted(beliefs) and found.searched == found.of_rows == 400 and found.classes == 4
    assert search_labels(mixed) == found, "the same rows give the same suspects"


def test_clean_rows_have_next_to_no_suspects(pair: Pair) -> None:
    assert len(search_labels(desk(pair)).suspects) <= 4


def test_the_finding_names_the_likeliest_mistakes(pair: Pair) -> None:
    mixed, wrong = flipped(desk(pair))
    found = search_labels(mixed)
    (note,) = check_label_errors(found)
    first = found.suspects[0]
    assert (note.check, note.severity, note.count) == ("label_error", "note", len(found.suspects))
    assert f"line {first.line} says `{first.given}`, rather `{first.likely}`" in note.message
    assert len(wrong & set(note.rows)) >= 0.9 * len(note.rows)
    assert list(check_label_errors(search_labels(desk(pair, 40)))) == []


def test_more_rows_than_can_be_searched_are_sampled_and_it_is_said(pair: Pair) -> None:
    mixed, _ = flipped(desk(pair))
    found = search_labels(mixed, most_rows=250)
    assert found.searched == 250 and found.of_rows == 400 and found.suspects
    assert "250 of 400 rows were searched" in next(check_label_errors(found)).message
    assert all(mixed[each.place].line == each.line for each in found.suspects)


def test_small_classes_are_left_out(pair: Pair) -> None:
    rows = [*desk(pair), *(pair(f"warranty paper {line} lost", "warranty", line) for line in range(401, 408))]
    found = search_labels(rows)
    assert found.classes == 4 and found.searched == 400
    assert "warranty" not in {each.likely for each in found.suspects}


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (lambda pair: desk(pair, FEWEST_ROWS - 1), "Too few rows"),
        (lambda pair: [pair(f"Question {n}?", f"Answer {n}.", n) for n in range(200)], "texts rather than labels"),
        (lambda pair: [pair(f"word {n * 7919}", "ab"[n * n % 7 % 2], n) for n in range(200)], "words do not tell"),
        (lambda pair: [pair("where", "delivery", n) for n in range(200)], "texts rather than labels"),
    ],
)
def test_what_cannot_be_searched_says_why(pair: Pair, rows: Callable[[Pair], list[Row]], why: str) -> None:
    found = search_labels(rows(pair))
    assert found.suspects == () and why in found.why_not


def test_on_real_intents_the_first_suspects_are_mistakes(shared: Path) -> None:
    every = read(shared / "data" / "banking77" / "train.csv").rows
    labels = sorted({row.answer for row in every})[:20]
    mixed, wrong = flipped([row for row in every if row.answer in labels])
    found = search_labels(mixed)
    assert len(mixed) > 2000 and precision(found, wrong, len(wrong) // 2) >= 0.95
    assert len(wrong & {each.line for each in found.suspects}) >= 0.65 * len(wrong)


@pytest.mark.parametrize("seed", range(5))
def test_the_suspects_are_those_of_cleanlab_in_the_same_order(seed: int) -> None:
    filters = pytest.importorskip("cleanlab.filter")
    chance = np.random.default_rng(seed)
    given = chance.integers(0, 6, 500)
    raw = chance.gamma(0.4, size=(500, 6))
    raw[np.arange(500), given] += chance.choice([0.0, 1.5], p=[0.1, 0.9], size=500)
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    theirs = filters.find_label_issues(
        given, probabilities, filter_by="confident_learning", return_indices_ranked_by="self_confidence", n_jobs=1
    )
    ours = suspected(probabilities, given)
    assert len(ours) > 10 and ours.tolist() == theirs.tolist()
