from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from math import log

import pytest

from dataset.row import Message
from evaluation.axes.knowledge import (
    all_questions,
    bits_per_byte,
    choice_question,
    encoded,
    general_texts,
    mark,
    pick,
    questions,
)


def test_there_are_a_thousand_questions_and_more_over_twelve_subjects() -> None:
    every = all_questions()
    assert len(every) >= 1000
    assert len({question.id for question in every}) == len({question.text for question in every}) == len(every)
    parts = Counter(question.part for question in every)
    assert len(parts) >= 12 and min(parts.values()) >= 80
    assert all(len(question.choices) == 4 == len(set(question.choices)) for question in every)


def test_no_place_among_the_choices_and_no_length_gives_the_answer_away() -> None:
    every = all_questions()
    places = Counter(question.right for question in every)
    assert all(0.22 < places[place] / len(every) < 0.28 for place in range(4))
    longest = sum(
        len(question.choices[question.right])
        > max(len(c) for c in question.choices if c != question.choices[question.right])
        for question in every
    )
    assert longest / len(every) < 0.3


def test_a_hundred_are_spread_over_the_subjects_and_always_the_same() -> None:
    few = questions(96)
    assert few == questions(96)
    assert set(Counter(question.part for question in few).values()) == {8}
    assert set(questions(96)) <= set(questions(200))
    assert len(questions(10**6)) == len(all_questions())


def test_the_likeliest_choice_is_the_pick() -> None:
    question = choice_question("one", "colours", "What colour is snow?", ["black", "white"], 1)
    assert question.text == "Question: What colour is snow?\nAnswer:"
    assert pick([-3.0, -1.0]) == 1
    assert (mark(question, 1).score, mark(question, 0).score) == (1.0, 0.0)
    with pytest.raises(IndexError):
        choice_question("two", "colours", "What colour is snow?", ["black", "white"], 2)


class SpaceFirst:
    """A tokenizer by the word that puts a space before whatever it is given, as those of Llama 2 and Mistral do."""

    def __init__(self) -> None:
        self.words: list[str] = ["<s>"]

    def encode_text(self, text: str, *, start: bool = False) -> list[int]:
        words = re.findall(r" ?[^ ]+| ", f" {text}")
        self.words += [word for word in words if word not in self.words]
        return [0] * start + [self.words.index(word) for word in words]

    def encode_prompt(self, messages: Sequence[Message]) -> list[int]:
        raise NotImplementedError

    def count(self, text: str) -> int:
        return len(self.encode_text(text))


def test_a_choice_is_cut_from_the_whole_text_so_that_no_second_space_comes_before_it() -> None:
    renderer = SpaceFirst()
    alone = [renderer.words[at] for at in renderer.encode_text(" a kitten")]
    context, choices = encoded(choice_question("one", "animals", "A baby cat?", ["a calf", "a kitten"], 1), renderer)
    assert alone == [" ", " a", " kitten"]
    assert [[renderer.words[at] for at in choice] for choice in choices] == [[" a", " calf"], [" a", " kitten"]]
    assert [renderer.words[at] for at in context] == ["<s>", " Question:", " A", " baby", " cat?\nAnswer:"]


def test_bits_per_byte_by_hand() -> None:
    assert bits_per_byte([-log(2) * 6, -log(2) * 2], ["four", "four"]) == pytest.approx(1.0)


def test_the_plain_text_is_sixty_short_paragraphs() -> None:
    texts = general_texts()
    assert len(texts) == len(set(texts)) == 60
    assert all(60 <= len(text.split()) <= 110 and text.isascii() for text in texts)
