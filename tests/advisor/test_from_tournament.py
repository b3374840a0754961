from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from advisor.advise import advise
from advisor.from_tournament import in_words, lengths_of, with_tournament
from core.answers import Answers
from cost_models.curves import cost
from cost_models.options import CostOptions
from evaluation.rungs import RungName
from evaluation.stats import wilson
from evaluation.tournament_report import RungReport, TournamentReport

RIGHT: dict[RungName, int] = {"zero_shot": 20, "few_shot": 70, "retrieval": 66, "constrained": 81}


def rung(name: RungName, right: int, truncated: int = 0) -> RungReport:
    shots = {"zero_shot": 0, "retrieval": 3}.get(name, 4)
    return RungReport(
        name=name,
        words=name,
        score=wilson(right, 100),
        shots=shots,
        instruction="Answer.",
        prompt_tokens=100 + 80 * shots,
        answer_tokens=31.4,
        seconds_per_answer=0.5,
        truncated=truncated,
    )


def report_of(right: dict[RungName, int], metric: str = "json_match", truncated: int = 0) -> TournamentReport:
    return TournamentReport(
        best=max(right, key=lambda name: right[name]),
        beats_others=True,
        sentence="It is best.",
        metric=metric,
        metric_words=metric.replace("_", " "),
        rungs=[rung(name, count, truncated) for name, count in right.items()],
        question_tokens=52.3,
        base_model="b",
        device="cpu",
        test_file="t",
        test_sha256="00",
        rows=100,
        rows_in_file=100,
        seed=7,
        created_at=datetime.now(UTC),
    )


def test_scores_and_lengths_take_the_place_of_guesses_and_nothing_else_changes() -> None:
    before = Answers(task="sort", prompt_quality=0.5, prompt_tried="none", input_tokens=900, volume_per_month=1000)
    answers, options = with_tournament(before, CostOptions(quality={"ft_self": 0.9, "rag": 0.1}), report_of(RIGHT))
    assert (answers.prompt_quality, answers.prompt_tried) == (0.81, "few_shot")
    assert (answers.input_tokens, answers.output_tokens) == (52, 31)
    assert options.quality == {"ft_self": 0.9, "zero_shot": 0.2, "few_shot": 0.81, "rag": 0.66}
    same = {"task", "volume_per_month"}
    assert answers.model_dump(include=same) == before.model_dump(include=same)
    assert Answers.model_validate(answers.model_dump()) == answers


def test_measured_lengths_add_up_to_the_measured_prompt() -> None:
    report = report_of(RIGHT)
    found = lengths_of(report)
    few = report.rung("few_shot")
    assert few is not None and report.question_tokens is not None
    size = report.question_tokens + report.winner.answer_tokens
    total = report.question_tokens + found["instruction_tokens"] + found["few_shot_examples"] * size
    assert total == pytest.approx(few.prompt_tokens, rel=0.01)
    assert lengths_of(report.model_copy(update={"question_tokens": None})) == {}


@pytest.mark.parametrize(("before", "after"), [(None, "zero_shot"), ("zero_shot", "zero_shot"), ("rag", "rag")])
def test_what_was_tried_is_never_taken_back(before: str | None, after: str) -> None:
    given = Answers.model_validate({"prompt_tried": before})
    assert with_tournament(given, CostOptions(), report_of({"zero_shot": 9}))[0].prompt_tried == after


def test_an_overlap_of_words_is_no_share_of_right_answers() -> None:
    report = report_of(RIGHT, metric="token_f1", truncated=40)
    answers, options = with_tournament(Answers(prompt_quality=0.3, output_tokens=7), CostOptions(), report)
    assert (answers.prompt_quality, answers.output_tokens, options.quality) == (0.3, 7, {})
    assert "stays your answer" in in_words(report)[0] and "answer: " not in " ".join(in_words(report)[1:])


def test_a_prompt_that_reaches_the_target_turns_the_advice_away_from_tuning() -> None:
    asked = Answers(
        task_kind="extract", volume_per_month=2000, labelled_examples=800, prompt_tried="few_shot", prompt_quality=0.3,
        target_quality=0.8, has_eval_set=True, switch_gap="form", budget="medium", team_ml_fte=1.0,
    )  # fmt: skip
    measured, options = with_tournament(asked, CostOptions(), report_of(RIGHT))
    today = date(2026, 11, 24)
    before = advise(asked, today=today, cost=cost(asked, today=today))
    after = advise(measured, today=today, cost=cost(measured, options=options, today=today))
    rules = {reason.rule for row in after.ranking for reason in row.reasons}
    assert rules != {reason.rule for row in before.ranking for reason in row.reasons}
    assert after.recommendation in ("zero_shot", "few_shot")
