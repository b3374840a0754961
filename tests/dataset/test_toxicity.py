"""Slurs and insults in answers: found by their hashes, never shown, and what users write is left alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from dataset.checks.toxicity import HASH_CHARACTERS, HashedWords, check_moderated, check_toxicity, own_words
from dataset.row import Message, Row

Pair = Callable[..., Row]
FULL_WIDTH = "".join(chr(ord(letter) + 0xFEE0) for letter in "grumblewort")
WORDS = HashedWords.of(["grumblewort"], "salt of the test")


def lines(rows: list[Row]) -> list[int]:
    return [line for found in check_toxicity(rows, WORDS) for line in found.rows]


@pytest.mark.parametrize(
    "answer",
    ["You grumblewort!", "GRUMBLEWORTS, all of you", "a Grumblewort's excuse", "grumblew0rt", FULL_WIDTH],
)
def test_a_word_of_the_list_is_found_in_its_usual_forms_and_not_repeated(pair: Pair, answer: str) -> None:
    (found,) = check_toxicity([pair("Where is it?", "On its way.", 1), pair("Where is it?", answer, 2)], WORDS)
    assert (found.check, found.severity, found.count, found.rows) == ("toxicity", "note", 1, [2])
    assert "grumble" not in found.model_dump_json().casefold()


@pytest.mark.parametrize("answer", ["The wort grumbles.", "grumble wort", "grumbleworthy", "On its way."])
def test_other_words_are_not(pair: Pair, answer: str) -> None:
    assert lines([pair("Where is it?", answer, 1)]) == []


def test_what_users_write_and_what_is_not_learned_does_not_count(pair: Pair) -> None:
    unlearned = Message("assistant", "grumblewort", learned=False)
    shown = Row((Message("user", "a"), unlearned, Message("user", "b"), Message("assistant", "Sorry.")), 2)
    assert lines([pair("Sort this: you grumblewort", "complaint", 1), shown]) == []


def test_the_list_that_is_shipped_finds_an_insult_and_holds_no_word_in_clear(pair: Pair) -> None:
    assert [found.rows for found in check_toxicity([pair("Hello", "Go away, scumbag.", 7)])] == [[7]]
    own = own_words()
    assert len(own.hashes) > 20
    assert all(len(each) == HASH_CHARACTERS and set(each) <= set("0123456789abcdef") for each in own.hashes)


def test_of_many_rows_a_sample_is_read(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dataset.checks.toxicity.MAX_ROWS", 10)
    (found,) = check_toxicity([pair("Hello", "grumblewort", n) for n in range(1, 31)], WORDS)
    assert found.count == 10 and "Of 30 rows 10 were looked at." in found.message


def test_everyday_words_of_other_languages_are_no_insult(pair: Pair) -> None:
    texts = ["Le colis est en retard.", "Filmen er slut.", "The thick cock crowed at the dyke.", "niggle, Scunthorpe"]
    assert list(check_toxicity([pair("?", text, 1) for text in texts])) == []


def test_a_judge_elsewhere_gets_each_answer_once_and_nothing_personal(pair: Pair) -> None:
    sent: list[str] = []

    def judge(texts: Sequence[str]) -> list[bool]:
        sent.extend(texts)
        return ["nasty" in text for text in texts]

    rows = [
        pair("a", "on its way", 1),
        pair("b", "nasty", 2),
        pair("c", "on its way", 3),
        pair("d", "nasty", 4),
        pair("e", "write to wanda.okafor@parcels.co.uk", 5),
        pair("f", " ", 6),
    ]
    (found,) = check_moderated(rows, judge, "the guard of the test")
    assert (found.check, found.rows) == ("toxicity", [2, 4]) and "the guard of the test flags" in found.message
    assert sent == ["on its way", "nasty", "write to [email]"]


def test_of_many_rows_few_are_sent(pair: Pair) -> None:
    sent: list[str] = []

    def judge(texts: Sequence[str]) -> list[bool]:
        sent.extend(texts)
        return [True] * len(texts)

    (found,) = check_moderated([pair("a", f"answer {n}", n) for n in range(1, 1201)], judge, "it")
    assert len(sent) == found.count == 400 and "Of 1,200 rows 400 were looked at." in found.message
