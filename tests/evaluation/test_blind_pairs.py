"""Pairs shown without names, picks in their file, and the count at the end."""

from __future__ import annotations

import pytest

from core.errors import BadInput
from core.home import new_id
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from evaluation.blind_pairs import BlindPair, Pick, count, end, keep_pick, pairs, picks_file, read_picks, rival_of
from evaluation.report import EvaluationReport
from tests.pages.judgements import report_of


def judged(rows: int = 60) -> EvaluationReport:
    report = report_of({"base": [0.0] * rows, "best_prompt": [0.0] * rows, "tuned": [1.0] * rows})
    for row in report.answers:
        row.answers = {name: f"{name} on {row.line}" for name in row.answers}
    return report


@pytest.fixture
def folder() -> RunFolder:
    return RunFolder.create(new_id("job"), JobSpec(kind="evaluate"))


def pick_model(pair: BlindPair, model: str) -> Pick:
    return "left" if pair.left_model == model else "right"


def test_tuned_stands_against_the_best_prompt_and_each_side_is_drawn_by_lot() -> None:
    found = pairs(judged())
    assert len(found) == 40 and found == pairs(judged())
    assert {(pair.left_model, pair.right_model) for pair in found} == {
        ("tuned", "best_prompt"),
        ("best_prompt", "tuned"),
    }
    left = sum(pair.left_model == "tuned" for pair in found)
    assert 10 <= left <= 30
    assert all(pair.left.startswith(pair.left_model) and pair.right.startswith(pair.right_model) for pair in found)


def test_without_a_best_prompt_it_is_the_base_and_without_a_tune_nobody() -> None:
    assert rival_of(report_of({"base": [0.0], "tuned": [1.0]})) == "base"
    assert rival_of(report_of({"tuned": [1.0]})) is None and pairs(report_of({"base": [0.0]})) == []


def test_rows_with_the_same_words_and_rows_from_training_are_not_shown() -> None:
    report = judged(20)
    report.answers[0].answers["best_prompt"] = " tuned  on\n1"
    report.answers[1].in_training = True
    shown = {pair.asked for pair in pairs(report)}
    assert len(shown) == 18 and not {"question 1", "question 2"} & shown


def test_picks_are_counted_for_the_model_wherever_it_stood() -> None:
    asked = pairs(judged())
    picks: dict[str, Pick] = {pair.key: pick_model(pair, "tuned") for pair in asked[:14]}
    picks |= {pair.key: pick_model(pair, "best_prompt") for pair in asked[14:17]}
    picks |= {pair.key: "same" for pair in asked[17:20]}
    found = count(asked, picks)
    assert (found.tuned, found.other, found.same, found.rival) == (14, 3, 3, "best_prompt")
    assert found.p_value == pytest.approx(2 * sum([1, 17, 136, 680]) / 2**17), "a coin that falls 17 times"
    assert found.sentence == (
        "The tuned model was picked 14 times, the base with its best prompt 3 times, and 3 times there was no "
        "difference; luck would do this 1 time in 70. You prefer the tuned model."
    )


def test_five_against_three_decides_nothing_and_no_difference_at_all_is_said() -> None:
    asked = pairs(judged())
    picks: dict[str, Pick] = {pair.key: pick_model(pair, "tuned") for pair in asked[:5]}
    picks |= {pair.key: pick_model(pair, "best_prompt") for pair in asked[5:8]}
    assert count(asked, picks).sentence.endswith("Neither is shown to be the better one.")
    assert count(asked, {pair.key: "same" for pair in asked}).sentence.endswith("they cannot be told apart.")
    other: dict[str, Pick] = {pair.key: pick_model(pair, "best_prompt") for pair in asked[:9]}
    assert count(asked, other).sentence.endswith("You prefer the base with its best prompt.")


def test_picks_are_kept_at_once_and_the_end_is_the_end(folder: RunFolder) -> None:
    first, second = pairs(judged())[:2]
    keep_pick(folder, first.key, "left")
    keep_pick(folder, second.key, "same")
    assert keep_pick(folder, second.key, None).picks == read_picks(folder).picks == {first.key: "left"}
    ended = end(folder).ended_at
    assert ended is not None and end(folder).ended_at == ended
    with pytest.raises(BadInput, match="has ended"):
        keep_pick(folder, second.key, "right")
    assert read_picks(folder).picks == {first.key: "left"}


def test_a_file_that_is_not_ours_is_said(folder: RunFolder) -> None:
    picks_file(folder).write_text('{"picks": {"a": "up"}}')
    with pytest.raises(BadInput, match="no picks"):
        read_picks(folder)
