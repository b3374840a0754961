from __future__ import annotations

import re
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset.row import Message, Row
from evaluation.axes.least_like import least_like
from evaluation.axes.misspelled import MIN_LETTERS, SLIP_RATE, misspelled, slip
from evaluation.axes.new_inputs import PARTS, questions, variant
from evaluation.axes.paraphrased import paraphrased
from evaluation.axes.question import Question
from evaluation.axes.reformatted import LAYOUTS, reformatted
from evaluation.axes.untouched import answer_words, is_code, keeps_answer, pieces

RULES = {"misspelled": misspelled, "reformatted": reformatted, "paraphrased": paraphrased}
LETTER = (
    "Hello, I ordered a green lamp from your website last week and it hasn't arrived. Write to ann.lee@mail.org or see "
    "https://shop.org/orders/lamp?order=77 for order LMP-2231. What is the reason?"
)
WORDS = st.sampled_from(
    [
        "where",
        "is",
        "My",
        "parcel",
        "Berlin",
        "LMP-2231",
        "a@b.org",
        "https://x.org/ab",
        "don't",
        "12.50",
        "Straße",
        "?",
    ]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=15).map(" ".join) | st.text(max_size=80)
ANSWERS = st.sampled_from(["delivery", "Berlin", '{"city": "Berlin", "order": "LMP-2231"}', "My parcel is in Berlin."])


def row(text: str, answer: str = "delivery", line: int = 1) -> Row:
    return Row((Message("user", text), Message("assistant", answer)), line)


def many(count: int) -> list[Row]:
    places = ["the library", "the main hall", "the sports centre", "the language school"]
    return [
        row(f"Please tell me where I can find {places[n % 4]} of building {n}, and when it is open.", "places", n + 1)
        for n in range(count)
    ]


@given(TEXTS, ANSWERS, st.sampled_from(sorted(RULES)), st.integers(0, 9))
@settings(max_examples=300, deadline=None)
def test_a_variant_is_never_empty_or_the_same_and_keeps_what_the_answer_may_copy(
    text: str, answer: str, part: str, seed: int
) -> None:
    changed = RULES[part](text, answer, Random(seed))
    assert changed == RULES[part](text, answer, Random(seed)), "the seed decides"
    if changed is not None:
        assert changed.strip() and changed != text
        assert keeps_answer(text, changed, answer)
        for piece, free in pieces(text):
            assert free or piece.strip() in changed or "\n" in piece, piece


@given(TEXTS, ANSWERS, st.sampled_from(PARTS[:3]), st.integers(0, 9))
@settings(max_examples=150, deadline=None)
def test_only_the_last_user_turn_changes(text: str, answer: str, part: str, seed: int) -> None:
    turns = (Message("system", "Be kind."), Message("user", "Hello."), Message("assistant", "Hi."))
    held = Row((*turns, Message("user", text), Message("assistant", answer)), 12)
    made = variant(held, part, RULES[part], seed)  # type: ignore[arg-type]
    if made is not None:
        assert made.messages[:3] == turns and len(made.messages) == 4
        assert made.messages[3].role == "user" and made.messages[3].content != text
        assert (made.expected, made.part, made.cluster, made.axis) == (answer, part, "line 12", "new_inputs")


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyzäéßжλ", min_size=MIN_LETTERS, max_size=12), st.integers(0, 99))
@settings(max_examples=150, deadline=None)
def test_a_slip_keeps_the_first_letter_and_changes_at_most_two(word: str, seed: int) -> None:
    changed = slip(word, Random(seed))
    assert changed != word and changed[0] == word[0]
    assert abs(len(changed) - len(word)) <= 1
    assert sum((Counter(changed) - Counter(word)).values()) <= 1


def test_slips_come_at_the_stated_rate_and_never_in_what_is_kept() -> None:
    text = " ".join(["please deliver these parcels tomorrow morning"] * 20)
    changed = misspelled(text, "tomorrow", Random(7))
    assert changed is not None
    pairs = list(zip(text.split(), changed.split(), strict=True))
    slips = [word for word, other in pairs if word != other]
    assert len(slips) == round(SLIP_RATE * 100) and "tomorrow" not in slips
    for seed in range(20):
        letter = misspelled(LETTER, "", Random(seed))
        assert letter is not None
        assert all(kept in letter for kept in ("ann.lee@mail.org", "https://shop.org/orders/lamp?order=77", "LMP-2231"))


@pytest.mark.parametrize("text", ["", "12 34", "Is it on?", "我的包裹在哪里", "x@y.org", "`parcel_id`"])
def test_where_no_word_may_slip_there_is_no_variant(text: str) -> None:
    assert misspelled(text, "", Random(1)) is None


def test_every_layout_keeps_the_words_in_their_order() -> None:
    for name, layout in LAYOUTS.items():
        changed = layout(LETTER, answer_words("green Lamp"), Random(3))
        assert changed != LETTER, name
        plain = re.sub(r"[^a-z0-9]", "", changed.lower())
        assert plain == re.sub(r"[^a-z0-9]", "", LETTER.lower()), name
    assert "green lamp" in LAYOUTS["upper case"](LETTER, answer_words("green Lamp"), Random(3))
    assert LAYOUTS["bullets"]("One. Two three.", frozenset(), Random(3)) == "- One.\n- Two three."
    assert LAYOUTS["quoted mail"]("One.\n\nTwo.", frozenset(), Random(3)) == "> One.\n>\n> Two."
    assert LAYOUTS["no punctuation"]("Yes, at 3.5; see it!", frozenset(), Random(3)) == "Yes at 3.5; see it"


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Where is my parcel?", "Please tell me where my parcel is."),
        ("What are the fees?", "Please tell me what the fees are."),
        ("How do I change my address?", "Please tell me how to change my address."),
        ("When can I pay?", "Please tell me when I can pay."),
        ("Can I pay by card?", "I would like to know whether I can pay by card."),
        ("Could you please check the rate?", "Please check the rate."),
        ("List three rivers.", "Could you list three rivers?"),
        ("Please send me the list.", "Could you send me the list?"),
    ],
)
def test_a_question_becomes_a_request_and_back(text: str, other: str) -> None:
    assert paraphrased(text, "", Random(1)) == other


@pytest.mark.parametrize(
    "text",
    [
        "What is the bank charging me?",
        "Where is the parcel shipped from?",
        "What is the weather like?",
        "What is the fee that I pay?",
        "Check engine light is on",
        "Who is the teacher and where?",
    ],
)
def test_what_a_frame_would_break_gets_polite_words_alone(text: str) -> None:
    for seed in range(12):
        changed = paraphrased(text, "", Random(seed))
        assert changed is not None
        assert not changed.startswith(("Please tell me", "Could you", "I would like to know"))
        assert len(changed) > len(text)


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("I am late because of the snow, and it is not my fault.", "I'm late due to the snow, and it's not my fault."),
        ("I'm here, it's a shame and I can't pay.", "I am here, it is a shame and I cannot pay."),
        ("I want to pay right now.", "I would like to pay at the moment."),
        ("It's been late; why don't you pay? Yes, I am.", "It's been late; why don't you pay? Yes, I am."),
    ],
)
def test_short_forms_and_synonyms_keep_the_sentence_whole(text: str, fragment: str) -> None:
    changed = paraphrased(text, "", Random(2))
    assert changed is not None
    alone = changed.partition(", ")[2] if changed.startswith(("Hello", "Hi", "Good")) else changed.partition(": ")[2]
    assert fragment.casefold() in changed.casefold() or fragment.casefold() in alone.casefold()


def test_each_part_gets_its_share_and_the_seed_decides() -> None:
    rows = many(80)
    found = questions(rows, 40, 7, train=rows[:5])
    assert Counter(question.part for question in found) == dict.fromkeys(PARTS, 10)
    assert found == questions(rows, 40, 7, train=rows[:5]) != questions(rows, 40, 8, train=rows[:5])
    assert len({question.id for question in found}) == 40
    changed = [question for question in found if question.part != "shifted"]
    assert len({question.cluster for question in changed}) == 10, "the same rows in each part"
    every = {question.id: question for question in questions(rows, None, 7)}
    assert all(every[question.id] == question for question in changed), "a sample changes no variant"


def test_paraphrases_are_made_of_english_alone() -> None:
    german = [row("Wo ist denn mein Paket geblieben? Ich warte schon seit drei Wochen darauf.", line=n) for n in (1, 2)]
    assert {question.part for question in questions(german, None, 7)} == {"misspelled", "reformatted"}
    assert {question.part for question in questions(many(2), None, 7)} == set(PARTS[:3])


def test_code_and_rows_without_a_question_are_left_alone() -> None:
    code = "def add(a, b):\n    return a + b\n\nfor x in range(3):\n    print(add(x, 1))"
    assert is_code(code) and not is_code(LETTER)
    silent = Row((Message("system", "Begin."), Message("assistant", "Hello.")), 3)
    assert questions([row(code), row("   "), silent], None, 7) == []


def test_shifted_rows_are_asked_as_they_are() -> None:
    aside = [row("Ist das Museum am Montag offen?", "places", 9)]
    found: list[Question] = [q for q in questions(many(8), None, 7, shifted=aside) if q.part == "shifted"]
    assert [(q.id, q.messages, q.cluster) for q in found] == [("shifted-9", aside[0].asked, "shifted line 9")]
    assert "shifted" not in {question.part for question in questions(many(8), None, 7)}


def test_without_a_shifted_slice_the_rows_least_like_training_stand_in() -> None:
    odd = row("My violin lessons clash with the chess club.", "clubs", 99)
    rows = [*many(19), odd]
    found = [q for q in questions(rows, None, 7, train=many(30)) if q.part == "shifted"]
    assert len(found) == 4 and found[-1].id == "shifted-99" and found[-1].cluster == "line 99"
    assert least_like(rows, many(30), 1, seed=7) == [odd]
    assert least_like(rows, [], 5, seed=7) == [] == least_like(rows, [row("")], 5, seed=7)
