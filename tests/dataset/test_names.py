"""Names of people: the sample, the interval and the mask with a finder of our own, and Presidio where it is there."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import BadInput
from dataset.checks.names import check_names, share_interval
from dataset.person_names import person_finder
from dataset.row import Row
from evaluation.stats import wilson

Pair = Callable[..., Row]


def find(text: str) -> list[str]:
    return [word for word in ("Wanda Okafor", "Piet Lindqvist") if word in text]


def letters(pair: Pair, count: int, every: int) -> list[Row]:
    return [
        pair(f"Letter {n}" + (" from Wanda Okafor, to be answered" if n % every == 0 else ""), "filed", n)
        for n in range(1, count + 1)
    ]


def test_rows_with_a_name_are_listed_and_the_name_is_masked(pair: Pair) -> None:
    (found,) = check_names(letters(pair, 30, 10), find)
    assert (found.check, found.severity, found.count, found.rows) == ("pii_name", "warning", 3, [10, 20, 30])
    assert "Wa****** in line 10" in found.message and "anda" not in found.model_dump_json()
    assert "looked at" not in found.message, "all rows were"
    assert list(check_names(letters(pair, 30, 31), find)) == []


def test_of_many_rows_a_sample_is_read_and_the_share_has_an_interval(pair: Pair) -> None:
    read: list[str] = []

    def counting(text: str) -> list[str]:
        read.append(text)
        return find(text)

    (found,) = check_names(letters(pair, 1000, 5), counting, most_rows=300)
    low, high = share_interval(found.count, len(read))
    assert len(read) == 250 and f"250 of 1,000 rows were looked at: {low:.1%} to {high:.1%} of all" in found.message
    assert low < 0.2 < high


@pytest.mark.parametrize(("found", "of"), [(0, 10), (3, 40), (200, 2000), (7, 7)])
def test_the_interval_is_that_of_the_judge(found: int, of: int) -> None:
    theirs = wilson(found, of)
    assert share_interval(found, of) == pytest.approx((theirs.low, theirs.high))


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dataset.person_names.find_spec", lambda name: None)
    with pytest.raises(BadInput, match="not installed") as refused:
        person_finder("en_core_web_sm")
    assert "[pii]" in refused.value.hint


@pytest.fixture
def small_model(tmp_path: Path) -> str:
    """A spaCy model that knows two people and no more."""
    pytest.importorskip("presidio_analyzer")
    import spacy

    model = spacy.blank("en")
    ruler = model.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": name} for name in ("Wanda Okafor", "Piet Lindqvist")])
    ruler.add_patterns([{"label": "GPE", "pattern": "Gdansk"}])
    model.to_disk(tmp_path / "small")
    return str(tmp_path / "small")


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    asked: list[object] = []

    def refuse(*arguments: object, **_more: object) -> None:
        asked.append(arguments)
        raise OSError("no network in this test")

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return asked


def test_presidio_finds_the_people_of_the_model_and_asks_no_network(
    small_model: str, no_network: list[object], pair: Pair
) -> None:
    finder = person_finder(small_model)
    assert finder("Ask Piet Lindqvist, or Wanda Okafor, at www.parcels.co.uk in Gdansk: a.b@parcels.co.uk") == [
        "Piet Lindqvist", "Wanda Okafor",
    ]  # fmt: skip
    assert finder("Ask anybody.") == []
    (found,) = check_names(letters(pair, 20, 10), finder)
    assert found.rows == [10, 20] and no_network == []


def test_a_model_that_is_not_here_is_refused_and_not_fetched(
    small_model: str, no_network: list[object], tmp_path: Path
) -> None:
    for model, words in (("en_core_web_nowhere", "is not installed"), (str(tmp_path), "no spaCy model")):
        with pytest.raises(BadInput, match=words):
            person_finder(model)
    assert no_network == []
