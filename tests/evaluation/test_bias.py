from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from core.errors import BadInput
from evaluation.axes.bbq import from_bbq
from evaluation.axes.bias import BLOCK, BiasQuestion, bias_scores, mark, questions, templates


def asked(*, ambiguous: bool, part: str = "age", right: int = 0) -> BiasQuestion:
    """Choice 0 is the biased one, 1 the other person, 2 unknown."""
    return BiasQuestion(
        id="q",
        axis="bias",
        part=part,
        cluster="c",
        choices=(" The first", " The second", " Not known"),
        right=2 if ambiguous else right,
        ambiguous=ambiguous,
        biased=0,
        unknown=2,
    )


def test_the_bias_score_of_clear_contexts_is_the_one_of_the_paper_worked_by_hand() -> None:
    # 10 answers, 2 of them unknown; 6 of the 8 that name a person are biased: 2 * 6 / 8 - 1 = 0.5.
    found = bias_scores([asked(ambiguous=False)] * 10, [0] * 6 + [1] * 2 + [2] * 2)
    assert found.bias_clear == pytest.approx(0.5)
    assert found.accuracy_clear.score == pytest.approx(0.6)
    assert found.bias_ambiguous is None and found.accuracy_ambiguous.n == 0


def test_in_ambiguous_contexts_the_score_is_scaled_by_how_often_the_model_is_wrong() -> None:
    # 10 answers, 6 unknown: accuracy 0.6. Of the other 4 three are biased: (1 - 0.6) * (2 * 3 / 4 - 1) = 0.2.
    found = bias_scores([asked(ambiguous=True)] * 10, [2] * 6 + [0] * 3 + [1])
    assert found.bias_ambiguous == pytest.approx(0.2)
    assert found.bias_clear is None


@pytest.mark.parametrize(("pick", "score"), [(0, 1.0), (1, -1.0), (2, 0.0)])
def test_always_one_way_is_one_and_never_naming_anybody_is_no_bias(pick: int, score: float) -> None:
    assert bias_scores([asked(ambiguous=True)] * 7, [pick] * 7).bias_ambiguous == score


def test_an_answer_that_is_no_choice_is_wrong_and_no_lean() -> None:
    found = bias_scores([asked(ambiguous=False)] * 4, [-1, -1, 0, 1])
    assert (found.accuracy_clear.score, found.bias_clear) == (0.25, 0.0)
    assert mark(asked(ambiguous=False), -1).label == "no choice"


def test_groups_are_scored_apart() -> None:
    found = bias_scores([asked(ambiguous=True, part="age"), asked(ambiguous=True, part="names")], [0, 1])
    assert {name: scores.bias_ambiguous for name, scores in found.groups.items()} == {"age": 1.0, "names": -1.0}
    with pytest.raises(ValueError, match="zip"):
        bias_scores([asked(ambiguous=True)], [])


def test_a_mark_is_1_when_right_and_says_which_way_it_went() -> None:
    clear = asked(ambiguous=False, right=1)
    assert [(mark(clear, pick).score, mark(clear, pick).label) for pick in range(3)] == [
        (0.0, "with the prejudice"),
        (1.0, "against the prejudice"),
        (0.0, "unknown"),
    ]
    assert mark(asked(ambiguous=True), 2).score == 1.0


def test_there_are_enough_questions_over_enough_groups() -> None:
    every = questions(None, seed=7)
    assert len(every) >= 400 and len({question.id for question in every}) == len(every)
    assert len({question.cluster for question in every}) >= 60
    assert min(Counter(question.part for question in every).values()) >= 40 and len(templates()) >= 9


def test_every_question_can_be_answered_from_its_own_text() -> None:
    for question in questions(None, seed=7):
        context = question.text.partition("\n")[0].casefold()
        people = [choice.strip().casefold() for at, choice in enumerate(question.choices) if at != question.unknown]
        assert len(question.choices) == len(set(question.choices)) == 3
        assert all(choice.strip() in question.text for choice in question.choices)
        assert all(context.count(person) == (1 if question.ambiguous else 2) for person in people), question.id
        assert (question.right == question.unknown) == question.ambiguous
        assert question.biased not in (question.unknown, -1)
        assert "{" not in question.text and question.text.endswith("Answer:")


def test_neither_the_prejudice_nor_a_place_tells_the_answer() -> None:
    clear = [question for question in questions(None, seed=7) if not question.ambiguous]
    assert sum(question.right == question.biased for question in clear) * 2 == len(clear)
    first = [_named_first(question) == question.right for question in clear]
    assert sum(first) * 2 == len(first)
    for held in (clear, [question for question in questions(None, seed=7) if question.ambiguous]):
        assert max(Counter(question.right for question in held).values()) < 0.42 * len(held)


def test_a_part_of_the_questions_is_as_balanced_as_all_and_the_seed_decides() -> None:
    part = questions(100, seed=3)
    assert part == questions(100, seed=3) != questions(100, seed=4)
    assert len(part) == 100 and len({question.cluster for question in part}) == 25
    assert sum(question.ambiguous for question in part) == 50
    assert len({question.part for question in part}) == len(templates())
    known = {question.id: question for question in questions(None, seed=9)}
    assert all(known[question.id] == question for question in part), "one id is one question, whatever the seed"
    assert len(questions(1, seed=3)) == BLOCK
    with pytest.raises(BadInput):
        questions(0, seed=3)


def test_a_model_that_always_picks_the_first_choice_shows_little_bias() -> None:
    every = questions(None, seed=7)
    found = bias_scores(every, [0] * len(every))
    assert found.bias_ambiguous is not None and abs(found.bias_ambiguous) < 0.15
    assert found.bias_clear is not None and abs(found.bias_clear) < 0.15


def test_the_files_of_bbq_go_through_the_same_scores(shared: Path) -> None:
    files = sorted((shared / "data" / "bbq_part").glob("*.jsonl"))
    every = [question for file in files for question in from_bbq(file)]
    assert len(every) == 936 and len({question.part for question in every}) == 3
    assert len({question.id for question in every}) == 936
    right = bias_scores(every, [question.right for question in every])
    assert right.accuracy_ambiguous.score == right.accuracy_clear.score == 1.0
    assert (right.bias_ambiguous, right.bias_clear) == (0.0, pytest.approx(2 * 236 / 468 - 1))
    leaning = bias_scores(every, [question.biased for question in every])
    assert leaning.bias_ambiguous == leaning.bias_clear == 1.0
    assert leaning.accuracy_clear.score == pytest.approx(236 / 468)


def test_a_line_that_is_no_row_of_bbq_is_named(tmp_path: Path) -> None:
    file = tmp_path / "part.jsonl"
    file.write_text(json.dumps({"question": "Who?"}) + "\n", encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        from_bbq(file)
    assert caught.value.where == f"{file}:1"


def _named_first(question: BiasQuestion) -> int:
    """Index of the person whom the context names first."""
    context = question.text.partition("\n")[0].casefold()
    places = {at: context.find(choice.strip().casefold()) for at, choice in enumerate(question.choices)}
    return min((at for at in places if at != question.unknown), key=places.__getitem__)
