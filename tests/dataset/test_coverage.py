"""The map puts topics together, names them, and finds the rows that stand alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.errors import BadInput
from dataset.coverage import coverage
from dataset.row import Row

Pair = Callable[..., Row]
TOPICS = {
    "parcel": "my parcel from the warehouse has a delay of {n} days, track the parcel",
    "invoice": "the invoice {n} shows the wrong tax, correct the invoice",
    "sauna": "book the sauna at {n} for two towels, is the sauna warm",
}


def rows_of(pair: Pair, each: int = 20) -> list[Row]:
    texts = [text.format(n=n) for text in TOPICS.values() for n in range(each)]
    return [pair(text, line=line) for line, text in enumerate(texts, 1)]


def test_topics_lie_together_and_bear_their_own_words(pair: Pair) -> None:
    found = coverage(rows_of(pair))
    assert len(found.points) == 60 and found.of_rows == 60
    for start, word in zip((1, 21, 41), TOPICS, strict=True):
        lines = set(range(start, start + 20))
        names = {found.clusters[point.cluster].name for point in found.points if point.line in lines}
        assert all(set(name.split(", ")) & set(TOPICS[word].replace(",", "").split()) for name in names), names
    mixed = [c for c in found.clusters if len({(line - 1) // 20 for line in c.lines}) > 1]
    assert not mixed
    assert all(cluster.typical in cluster.lines for cluster in found.clusters)


def test_the_same_rows_give_the_same_map(pair: Pair) -> None:
    assert coverage(rows_of(pair)) == coverage(rows_of(pair))


def test_a_row_like_no_other_is_listed(pair: Pair) -> None:
    rows = [*rows_of(pair), pair("wolves track a towel through invoice country", line=99)]
    assert 99 in coverage(rows).outliers


def test_a_small_topic_is_a_sparse_corner(pair: Pair) -> None:
    few = [pair(f"giraffe zebra elephant number {n}", line=200 + n) for n in range(3)]
    found = coverage([*rows_of(pair, 40), *few])
    (corner,) = [cluster for cluster in found.clusters if 200 in cluster.lines]
    assert corner.sparse and "giraffe" in corner.name


def test_many_rows_are_sampled(pair: Pair) -> None:
    found = coverage(rows_of(pair, 30), most_points=45)
    assert len(found.points) == 45 and found.of_rows == 90
    assert len({point.line for point in found.points}) == 45


@pytest.mark.parametrize(
    "texts", [["same words"] * 5, ["1", "2", "3"], ["the", "of", "and", "the of"], ["猫", "犬", "鳥"]]
)
def test_odd_rows_make_a_map_all_the_same(pair: Pair, texts: list[str]) -> None:
    found = coverage([pair(text, line=line) for line, text in enumerate(texts, 1)])
    assert len(found.points) == len(texts) and sum(cluster.rows for cluster in found.clusters) == len(texts)


@pytest.mark.parametrize("texts", [[], ["one", "two"], ["?!", "...", "!"]])
def test_too_few_words_are_said(pair: Pair, texts: list[str]) -> None:
    with pytest.raises(BadInput):
        coverage([pair(text, line=line) for line, text in enumerate(texts, 1)])
