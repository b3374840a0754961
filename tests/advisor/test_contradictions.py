"""Answers that do not go together are named, all at once, with what was assumed; what is merely unusual is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.contradictions import CHECKS, contradictions
from advisor.facts import BUDGETS, FRESHNESS, LEVELS
from advisor.scenarios import Scenario, scenarios
from core.answers import Answers
from core.errors import Problem

KINDS = [
    "classify",
    "extract",
    "generate",
    "style",
    "qa",
    "sql",
    "summarise",
    "translate",
    "chat",
    "reasoning",
    "other",
]
# {check: (answers at which it fires, like ones at which it is silent)}
CASES: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "volume_without_money": (
        {"volume_per_month": 1e10, "budget": "none"},
        [
            {"volume_per_month": 1e10, "budget": "very_large"},
            {"volume_per_month": 5_000, "budget": "none"},
            {"volume_per_month": 5e6, "budget": "small"},
        ],
    ),
    "no_calls": ({"volume_per_month": 0}, [{"volume_per_month": 1}]),
    "labels_without_examples": (
        {"classes": 5, "labelled_examples": 3},
        [{"classes": 5, "labelled_examples": 10}, {"classes": 5, "labelled_examples": 0}],
    ),
    "labels_without_classification": (
        {"classes": 5, "task_kind": "qa"},
        [{"classes": 5, "task_kind": "classify"}, {"task_kind": "qa"}],
    ),
    "checked_without_examples": (
        {"label_quality": "checked", "labelled_examples": 0},
        [{"label_quality": "checked", "labelled_examples": 50}, {"label_quality": "unknown", "labelled_examples": 0}],
    ),
    "target_reached_with_a_gap": (
        {"prompt_quality": 0.9, "target_quality": 0.9, "switch_gap": "form"},
        [
            {"prompt_quality": 0.89, "target_quality": 0.9, "switch_gap": "form"},
            {"prompt_quality": 0.95, "target_quality": 0.9, "switch_gap": "none"},
            {"prompt_quality": 0.89, "switch_gap": "form"},
        ],
    ),
    "no_gap_below_target": (
        {"prompt_quality": 0.5, "target_quality": 0.9, "switch_gap": "none"},
        [
            {"prompt_quality": 0.9, "target_quality": 0.9, "switch_gap": "none"},
            {"prompt_quality": 0.5, "target_quality": 0.9, "switch_gap": "ability"},
        ],
    ),
    "quality_without_a_prompt": (
        {"prompt_tried": "none", "prompt_quality": 0.6},
        [{"prompt_tried": "zero_shot", "prompt_quality": 0.6}, {"prompt_tried": "none"}],
    ),
    "nobody_reaches_all": ({"target_quality": 1.0}, [{"target_quality": 0.99}]),
    "facts_change_but_none_are_needed": (
        {"knowledge_need": "low", "knowledge_freshness": "daily"},
        [
            {"knowledge_need": "high", "knowledge_freshness": "daily"},
            {"knowledge_need": "low", "knowledge_freshness": "slow"},
        ],
    ),
    "knowledge_gap_but_no_need": (
        {"knowledge_need": "low", "switch_gap": "knowledge"},
        [{"knowledge_need": "high", "switch_gap": "knowledge"}, {"knowledge_need": "low", "switch_gap": "form"}],
    ),
    "sources_but_no_facts": (
        {"citations": True, "knowledge_need": "low", "task_kind": "chat"},
        [
            {"citations": True, "knowledge_need": "high", "task_kind": "chat"},
            {"citations": False, "knowledge_need": "low", "task_kind": "chat"},
            # The page of a filing that was given is no source that has to be fetched.
            {"citations": True, "knowledge_need": "low", "task_kind": "extract"},
        ],
    ),
    "faster_than_it_can_be_written": (
        {"latency_ms": 100, "output_tokens": 1_000},
        [
            {"latency_ms": 10_000, "output_tokens": 1_000},
            {"latency_ms": 100, "output_tokens": 5},
            {"latency_ms": 1, "output_tokens": 4, "task_kind": "classify"},
        ],
    ),
    "own_text_without_money": (
        {"own_text_tokens": 1e12, "budget": "none"},
        [{"own_text_tokens": 1e12, "budget": "very_large"}, {"own_text_tokens": 5e6, "budget": "none"}],
    ),
}
HARMLESS = (
    {"portability": True, "privacy": "strict"},
    {"budget": "none", "team_ml_fte": 3},
    {"privacy": "strict", "budget": "small"},
    {"stakes": "high", "has_eval_set": False},
)
ASSUMED_IN_THE_OPEN = {
    "target_reached_with_a_gap": {"target_quality"},
    "sources_but_no_facts": {"task_kind"},
    "faster_than_it_can_be_written": {"task_kind"},
}
"""Answers without which a check speaks all the same."""
CHECK = {check.__name__: check for check in CHECKS}


def any_answers() -> st.SearchStrategy[Answers]:
    return st.fixed_dictionaries(
        {},
        optional={
            "task_kind": st.sampled_from(KINDS),
            "knowledge_need": st.sampled_from(LEVELS),
            "knowledge_freshness": st.sampled_from(FRESHNESS),
            "volume_per_month": st.floats(0, 1e12),
            "labelled_examples": st.integers(0, 10**10),
            "classes": st.integers(2, 10**6),
            "privacy": st.sampled_from(["low", "medium", "high", "strict"]),
            "latency_ms": st.integers(1, 10**7),
            "budget": st.sampled_from(BUDGETS),
            "prompt_tried": st.sampled_from(["none", "zero_shot", "few_shot", "long_few_shot", "rag"]),
            "prompt_quality": st.floats(0, 1),
            "target_quality": st.floats(0, 1),
            "output_tokens": st.integers(1, 10**7),
            "own_text_tokens": st.floats(0, 1e15),
            "portability": st.booleans(),
            "citations": st.booleans(),
            "label_quality": st.sampled_from(["unknown", "noisy", "checked"]),
            "switch_gap": st.sampled_from(["none", "form", "knowledge", "ability"]),
        },
    ).map(Answers.model_validate)


def check(name: str, given_answers: dict[str, Any]) -> Problem | None:
    return CHECK[name](Answers.model_validate(given_answers))


def test_every_check_has_its_cases() -> None:
    assert set(CASES) == set(CHECK)


@pytest.mark.parametrize("name", CASES)
def test_each_fires_where_answers_do_not_go_together_and_nowhere_beside(name: str) -> None:
    fires, silent = CASES[name]
    assert check(name, fires) is not None
    assert [case for case in silent if check(name, case)] == []


@pytest.mark.parametrize("name", CASES)
def test_each_is_a_warning_that_says_what_was_assumed_and_what_to_do(name: str) -> None:
    problem = check(name, CASES[name][0])
    assert problem is not None
    assert problem.severity == "warning" and problem.hint
    odd, _, assumed = problem.what.partition(" Assumed: ")
    assert odd.endswith(".") and assumed.endswith(".")
    assert set(problem.where.split(", ")) <= set(Answers.model_fields)
    assert "None" not in str(problem) and "_" not in problem.what


@pytest.mark.parametrize("name", CASES)
def test_an_open_answer_contradicts_nothing(name: str) -> None:
    fires = CASES[name][0]
    for field in set(fires) - ASSUMED_IN_THE_OPEN.get(name, set()):
        assert check(name, {key: value for key, value in fires.items() if key != field}) is None, field


def test_all_are_said_at_once_with_the_team_s_own_values() -> None:
    answers = Answers(
        task_kind="classify", volume_per_month=1e10, budget="none", classes=5, labelled_examples=3, target_quality=1
    )
    found = contradictions(answers)
    assert [problem.where for problem in found] == [
        "volume_per_month, budget", "classes, labelled_examples", "target_quality",
    ]  # fmt: skip
    words = " ".join(map(str, found))
    assert all(value in words for value in ("10,000,000,000 calls", "no budget", "5 labels and 3 examples", "100 %"))


def test_a_target_that_nobody_named_is_said_to_be_ours() -> None:
    (problem,) = contradictions(Answers(prompt_quality=0.93, switch_gap="form"))
    assert "93 %" in problem.what and "90 % (ours, since none was named)" in problem.what


def test_examples_are_missing_in_degrees() -> None:
    none = check("labels_without_examples", {"classes": 77, "labelled_examples": 20})
    one = check("labels_without_examples", {"classes": 77, "labelled_examples": 100})
    assert none is not None and "at least 57 labels have no example" in none.what
    assert one is not None and "one example or none" in one.what


def test_the_time_to_write_follows_from_the_fastest_card_of_the_facts() -> None:
    # 8,000 GB/s over 16.06 GB of weights are 498 tokens a second: 2,008 ms for a thousand.
    assert check("faster_than_it_can_be_written", {"latency_ms": 2_000, "output_tokens": 1_000}) is not None
    assert check("faster_than_it_can_be_written", {"latency_ms": 2_020, "output_tokens": 1_000}) is None


@pytest.mark.parametrize("given_answers", HARMLESS, ids=str)
def test_what_is_merely_unusual_is_no_contradiction(given_answers: dict[str, Any]) -> None:
    assert contradictions(Answers.model_validate(given_answers)) == []


def test_no_answers_contradict_nothing() -> None:
    assert contradictions(Answers()) == []


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario.file)
def test_a_real_team_s_answers_do_not_contradict_each_other(scenario: Scenario) -> None:
    assert contradictions(scenario.answers) == []


@settings(max_examples=400, deadline=None)
@given(answers=any_answers())
def test_no_answers_make_it_crash_and_nothing_is_said_twice(answers: Answers) -> None:
    found = contradictions(answers)
    assert len({problem.what for problem in found}) == len(found) <= len(CHECKS)
    assert all(problem.severity == "warning" and problem.hint for problem in found)
