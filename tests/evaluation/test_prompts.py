from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from core.errors import BadInput
from dataset.row import Message, Row
from evaluation.best_prompt import Prompter, conversation, recipes
from evaluation.classic import classify, is_label_task
from evaluation.instructions import instruction

WORDS = ["parcel", "refund", "login", "invoice"]


def row(text: str, answer: str, line: int = 1, system: str = "") -> Row:
    turns = [Message("user", text), Message("assistant", answer)]
    return Row(tuple([Message("system", system), *turns] if system else turns), line)


def label_rows(count: int) -> list[Row]:
    return [
        row(f"my {WORDS[at % 4]} number {at} has trouble, please help", WORDS[at % 4], at + 1) for at in range(count)
    ]


def encode(messages: Sequence[Message]) -> list[int]:
    return [ord(letter) for message in messages for letter in f"{message.role}: {message.content}\n"]


def text_of(ids: list[int]) -> str:
    return "".join(map(chr, ids))


def test_few_and_repeated_answers_make_a_label_task() -> None:
    assert is_label_task([item.answer for item in label_rows(40)])
    assert not is_label_task([f"answer {at}" for at in range(40)])
    assert not is_label_task(["yes"] * 40)
    assert not is_label_task(WORDS * 2)
    assert not is_label_task([])


def test_the_classifier_learns_words() -> None:
    rows = label_rows(40)
    asked = ["where is the parcel", "I cannot login today"]
    assert classify([(item.user_text, item.answer) for item in rows], asked, seed=1) == ["parcel", "login"]
    assert classify([("a", "only")] * 4, asked, seed=1) == ["only", "only"]


def test_the_classifier_reads_scripts_without_spaces_and_bare_symbols() -> None:
    train = [("退款 很慢", "refund"), ("包裹 在哪", "parcel"), ("??", "none")] * 4
    assert classify(train, ["我的包裹", "??"], seed=1) == ["parcel", "none"]


def test_the_base_is_told_the_labels() -> None:
    told = instruction([item.answer for item in label_rows(40)], examples=False)
    assert all(word in told for word in WORDS)


def test_the_base_is_told_the_keys_and_the_values_that_repeat() -> None:
    answers = [
        json.dumps({"queue": ["rooms", "fees"][at % 2], "course": f"MAT-{at}", "due": None if at % 2 else f"day {at}"})
        for at in range(20)
    ]
    told = instruction(answers, examples=False)
    assert "keys, in this order: queue, course, due." in told
    assert '`queue` is one of "fees", "rooms".' in told
    assert "`due` is null where the input does not say." in told
    assert "MAT-3" not in told


def test_free_text_has_nothing_to_tell_without_examples() -> None:
    answers = [f"Dear {at}, " + "thank you for your letter. " * 12 for at in range(20)]
    assert instruction(answers, examples=False) == ""
    assert [recipe.examples for recipe in recipes([row("a", text) for text in answers], 4)] == ["fixed", "nearest"]


def test_fixed_examples_are_diverse_and_the_same_for_every_row() -> None:
    rows = label_rows(40)
    fixed = next(recipe for recipe in recipes(rows, 4) if recipe.examples == "fixed")
    prompter = Prompter(rows, encode, 10_000)
    chosen = prompter.examples(fixed, rows[:3])
    assert {example.answer for example in chosen[0]} == set(WORDS)
    assert chosen[0] == chosen[1] == chosen[2]


def test_nearest_examples_are_alike_and_the_nearest_stands_last() -> None:
    rows = label_rows(40)
    nearest = next(recipe for recipe in recipes(rows, 6) if recipe.examples == "nearest")
    assert nearest.k == 3
    chosen = Prompter(rows, encode, 10_000).examples(nearest, [row("please help with invoice number 7", "invoice")])
    assert {example.answer for example in chosen[0]} == {"invoice"}
    assert "number 7 " in chosen[0][-1].user_text


def test_a_prompt_is_cut_to_the_context_by_leaving_out_examples() -> None:
    rows = label_rows(40)
    fixed = next(recipe for recipe in recipes(rows, 6) if recipe.examples == "fixed")
    asked = row("short question", "parcel")
    whole = Prompter(rows, encode, 10_000).prompts(fixed, [asked])[0]
    cut = Prompter(rows, encode, len(whole) - 10).prompts(fixed, [asked])[0]
    assert text_of(whole).count("assistant:") == 6
    assert 0 < text_of(cut).count("assistant:") < 6
    assert text_of(cut).endswith("user: short question\n")


def test_the_house_instruction_comes_before_ours_and_examples_bring_none_of_their_own() -> None:
    asked = row("question", "a", system="You work for the office.")
    turns = conversation("Answer with a label.", asked, [row("example", "b", system="You work for the office.")])
    assert [turn.role for turn in turns] == ["system", "user", "assistant", "user"]
    assert turns[0].content == "You work for the office.\n\nAnswer with a label."


def test_a_template_without_a_system_turn_gets_the_instruction_in_the_first_user_turn() -> None:
    def strict(messages: Sequence[Message]) -> list[int]:
        if messages[0].role == "system":
            raise BadInput("no system turn here")
        return encode(messages)

    rows = label_rows(40)
    told = recipes(rows, 2)[0]
    prompt = text_of(Prompter(rows, strict, 10_000).prompts(told, [row("question", "parcel")])[0])
    assert prompt.startswith("user: Answer with exactly one of these labels")
    assert prompt.endswith("\n\nquestion\n")


@pytest.mark.parametrize("k", [1, 3, 64])
def test_no_more_examples_are_asked_for_than_there_are(k: int) -> None:
    rows = label_rows(2)
    for recipe in recipes(rows, k):
        assert recipe.k <= 2
        assert all(len(found) == recipe.k for found in Prompter(rows, encode, 10_000).examples(recipe, rows))
