from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput
from dataset.row import Message, Row
from dataset.split import Split, split

Pair = Callable[..., Row]


def parts(result: Split) -> list[list[int]]:
    return [[row.line for row in part] for part in (result.train, result.validation, result.test)]


def words(number: int) -> str:
    return " ".join(f"{chr(97 + (number * k) % 26) * 3}{number}" for k in (3, 7, 11, 17))


def test_every_row_goes_to_one_part_and_shares_are_kept(pair: Pair) -> None:
    rows = [pair(words(line), f"answer {line}", line) for line in range(1, 201)]
    found = parts(split(rows, seed=1, validation_share=0.1, test_share=0.2))
    assert sorted(line for part in found for line in part) == list(range(1, 201))
    assert [len(part) for part in found] == [140, 20, 40]
    assert all(part == sorted(part) for part in found)


def test_the_seed_decides(pair: Pair) -> None:
    rows = [pair(words(line), "a", line) for line in range(1, 101)]
    one, same, other = (split(rows, seed=seed, validation_share=0.2, test_share=0.2) for seed in (1, 1, 2))
    assert parts(one) == parts(same) != parts(other)


def test_copies_and_near_copies_stay_on_one_side(pair: Pair) -> None:
    rows = []
    for number in range(40):
        text = f"{words(number)} could you please tell me where that is"
        rows += [pair(text, "a", 3 * number + 1), pair(text.upper() + "?", "a", 3 * number + 2)]
        rows.append(pair(text + " now", "a", 3 * number + 3))
    for part in parts(split(rows, seed=5, validation_share=0.2, test_share=0.2)):
        assert all(count == 3 for count in Counter((line - 1) // 3 for line in part).values())


def test_groups_stay_on_one_side() -> None:
    rows = [
        Row((Message("user", words(n)), Message("assistant", f"reply {n}")), n, {"customer": n % 10})
        for n in range(1, 101)
    ]
    found = parts(split(rows, seed=5, validation_share=0.2, test_share=0.2, group="customer"))
    customers = [{line % 10 for line in part} for part in found]
    assert not (customers[0] & customers[1] or customers[0] & customers[2] or customers[1] & customers[2])
    assert all(customers)


def test_labels_are_spread_evenly(pair: Pair) -> None:
    rows = [pair(words(line), "common" if line % 10 else "rare", line) for line in range(1, 301)]
    result = split(rows, seed=3, validation_share=0.1, test_share=0.2)
    shares = [Counter(row.answer for row in part) for part in (result.train, result.validation, result.test)]
    assert [count["rare"] for count in shares] == [21, 3, 6]


def test_a_label_of_one_row_is_trained_on(pair: Pair) -> None:
    rows = [pair(words(line), "single" if line == 50 else f"label {line % 4}", line) for line in range(1, 101)]
    result = split(rows, seed=3, validation_share=0.3, test_share=0.3)
    assert {"single"} <= {row.answer for row in result.train}


@settings(max_examples=100, deadline=None)
@given(
    count=st.integers(3, 40),
    copies=st.integers(1, 40),
    labels=st.integers(1, 5),
    seed=st.integers(0, 1000),
    shares=st.tuples(st.floats(0.01, 0.45), st.floats(0.01, 0.45)),
)
def test_no_part_is_ever_empty(count: int, copies: int, labels: int, seed: int, shares: tuple[float, float]) -> None:
    rows = [
        Row((Message("user", words(line // copies)), Message("assistant", f"label {line % labels}")), line)
        for line in range(count)
    ]
    found = parts(split(rows, seed=seed, validation_share=shares[0], test_share=shares[1]))
    assert all(found)
    assert sorted(line for part in found for line in part) == list(range(count))


def test_where_all_rows_are_copies_the_split_says_so(pair: Pair) -> None:
    result = split([pair("same", "a", line) for line in range(1, 6)], seed=1, validation_share=0.2, test_share=0.2)
    assert "copies" in result.notes[0]


def test_a_part_with_no_share_stays_empty(pair: Pair) -> None:
    rows = [pair(words(line), "a", line) for line in range(1, 51)]
    result = split(rows, seed=1, validation_share=0.0, test_share=0.2)
    assert (len(result.validation), len(result.test)) == (0, 10)


@pytest.mark.parametrize(("validation_share", "test_share"), [(0.5, 0.5), (-0.1, 0.2), (0.9, 0.3)])
def test_shares_that_leave_nothing_are_refused(pair: Pair, validation_share: float, test_share: float) -> None:
    with pytest.raises(BadInput, match="nothing to train on"):
        split([pair("a")] * 9, seed=1, validation_share=validation_share, test_share=test_share)


def test_an_unknown_group_column_is_refused(pair: Pair) -> None:
    with pytest.raises(BadInput, match="customer"):
        split([pair(words(n)) for n in range(9)], seed=1, validation_share=0.1, test_share=0.1, group="customer")
