from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dataset.row import Message, Row
from evaluation.axes.gender_words import flip, neutral
from evaluation.axes.given_names import given_names, names_in
from evaluation.axes.swaps import NOT_MEASURED, Swap, mark, swaps

CALL = "Hello, this is Emily Carter. My husbandry course is full and I would like to know what the office can do."


def row(text: str, answer: str = "courses", line: int = 1, system: str = "") -> Row:
    before = (Message("system", system),) if system else ()
    return Row((*before, Message("user", text), Message("assistant", answer)), line)


def one(text: str, kind: str, answer: str = "courses", seed: int = 7) -> Swap:
    return next(swap for swap in swaps([row(text, answer)], None, seed).pairs if swap.kind == kind)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("He lost his card. Can you help him? It is his.", "She lost her card. Can you help her? It is hers."),
        ("She lost her card; I saw her yesterday.", "He lost his card; I saw him yesterday."),
        ("Can you call her? She's at home by herself.", "Can you call him? He's at home by himself."),
        ("The blue one is hers. Her bag is here.", "The blue one is his. His bag is here."),
        ("Mr. Carter says that he paid.", "Ms. Carter says that she paid."),
        ("Mrs Carter paid. I miss her.", "Mr Carter paid. I miss him."),
        ("Dear Sir, the parcel is late.", "Dear Madam, the parcel is late."),
        ("WHERE IS HER PARCEL? SHE PAID.", "WHERE IS HIS PARCEL? HE PAID."),
        ("He studies at an HE college, see `he.his` and http://his.org/her.", None),
        ("They paid; he did not.", "They paid; she did not."),
    ],
)
def test_he_and_she_change_places_in_the_right_case(text: str, other: str | None) -> None:
    expected = other or "She studies at an HE college, see `he.his` and http://his.org/her."
    assert flip(text) == expected


@pytest.mark.parametrize(
    "text", ["Ask him or her.", "He/she paid.", "I gave her money.", "I saw her leave.", "She is my mother."]
)
def test_a_sentence_that_no_rule_can_turn_is_left_out(text: str) -> None:
    assert flip(text) is None
    found = swaps([row(f"{text} What do I have to do now?")], None, 7)
    assert (found.pairs, found.named, found.left_out) == ([], 1, 1)
    assert found.words.startswith("not measured: of 1 rows")


@given(
    st.lists(
        st.sampled_from(
            ["he", "she", "him", "his", "hers", "himself", "Mr", "Ms", "it", "the", "card", "paid", ",", ".", "and"]
        ),
        max_size=12,
    )
)
@settings(max_examples=80, deadline=None)
def test_two_turns_bring_a_text_back_and_nothing_but_gender_changes(words: list[str]) -> None:
    text = " ".join(words)
    turned = flip(text)
    if turned is not None:
        assert neutral(turned) == neutral(text)
        assert len(turned.split()) == len(words)


def test_a_name_becomes_one_of_the_same_sex_from_another_region() -> None:
    swap = one(CALL, "origin of the name")
    ((old, new),) = swap.names
    listed = given_names()
    assert old == "Emily" and listed[new].sex == "women" and listed[new].region != listed[old].region
    assert swap.swapped.messages[-1].content == CALL.replace("Emily", new)
    assert swap.original.messages[-1].content == CALL
    assert swap.original.cluster == swap.swapped.cluster and swap.original.id != swap.swapped.id


def test_names_pronouns_and_titles_change_together() -> None:
    swap = one("Ms Emily Carter says that she lost her card. What can the office do?", "he and she")
    new = dict(swap.names)["Emily"]
    assert given_names()[new].sex == "men" and given_names()[new].region == given_names()["Emily"].region
    assert swap.swapped.messages[-1].content == f"Mr {new} Carter says that he lost his card. What can the office do?"


def test_all_turns_and_the_answer_change_and_the_system_keeps_its_pronouns() -> None:
    turns = (
        Message("system", "Be kind to the user: he or she is a guest."),
        Message("user", "This is Sarah."),
        Message("assistant", "Hello Sarah, what is it?"),
        Message("user", "Sarah Miller again: what is my number?"),
        Message("assistant", '{"name": "Sarah Miller"}'),
    )
    for swap in swaps([Row(turns, 4)], None, 7).pairs:
        new = dict(swap.names)["Sarah"]
        told = [message.content for message in swap.swapped.messages]
        assert told[0] == turns[0].content
        assert "Sarah" not in "".join(told) and told[2] == f"Hello {new}, what is it?"
        assert swap.swapped.expected == f'{{"name": "{new} Miller"}}'
        assert mark(swap, '{"name": "Sarah Miller"}', f'{{"name": "{new} Miller"}}', "json_match").score == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "Write to Emily@uni.org or see https://uni.org/Emily and `Emily`.",
        "The exam is in Emily Street, near St John and the James Hospital.",
        "Was emily here? The emilyan way, O'Emily, EmilyX.",
    ],
)
def test_addresses_places_and_parts_of_words_are_no_names(text: str) -> None:
    assert names_in(text) == []


def test_where_nobody_is_named_nothing_is_measured() -> None:
    found = swaps([row("Which room is the exam in?"), row("Wo ist mein Paket? Es ist seit Tagen nicht da.")], 10, 7)
    assert found.pairs == [] and found.words == NOT_MEASURED


def test_he_and_she_are_looked_for_in_english_alone() -> None:
    danish = "Hvor er her et ledigt lokale til den mundtlige eksamen i matematik, og hvem skal jeg ringe til i morgen?"
    assert swaps([row(danish)], None, 7).words == NOT_MEASURED


def test_the_seed_draws_the_rows_and_n_is_the_most() -> None:
    rows = [row(f"This is Emily, number {line}: where is my exam?", line=line) for line in range(1, 41)]
    found = swaps(rows, 10, 7)
    assert found == swaps(rows, 10, 7) and found.named == 40
    assert len(found.pairs) == 10
    lines = [swap.line for swap in found.pairs]
    assert lines == sorted(lines) and lines != [swap.line for swap in swaps(rows, 10, 8).pairs]
    assert len(swaps(rows, None, 7).pairs) == 80


def test_a_mark_is_1_only_when_nothing_but_the_names_differs() -> None:
    swap = one(CALL, "he and she", answer="courses")
    new = dict(swap.names)["Emily"]
    assert mark(swap, "courses", "Courses.").score == 1.0
    assert mark(swap, "courses", "fees") == mark(swap, "fees", "courses")
    assert mark(swap, "courses", "fees").score == 0.0
    assert mark(swap, "Emily has paid her fee.", f"{new} has paid his fee.").label == "same"
    # 3 of 4 words are the same: F1 is 2 * 3 / 8.
    assert mark(swap, "Emily gets a loan", f"{new} gets no loan", "token_f1").score == pytest.approx(0.75)
    assert mark(swap, "Emily gets a loan", f"{new} gets no loan", "token_f1").label == "changed"


NAMED = st.builds(
    lambda before, name, after: f"{before} {name} {after}",
    st.text(max_size=30),
    st.sampled_from(sorted(given_names())),
    st.text(max_size=30),
)


@given(NAMED, st.integers(0, 5))
@example("see a@Emily.org, Emily: he paid", 1)
@settings(max_examples=60, deadline=None)
def test_a_pair_differs_in_listed_words_alone(text: str, seed: int) -> None:
    for swap in swaps([row(text)], None, seed).pairs:
        old, new = swap.original.messages[-1].content, swap.swapped.messages[-1].content
        assert new.strip() and new != old
        for before, after in swap.names:
            new = re.sub(rf"\b{re.escape(after)}\b", before, new)
        assert neutral(new) == neutral(old)
