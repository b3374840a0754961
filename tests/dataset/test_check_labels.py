from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from dataset.checks.conflicts import check_conflicts
from dataset.checks.duplicates import check_duplicates
from dataset.checks.labels import check_labels, labels_of
from dataset.checks.spelling import check_spelling
from dataset.checks.split_classes import check_split_classes
from dataset.finding import Finding
from dataset.normalise import keys_of
from dataset.row import Row

Pair = Callable[..., Row]


def labelled(pair: Pair, counts: dict[str, int]) -> list[Row]:
    names = [label for label, count in counts.items() for _ in range(count)]
    return [pair(f"Question {line} of {'many ' * (line % 7)}", label, line) for line, label in enumerate(names, 1)]


def spelling(rows: Sequence[Row]) -> Finding | None:
    return next(check_spelling(rows, labels_of(rows)), None)


def conflicts(rows: Sequence[Row]) -> Finding:
    return next(check_conflicts(rows, keys_of(rows), labels_of(rows)))


def test_one_class_in_two_spellings_is_a_warning_at_the_rarer_one(pair: Pair) -> None:
    found = spelling(labelled(pair, {"card_lost": 40, "delivery": 20, "Card Lost": 3, "Delivery.": 2}))
    assert found is not None
    assert (found.severity, found.count, found.rows) == ("warning", 2, [61, 62, 63, 64, 65])
    assert "`Card Lost` (3) and `card_lost` (40)" in found.message


def test_a_rare_label_one_letter_off_is_a_note(pair: Pair) -> None:
    found = spelling(labelled(pair, {"delivery": 60, "refund": 60, "delivry": 1, "refunds": 1, "erfund": 1}))
    assert found is not None
    assert (found.severity, found.count, found.rows) == ("note", 3, [121, 122, 123])
    assert "`delivry` (1) and `delivery` (60)" in found.message


@pytest.mark.parametrize(
    "counts",
    [
        {"C++": 30, "C#": 30, "C": 30},
        {"1": 40, "-1": 40, "10": 40, "1.0": 1},
        {"A": 40, "A-": 2, "A+": 2},
        {"class 1": 60, "class 2": 1},
        {"typical": 60, "atypical": 1},
        {"Iran": 60, "Iraq": 1},
        {"Zambia": 20, "Gambia": 15},
        {"refund_request": 60, "refund_refused": 2},
    ],
)
def test_classes_that_only_look_alike_are_left_alone(pair: Pair, counts: dict[str, int]) -> None:
    assert spelling(labelled(pair, counts)) is None


def test_answers_that_are_texts_have_no_spelling(pair: Pair) -> None:
    assert spelling([pair(f"q {line}", f"It is {line}.", line) for line in range(60)]) is None


def test_a_class_that_only_validation_has_is_named_by_its_lines(pair: Pair) -> None:
    train = labelled(pair, {"refund": 20, "delivery": 20})
    held_out = labelled(pair, {"refund": 2, "delivery": 2, "complaint": 2, "Refund": 1})
    (found,) = check_split_classes(labels_of(train), held_out)
    assert (found.check, found.severity, found.count, found.rows) == ("split_class_missing", "warning", 2, [5, 6, 7])
    assert "`complaint`" in found.message and "`Refund` is written `refund` there" in found.message


@pytest.mark.parametrize(("held_out", "severity"), [({"refund": 30}, "warning"), ({"refund": 3}, "note")])
def test_a_class_that_validation_lacks_is_a_warning_where_chance_does_not_explain_it(
    pair: Pair, held_out: dict[str, int], severity: str
) -> None:
    train = labelled(pair, {"delivery": 40, "refund": 40})
    (found,) = check_split_classes(labels_of(train), labelled(pair, held_out))
    assert (found.severity, found.count, found.rows) == (severity, 1, [])
    assert "1 of 2 classes has no validation row: `delivery`" in found.message


def test_splits_of_the_same_classes_and_of_texts_are_fine(pair: Pair) -> None:
    rows = labelled(pair, {"delivery": 40, "refund": 40})
    assert list(check_split_classes(labels_of(rows), rows)) == []
    texts = [pair(f"q {line}", f"It is {line}.", line) for line in range(60)]
    assert list(check_split_classes(labels_of(texts), texts)) == []


def test_small_classes_come_with_an_example(pair: Pair) -> None:
    rows = labelled(pair, {"delivery": 100, "refund": 50, "bill": 9, "lamp": 2})
    imbalance, rare = check_labels(rows, labels_of(rows))
    assert (imbalance.count, imbalance.rows) == (2, list(range(151, 162)))
    assert "for instance `lamp` (2)" in imbalance.message
    assert (rare.count, rare.rows) == (2, imbalance.rows)
    assert "`bill` (9), `lamp` (2)" in rare.message


def sentences(pair: Pair, inputs: int, several: int, second: str) -> list[Row]:
    rows = []
    for number in range(inputs):
        name = "abcdefghij"[number % 10] * (number // 10 + 1)
        rows.append(pair(f"name: {name}, food: soup", f"{name} is a place that serves good soup.", len(rows) + 1))
        if number < several:
            rows.append(pair(f"name: {name}, food: soup", second.format(name), len(rows) + 1))
    return rows


def test_several_good_sentences_for_many_inputs_are_a_note(pair: Pair) -> None:
    found = conflicts(sentences(pair, 50, 30, "If you want soup, then {} is where to go."))
    assert (found.severity, found.count) == ("note", 30)
    assert "30 of 50 inputs have several: that speaks for several good answers" in found.message


def test_several_sentences_for_a_few_inputs_are_a_warning_that_says_both(pair: Pair) -> None:
    found = conflicts(sentences(pair, 50, 1, "If you want soup, then {} is where to go."))
    assert (found.severity, found.count, found.rows) == ("warning", 1, [1, 2])
    assert "speaks for several good ones" in found.message and "only 1 of 50 inputs" in found.message
    assert "See lines 1 and 2." in found.message


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ("{} has closed its doors in 1997 and has 40 seats.", "differ in figures"),
        ("never heard", "short"),
    ],
)
def test_figures_and_short_answers_speak_for_a_mistake(pair: Pair, second: str, said: str) -> None:
    rows = sentences(pair, 50, 30, second)
    if said == "short":
        rows = [pair(row.user_text, " ".join(row.answer.split()[:2]), row.line) for row in rows]
    found = conflicts(rows)
    assert (found.severity, found.count) == ("warning", 30)
    assert said in found.message


def test_two_queries_for_one_question_are_not_taken_for_good_answers(pair: Pair) -> None:
    rows = [pair(f"How many {n * 'x'}?", f"SELECT {m} FROM t{n}", 2 * n + m) for n in range(1, 31) for m in (0, 1)]
    found = conflicts([pair(row.user_text, f"{row.answer} WHERE a", row.line) for row in rows])
    assert (found.severity, found.count) == ("warning", 30)
    assert "code or records" in found.message


def test_labels_can_only_contradict_each_other(pair: Pair) -> None:
    rows = labelled(pair, {"delivery": 20, "refund": 20})
    found = conflicts([*rows, pair("Where is it?", "delivery", 50), pair("where  is it?", "refund", 51)])
    assert (found.severity, found.count, found.rows) == ("error", 1, [50, 51])
    assert "labels" in found.message


def test_near_copies_under_different_labels_are_a_note(pair: Pair) -> None:
    rows = labelled(pair, {"delivery": 20, "refund": 20})
    text = "Could you please tell me where the parcel is that I ordered on Monday"
    rows += [pair(text, "delivery", 51), pair(f"{text}?", "delivery", 52), pair(f"{text} last", "refund", 53)]
    far = [pair(f"{text} morning, {'lamp ' * 20}", "delivery", 54), pair("lamp " * 20, "refund", 55)]
    findings = {
        found.check: found for found in check_duplicates([*rows, *far], keys_of([*rows, *far]), labels_of(rows))
    }
    assert findings["near_conflict"].severity == "note"
    assert findings["near_conflict"].rows == [51, 52, 53]
    assert "line 51 (`delivery`) and line 53 (`refund`)" in findings["near_conflict"].message


def test_near_copies_under_one_label_or_without_labels_are_no_conflict(pair: Pair) -> None:
    text = "Could you please tell me where the parcel is that I ordered on Monday"
    same = [pair(text, "delivery", 1), pair(f"{text} last", "delivery", 2)]
    for labels in ({"delivery": 40, "refund": 40}, {}):
        rows = same if labels else [same[0], pair(f"{text} last", "It is here.", 2)]
        assert "near_conflict" not in {found.check for found in check_duplicates(rows, keys_of(rows), labels)}
