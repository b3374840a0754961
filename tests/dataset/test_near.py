from __future__ import annotations

import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset.grams import grams, jaccard, jaccards
from dataset.near import THRESHOLD, near_between, near_duplicates
from dataset.normalise import comparison_key, normalise


def test_inputs_are_compared_without_case_signs_and_extra_blanks() -> None:
    assert normalise("  Where's my\tCARD?! (№ ²)") == "where s my card no 2"
    assert normalise("Straße_1 + €5") == "strasse 1 5"


def test_text_of_signs_alone_is_compared_raw() -> None:
    assert comparison_key("?!") != comparison_key("!?")
    assert comparison_key(" \n") == ""


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once or not text.isascii()  # full case folding is not idempotent with NFKC everywhere
    assert once == once.strip()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.text("ab é漢\x00", max_size=12), st.text("ab é漢\x00", max_size=12)), max_size=8))
def test_many_pairs_at_once_are_compared_as_one_by_one(pairs: list[tuple[str, str]]) -> None:
    pairs += [("the same", "the same"), ("the lamp that I ordered", "the lamp that you ordered")]
    left, right = [one for one, _ in pairs], [other for _, other in pairs]
    assert jaccards(left, right).tolist() == [jaccard(grams(one), grams(other)) for one, other in pairs]


def test_more_characters_than_fit_into_one_number_are_compared_all_the_same() -> None:
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 5000)))
    assert jaccards([text], [text[:4000]]).tolist() == [jaccard(grams(text), grams(text[:4000]))]


def altered(text: str, chooser: random.Random, changes: int) -> str:
    letters = list(text)
    for _ in range(changes):
        letters[chooser.randrange(len(letters))] = chooser.choice(string.ascii_lowercase)
    return "".join(letters)


@pytest.mark.parametrize(("length", "changes"), [(50, (1, 1)), (160, (2, 4)), (400, (6, 11))])
def test_at_least_995_of_1000_pairs_at_the_threshold_are_found(length: int, changes: tuple[int, int]) -> None:
    chooser = random.Random(3)
    pairs = []
    while len(pairs) < 1000:
        text = "".join(chooser.choices("abcdefgh ", k=length))
        other = altered(text, chooser, chooser.randint(*changes))
        if 0.8 <= jaccard(grams(text), grams(other)) <= 0.84:
            pairs.append((text, other))
    near = near_duplicates([text for pair in pairs for text in pair])
    found = sum(near.partner[2 * place] == 2 * place + 1 for place in range(len(pairs)))
    assert found >= 995
    assert near.complete


def test_pairs_just_below_the_threshold_are_never_reported() -> None:
    chooser = random.Random(4)
    texts = ["".join(chooser.choices("abcdefgh ", k=120)) for _ in range(300)]
    texts += [altered(text, chooser, 4) for text in texts]
    near = near_duplicates(texts)
    for place, partner in enumerate(near.partner):
        if partner >= 0:
            assert jaccard(grams(texts[place]), grams(texts[partner])) >= THRESHOLD
    truly = {place for place in range(300) if jaccard(grams(texts[place]), grams(texts[place + 300])) >= THRESHOLD}
    assert truly == {place for place in range(300) if near.partner[place] >= 0}


def test_chains_of_near_pairs_are_one_cluster() -> None:
    text = "please tell me where the parcel is that i ordered on monday from your shop in the high street of this town"
    texts = ["something else entirely", text, text + " abc", text + " abc abd", text + " abc abd ace"]
    near = near_duplicates(texts)
    assert near.cluster == [0, 1, 1, 1, 1]
    assert near.partner[0] == -1


def test_short_and_empty_lists_are_no_trouble() -> None:
    assert near_duplicates([]).partner == []
    assert near_duplicates(["one"]).partner == [-1]
    assert near_duplicates(["a", "b", "ab"]).partner == [-1, -1, -1]
    assert near_between([], ["a"]) == []
    assert near_between(["a"], []) == [-1]


def test_between_two_lists_only_pairs_across_count() -> None:
    text = "where is the parcel that i ordered on monday from your shop in town"
    assert near_between([text, text + "s", "nothing like it at all"], [text + "x", "another"]) == [0, 0, -1]


def test_every_pair_that_brute_force_finds_is_found_in_buckets_of_all_sizes() -> None:
    chooser = random.Random(5)
    texts = []
    for copies in (1, 2, 3, 9, 40, 120):
        text = "".join(chooser.choices("abcdefgh ", k=200))
        texts += [altered(text, chooser, chooser.randint(0, 3)) for _ in range(copies)]
    texts = list(dict.fromkeys(texts))
    sets = [grams(text) for text in texts]
    near = near_duplicates(texts)
    for place, partner in enumerate(near.partner):
        others = [jaccard(sets[place], other) for index, other in enumerate(sets) if index != place]
        assert (partner >= 0) == (max(others) >= THRESHOLD)
    odd, even = texts[1::2], texts[::2]
    truly = [any(jaccard(grams(one), grams(other)) >= THRESHOLD for other in even) for one in odd]
    assert [partner >= 0 for partner in near_between(odd, even)] == truly


def test_repetitive_texts_are_found_whatever_their_lengths() -> None:
    near = near_duplicates(["ha" * 40, "ha" * 200, "ho" * 40])
    assert near.partner[:2] == [1, 0]
    assert near.partner[2] == -1


def test_a_text_that_composition_would_blow_up_is_compared_without_it() -> None:
    assert len(normalise("\ufdfa")) == 18
    assert normalise("\ufdfa" * 1000) == "\ufdfa" * 1000
