from __future__ import annotations

import json
from datetime import date

import pytest

from advisor.advise import advise
from advisor.rules import RULES
from core.answers import APPROACHES, Answers
from cost_models.curves import cost

TODAY = date(2026, 11, 24)
VOICE = Answers(
    task_kind="style", knowledge_need="low", format_strictness="very_high", volume_per_month=50_000,
    labelled_examples=800, prompt_tried="long_few_shot", prompt_quality=0.7,
)  # fmt: skip
FAQ = Answers(task_kind="qa", knowledge_need="high", knowledge_freshness="seasonal", volume_per_month=5_000)

SMALL_TEAM = VOICE.model_copy(update={"team_ml_fte": 0.1, "volume_per_month": 4_000, "labelled_examples": 2_000})


def test_the_advice_has_every_name_of_the_contract() -> None:
    found = json.loads(json.dumps(advise(VOICE, today=TODAY, cost=cost(VOICE, today=TODAY)).model_dump(mode="json")))
    assert {"recommendation", "ranking", "assumptions", "conflicts", "flips", "questions"} <= set(found)
    assert found["ranking"][0]["approach"] == found["recommendation"]
    assert {row["approach"] for row in found["ranking"]} == set(APPROACHES)
    assert {row["verdict"] for row in found["ranking"]} <= {"recommended", "acceptable", "avoid"}
    assert {"rule", "because", "source"} <= set(found["ranking"][0]["reasons"][0])
    assert {"field", "from", "to", "then"} <= set(found["flips"][0])


def test_the_score_is_the_visible_sum_of_the_reasons() -> None:
    for answers in (Answers(), VOICE, FAQ):
        for row in advise(answers, today=TODAY).ranking:
            assert row.score == sum(reason.points for reason in row.reasons)


def test_without_answers_prompting_comes_first_and_everything_is_assumed() -> None:
    found = advise(Answers(), today=TODAY)
    assert found.recommendation == "zero_shot"
    assert {entry.field for entry in found.assumptions} >= {"volume_per_month", "labelled_examples", "privacy"}
    assert found.questions


@pytest.mark.parametrize(
    ("answers", "best"),
    [
        (FAQ, "rag"),
        (VOICE, "ft_self"),
        (SMALL_TEAM, "ft_managed"),
        (VOICE.model_copy(update={"knowledge_need": "very_high", "knowledge_freshness": "weekly"}), "rag_plus_ft"),
        (VOICE.model_copy(update={"prompt_quality": 0.97}), "few_shot"),
        (VOICE.model_copy(update={"labelled_examples": 60, "prompt_tried": "few_shot"}), "few_shot"),
        (Answers(task_kind="sql", format_strictness="very_high", prompt_tried="zero_shot"), "few_shot"),
        (Answers(task_kind="reasoning", switch_gap="ability", prompt_tried="none"), "zero_shot"),
        (Answers(knowledge_need="very_high", knowledge_freshness="daily", privacy="strict", citations=True), "rag"),
        (
            Answers(
                budget="very_large", own_text_tokens=1e12, team_ml_fte=50, labelled_examples=150, privacy="strict",
                prompt_tried="long_few_shot", prompt_quality=0.4, switch_gap="ability",
            ),
            "from_scratch",
        ),
    ],
)  # fmt: skip
def test_each_case_gets_the_approach_that_the_lecture_would_choose(answers: Answers, best: str) -> None:
    assert advise(answers, today=TODAY).recommendation == best


def test_every_reason_has_a_source_that_was_read_on_a_day() -> None:
    for row in advise(VOICE, today=TODAY).ranking:
        assert all(reason.source.title and reason.source.checked and reason.source.says for reason in row.reasons)


def test_reasons_carry_the_team_s_own_value() -> None:
    row = advise(Answers(labelled_examples=42), today=TODAY).ranked("ft_self")
    assert any("42 examples" in reason.because for reason in row.reasons)


def test_a_reason_that_rests_on_an_assumption_says_so() -> None:
    assumed = advise(Answers(), today=TODAY).ranked("ft_self").reasons
    answered = advise(Answers(labelled_examples=42), today=TODAY).ranked("ft_self").reasons
    assert next(reason.assumed for reason in assumed if reason.rule == "under_100_examples") == ["labelled_examples"]
    assert next(reason.assumed for reason in answered if reason.rule == "under_100_examples") == []


def test_an_assumption_never_rules_anything_out() -> None:
    assert not advise(Answers(), today=TODAY).ranked("ft_self").vetoed
    assert advise(Answers(labelled_examples=0), today=TODAY).ranked("ft_self").vetoed


def test_strict_privacy_rules_out_every_foreign_api_and_names_what_is_left() -> None:
    found = advise(Answers(privacy="strict", labelled_examples=20), today=TODAY)
    assert found.ranked("zero_shot").vetoed
    assert found.ranked("ft_managed").vetoed
    assert found.ranking[0].runs_on == "own_machines"
    assert found.variant == "open_model"


def test_a_classifier_is_named_where_labels_are_at_hand() -> None:
    found = advise(
        Answers(task_kind="classify", classes=8, labelled_examples=2_000, prompt_tried="few_shot"), today=TODAY
    )
    assert found.ranked("ft_self").variant == "small_encoder"
    assert any("classic classifier" in note for note in found.notes)


def test_a_form_that_must_hold_is_constrained_before_anything_is_tuned() -> None:
    found = advise(Answers(task_kind="extract", format_strictness="very_high", labelled_examples=300), today=TODAY)
    assert any("Constrain the output first" in note for note in found.notes)
    portable = advise(
        Answers(task_kind="extract", format_strictness="very_high", labelled_examples=300, portability=True),
        today=TODAY,
    )
    assert not any("Constrain the output first" in note for note in portable.notes)
    assert portable.ranked("ft_self").score > found.ranked("ft_self").score


def test_an_evaluation_set_comes_first_where_there_is_none() -> None:
    assert any("evaluation set first" in note for note in advise(Answers(), today=TODAY).notes)
    assert not any("evaluation set first" in note for note in advise(Answers(has_eval_set=True), today=TODAY).notes)


def test_managed_tuning_follows_the_calendar() -> None:
    early = advise(VOICE, today=date(2025, 6, 1)).ranked("ft_managed")
    now = advise(VOICE, today=TODAY).ranked("ft_managed")
    closed = advise(VOICE, today=date(2027, 5, 1)).ranked("ft_managed")
    assert early.score > now.score
    assert any("2027-04-14" in reason.because and "4.6 months" in reason.because for reason in now.reasons)
    assert closed.vetoed
    assert not now.vetoed


def test_an_engine_is_never_recommended_after_its_last_day() -> None:
    assert advise(SMALL_TEAM, today=TODAY).recommendation == "ft_managed"
    assert advise(SMALL_TEAM, today=date(2027, 4, 14)).recommendation != "ft_managed"


def test_a_flip_is_true_when_it_is_tried() -> None:
    for answers in (Answers(), VOICE, FAQ):
        for flip in advise(answers, today=TODAY).flips:
            changed = answers.model_copy(update={flip.field: flip.to})
            assert advise(changed, today=TODAY).recommendation == flip.then, flip


def test_the_nearest_flip_is_named() -> None:
    flip = next(flip for flip in advise(VOICE, today=TODAY).flips if flip.field == "prompt_quality")
    assert (flip.from_, flip.to, flip.then) == (0.7, 0.9, "few_shot")


def test_questions_are_asked_most_decisive_first_and_never_about_what_was_answered() -> None:
    questions = advise(VOICE, today=TODAY).questions
    assert not {question.field for question in questions} & set(VOICE.model_dump(exclude_none=True))
    decisive = [bool(question.could_become) for question in questions]
    assert decisive == sorted(decisive, reverse=True)


def test_rules_that_pull_apart_are_shown_side_by_side() -> None:
    answers = VOICE.model_copy(update={"team_ml_fte": 0.1, "switch_gap": "form"})
    found = advise(answers, today=TODAY)
    assert found.recommendation == "ft_self"
    pairs = {(entry.pro, entry.contra) for entry in found.conflicts}
    assert pairs == {(found.ranking[0].reasons[0].rule, "nobody_to_run_it")}
    assert "For it:" in found.conflicts[0].says
    assert "Against it:" in found.conflicts[0].says


def test_advice_that_costs_far_more_says_so() -> None:
    with_cost = advise(VOICE, today=TODAY, cost=cost(VOICE, today=TODAY))
    says = [entry.says for entry in with_cost.conflicts if entry.contra == "cost"]
    assert len(says) == 1
    assert "does not pay back" in says[0]
    assert not [entry for entry in advise(VOICE, today=TODAY).conflicts if entry.contra == "cost"]


def test_rule_ids_are_unique() -> None:
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))
