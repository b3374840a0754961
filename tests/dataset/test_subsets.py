from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput
from dataset.row import Message, Row
from dataset.subsets import nested
from tests.dataset.test_split import words

Pair = Callable[..., Row]
SHARES = (0.1, 0.3, 1.0)


def lines(parts: list[list[Row]]) -> list[list[int]]:
    return [[row.line for row in part] for part in parts]


def test_each_share_holds_the_smaller_ones_in_the_order_of_the_original(pair: Pair) -> None:
    rows = [pair(words(line), f"answer {line}", line) for line in range(1, 201)]
    found = lines(nested(rows, SHARES, seed=1))
    assert [len(part) for part in found] == [20, 60, 200]
    assert set(found[0]) < set(found[1]) < set(found[2])
    assert all(part == sorted(part) for part in found)


def test_the_seed_decides(pair: Pair) -> None:
    rows = [pair(words(line), "a", line) for line in range(1, 101)]
    one, same, other = (lines(nested(rows, SHARES, seed=seed)) for seed in (1, 1, 2))
    assert one == same and one[0] != other[0]


def test_copies_stay_together(pair: Pair) -> None:
    rows = []
    for number in range(40):
        text = f"{words(number)} could you please tell me where that is"
        rows += [pair(text, "a", 3 * number + 1), pair(text.upper() + "?", "a", 3 * number + 2)]
        rows.append(pair(text + " now", "a", 3 * number + 3))
    for part in lines(nested(rows, SHARES, seed=5)):
        assert all(count == 3 for count in Counter((line - 1) // 3 for line in part).values())


def test_labels_are_spread_evenly_and_rare_ones_come_early_as_often_as_late(pair: Pair) -> None:
    rows = [pair(words(n), "large" if n % 4 else "small", n) for n in range(1, 401)]
    for part, share in zip(nested(rows, SHARES, seed=3), SHARES, strict=True):
        counts = Counter(row.answer for row in part)
        assert abs(counts["large"] - 300 * share) <= 1 and abs(counts["small"] - 100 * share) <= 1
    rare = [pair(words(n), f"label {n // 3}", n) for n in range(300)]
    sizes = Counter(Counter(row.answer for row in nested(rare, SHARES, seed=3)[1]).values())
    assert {0, 1, 2} >= set(sizes) - {3} and sum(size * count for size, count in sizes.items()) == 90


@pytest.mark.parametrize("shares", [(), (0.3, 0.1), (0.1, 0.1), (0.0, 1.0), (0.5, 1.5)])
def test_shares_that_do_not_rise_to_one_are_refused(pair: Pair, shares: tuple[float, ...]) -> None:
    with pytest.raises(BadInput, match="shares must rise"):
        nested([pair(words(n), line=n) for n in range(30)], shares, seed=1)


def test_rows_too_few_or_too_alike_for_the_shares_are_refused(pair: Pair) -> None:
    with pytest.raises(BadInput, match="come to shares of 0, 1, 3 rows"):
        nested([pair(words(n), line=n) for n in range(3)], SHARES, seed=1)
    with pytest.raises(BadInput, match="near copies kept together"):
        nested([pair("the same question to all", line=n) for n in range(50)], SHARES, seed=1)


@settings(max_examples=60, deadline=None)
@given(count=st.integers(30, 120), copies=st.integers(1, 3), labels=st.integers(1, 5), seed=st.integers(0, 1000))
def test_sizes_are_within_half_a_cluster_of_the_shares(count: int, copies: int, labels: int, seed: int) -> None:
    rows = [
        Row((Message("user", words(line // copies)), Message("assistant", f"label {line // copies % labels}")), line)
        for line in range(count)
    ]
    for part, share in zip(nested(rows, SHARES, seed=seed), SHARES, strict=True):
        assert abs(len(part) - share * count) <= copies / 2
