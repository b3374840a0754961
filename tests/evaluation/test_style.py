from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.style import DRAWS, MARGIN, Style, js_distance, styles
from evaluation.style_profile import PARTS, profiles

PLAIN = (["We have checked and", "We looked and", "Thank you: we"], ["will mend", "have paid", "will send"], ["."])
LOUD = (["Hey there!! So,", "Wow, sure thing!!", "Awesome, well,"], ["gonna fix", "totally got", "just sent"], ["!!!"])
THINGS = ["bill", "room", "exam", "parcel", "form", "card"]


def letters(voice: tuple[list[str], list[str], list[str]], n: int, seed: int) -> list[str]:
    """Answers that say like things in one voice."""
    chance = random.Random(seed)
    starts, verbs, ends = voice
    return [
        f"{chance.choice(starts)} {chance.choice(verbs)} the {chance.choice(THINGS)} {chance.choice(['today', 'soon'])}"
        f"{chance.choice(ends)} {chance.choice(['Write to us if it does not.', 'You need do nothing more.'])}"
        for _ in range(n)
    ]


HOUSE = letters(PLAIN, 160, 1)


def test_the_same_voice_is_as_near_as_the_house_is_to_itself_and_another_is_further() -> None:
    found = styles(HOUSE, {"tuned": letters(PLAIN, 100, 2), "base": letters(LOUD, 100, 3)}, seed=7)
    tuned, base = found["tuned"], found["base"]
    assert (tuned.found, base.found) == ("as near", "further")
    assert tuned.beyond.low < 0 < tuned.beyond.high <= MARGIN
    assert base.beyond.low > 0.2 and base.distance.low > base.house.high
    assert all(base.parts[part] > base.house_parts[part] for part in PARTS)
    assert tuned.sentence.startswith("as near to the house as the house is to itself (0.0")
    assert Style.model_validate_json(tuned.model_dump_json()) == tuned


def test_a_half_learned_voice_is_further_and_few_answers_cannot_tell() -> None:
    half = letters(PLAIN, 50, 4) + letters(LOUD, 50, 5)
    few = letters(PLAIN, 18, 6) + letters(LOUD, 2, 6)
    found = styles(HOUSE, {"half": half, "few": few}, seed=7)
    assert found["half"].found == "further"
    assert (found["few"].found, found["few"].n) == ("cannot tell", 20)


def test_the_same_seed_gives_the_same_figures_whoever_stands_beside() -> None:
    alone = styles(HOUSE, {"tuned": letters(PLAIN, 40, 2)}, seed=3)["tuned"]
    beside = styles(HOUSE, {"base": letters(LOUD, 40, 2), "tuned": letters(PLAIN, 40, 2)}, seed=3)["tuned"]
    assert alone == beside
    assert alone != styles(HOUSE, {"tuned": letters(PLAIN, 40, 2)}, seed=4)["tuned"]


def test_the_same_voice_is_seldom_called_another() -> None:
    found = [styles(HOUSE, {"tuned": letters(PLAIN, 60, 100 + seed)}, seed)["tuned"].found for seed in range(8)]
    assert found.count("further") <= 1 and found.count("as near") >= 4
    assert DRAWS >= 200


def test_too_few_answers_have_no_voice() -> None:
    assert styles(HOUSE[:39], {"tuned": HOUSE}, seed=1) == {}
    assert styles(HOUSE, {"tuned": HOUSE[:19] + [" "] * 90, "base": []}, seed=1) == {}


def test_answers_that_never_stop_or_have_no_words_are_measured_too() -> None:
    odd = ["?!" * 50_000] * 10 + ["word " * 50_000] * 10 + ["\u0301", "東京都に行きます。"] * 5
    found = styles(HOUSE, {"odd": odd}, seed=1)["odd"]
    assert found.found == "further" and 0 <= found.distance.low <= found.distance.high <= 1


def test_a_profile_counts_what_is_frequent_in_the_house_and_the_rest_together() -> None:
    found = profiles(["the cat. the dog!"], ["the the bird?"])
    assert found.counts["words"].tolist() == [[2.0, 0.0, 0.0, 1.0]]  # the, cat, dog, all others
    assert found.counts["sentences"].tolist() == [[1.0] + [0.0] * 8]
    # Letters, "!", "." of the house, then signs that it never uses.
    assert found.counts["punctuation"].tolist() == [[12.0, 0.0, 0.0, 1.0]]


counts = st.lists(st.integers(0, 50), min_size=4, max_size=4).filter(any)


@given(counts, counts)
@settings(max_examples=100, deadline=None)
def test_the_distance_is_one_between_zero_and_one_and_the_same_both_ways(one: list[int], other: list[int]) -> None:
    first, second = np.array(one, dtype=float), np.array(other, dtype=float)
    distance = js_distance(first, second)
    assert 0 <= distance <= 1 and distance == pytest.approx(js_distance(second, first), abs=1e-9)
    assert js_distance(first, first * 3) == pytest.approx(0, abs=1e-6)


def test_the_distance_is_that_of_scipy() -> None:
    from scipy.spatial.distance import jensenshannon

    one, other = np.array([3.0, 0.0, 5.0, 2.0]), np.array([1.0, 4.0, 5.0, 0.0])
    assert js_distance(one, other) == pytest.approx(float(jensenshannon(one, other, base=2)))
    assert js_distance(np.array([1.0, 0.0]), np.array([0.0, 2.0])) == 1
    assert js_distance(np.zeros(2), np.array([0.0, 2.0])) == 1


def test_plain_english_is_told_from_legal_terms(shared: Path) -> None:
    passages = json.loads((shared / "data/legal_plain_english/tosdr_annotated_v1.json").read_text()).values()
    plain = [row["reference_summary"] for row in passages]
    found = styles(plain[::2], {"plain": plain[1::2], "terms": [row["original_text"] for row in passages]}, seed=7)
    assert found["terms"].found == "further"
    assert found["plain"].found != "further"
