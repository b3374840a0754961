"""Sanity over the whole space of answers, on scores, with the day fixed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.advise import advise
from advisor.facts import ANSWER_FIELDS, FRESHNESS, TRIAL_VALUES, Facts, resolve
from advisor.money import PROMPTED, Money, money_of
from advisor.rule import Rule, sources
from advisor.rules import RULES
from advisor.scores import score
from core.answers import APPROACHES, Answers

TODAY = date(2026, 11, 24)
TUNES = ("ft_managed", "ft_self", "rag_plus_ft")
LEVEL = ["low", "medium", "high", "very_high"]


def maybe(values: Any) -> Any:
    return st.none() | (st.sampled_from(values) if isinstance(values, list) else values)


def any_answers() -> st.SearchStrategy[Answers]:
    return st.builds(
        Answers,
        task_kind=maybe(
            [
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
        ),
        knowledge_need=maybe(LEVEL),
        knowledge_freshness=maybe(list(FRESHNESS)),
        volume_per_month=maybe(st.floats(0, 1e12)),
        labelled_examples=maybe(st.integers(0, 10**10)),
        classes=maybe(st.integers(2, 10**6)),
        format_strictness=maybe(LEVEL),
        privacy=maybe(["low", "medium", "high", "strict"]),
        latency_ms=maybe(st.integers(1, 10**7)),
        budget=maybe(["none", "small", "medium", "large", "very_large"]),
        has_eval_set=maybe(st.booleans()),
        prompt_tried=maybe(["none", "zero_shot", "few_shot", "long_few_shot", "rag"]),
        prompt_quality=maybe(st.floats(0, 1)),
        tenants=maybe(st.integers(1, 10**7)),
        own_text_tokens=maybe(st.floats(0, 1e15)),
        team_ml_fte=maybe(st.floats(0, 10_000)),
        stakes=maybe(["low", "medium", "high"]),
        domain=maybe(["legal", "retail", ""]),
        languages=maybe(st.lists(st.sampled_from(["en", "de", "ja"]), max_size=4)),
        target_quality=maybe(st.floats(0, 1)),
        portability=maybe(st.booleans()),
        citations=maybe(st.booleans()),
        task_stability=maybe(["stable", "changing"]),
        label_quality=maybe(["unknown", "noisy", "checked"]),
        switch_gap=maybe(["none", "form", "knowledge", "ability"]),
    )


def points(answers: Answers) -> dict[str, int]:
    return dict(score(resolve(answers, TODAY), RULES).points)


def vetoed(answers: Answers) -> frozenset[str]:
    return frozenset(score(resolve(answers, TODAY), RULES).vetoed)


@settings(max_examples=150, deadline=None)
@given(any_answers())
def test_any_answers_get_a_whole_ranking(answers: Answers) -> None:
    found = advise(answers, today=TODAY)
    assert {row.approach for row in found.ranking} == set(APPROACHES)
    assert found.ranking[0].verdict == "recommended"
    assert not found.ranking[0].vetoed
    assert found.headline


@settings(max_examples=200, deadline=None)
@given(any_answers(), st.floats(0, 1e12), st.floats(0, 1e12))
def test_more_volume_never_makes_self_hosting_less_attractive(answers: Answers, one: float, two: float) -> None:
    less, more = (points(answers.model_copy(update={"volume_per_month": volume})) for volume in sorted((one, two)))
    for other in APPROACHES:
        assert more["ft_self"] - more[other] >= less["ft_self"] - less[other], other


@settings(max_examples=200, deadline=None)
@given(any_answers(), st.sampled_from(FRESHNESS), st.sampled_from(FRESHNESS))
def test_fresher_facts_never_move_away_from_rag(answers: Answers, one: Any, two: Any) -> None:
    slow, fast = sorted((one, two), key=FRESHNESS.index)
    before, after = (answers.model_copy(update={"knowledge_freshness": value}) for value in (slow, fast))
    was, now = points(before), points(after)
    for other in ("zero_shot", "few_shot", "ft_managed", "ft_self", "from_scratch"):
        assert now["rag"] - now[other] >= was["rag"] - was[other], other
    if advise(before, today=TODAY).recommendation in ("rag", "rag_plus_ft"):
        assert advise(after, today=TODAY).recommendation in ("rag", "rag_plus_ft")


@settings(max_examples=200, deadline=None)
@given(any_answers(), st.integers(0, 20_000), st.integers(0, 20_000))
def test_fewer_examples_never_move_towards_tuning(answers: Answers, one: int, two: int) -> None:
    few, many = (answers.model_copy(update={"labelled_examples": count}) for count in sorted((one, two)))
    was, now = points(many), points(few)
    for tune in TUNES:
        if tune in vetoed(few):
            continue
        for prompted in ("zero_shot", "few_shot", "rag"):
            assert now[tune] - now[prompted] <= was[tune] - was[prompted], (tune, prompted)
    if advise(many, today=TODAY).recommendation in ("zero_shot", "few_shot", "rag"):
        assert advise(few, today=TODAY).recommendation not in TUNES


@settings(max_examples=100, deadline=None)
@given(any_answers())
def test_strict_privacy_never_yields_a_foreign_api(answers: Answers) -> None:
    best = advise(answers.model_copy(update={"privacy": "strict"}), today=TODAY).ranking[0]
    assert best.approach not in ("zero_shot", "ft_managed")
    assert best.runs_on == "own_machines"


@settings(max_examples=60, deadline=None)
@given(any_answers(), st.dates(date(2023, 1, 1), date(2035, 1, 1)))
def test_any_day_can_be_asked_about(answers: Answers, day: date) -> None:
    assert advise(answers, today=day).today == day


BUSY = Facts(
    task_kind="style", knowledge_need="very_high", knowledge_freshness="daily", volume_per_month=1e8,
    labelled_examples=5_000, format_strictness="very_high", privacy="strict", budget="very_large", tenants=9,
    team_ml_fte=20, own_text_tokens=1e12, stakes="high", citations=True, task_stability="changing",
    label_quality="noisy", prompt_tried="long_few_shot", prompt_quality=0.2, switch_gap="form", classes=77,
    latency_ms=100, domain="legal", languages=("en", "de", "ja"), portability=True,
)  # fmt: skip
CASES: list[dict[str, Any]] = [
    {},
    {"labelled_examples": 5, "budget": "small", "team_ml_fte": 0.1, "volume_per_month": 10.0},
    {"prompt_tried": "zero_shot", "privacy": "high"},
    {"prompt_quality": 0.99, "prompt_tried": "few_shot"},
    {"prompt_quality": 0.99, "prompt_tried": "zero_shot", "switch_gap": "none"},
    {"prompt_quality": 0.99, "prompt_tried": "rag", "switch_gap": "ability"},
    {"prompt_quality": 0.2, "prompt_tried": "rag", "switch_gap": "knowledge"},
    {"task_kind": "classify", "labelled_examples": 5_000, "classes": 30, "has_eval_set": True},
    {"task_kind": "reasoning", "knowledge_need": "low", "label_quality": "checked", "labelled_examples": 200},
    {"task_kind": "extract", "format_strictness": "high", "labelled_examples": 400, "volume_per_month": 1e6},
    {"domain": "medical", "knowledge_freshness": "static"},
    {
        "budget": "very_large", "own_text_tokens": 1e12, "team_ml_fte": 50.0, "prompt_tried": "few_shot",
        "prompt_quality": 0.2, "switch_gap": "ability",
    },
]  # fmt: skip


def clear_cut(winner: Any) -> Money:
    """One approach costs least in every draw, and nothing that has to be built pays back."""
    at_end = {name: np.full(4, 1.0 if name == winner else 5.0 if name in PROMPTED else 9.0) for name in APPROACHES}
    return money_of(at_end, (), 24)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_fires_somewhere_and_is_silent_somewhere(rule: Rule) -> None:
    days = [date(2024, 1, 1), TODAY, date(2027, 6, 1)]
    cases = [resolve(Answers(**case), day) for case in CASES for day in days]
    cases.append(Facts(**{name: getattr(BUSY, name) for name in ANSWER_FIELDS}, calendar=cases[0].calendar))
    cases += [replace(cases[0], money=clear_cut(name)) for name in APPROACHES]
    assert {rule.when(case) for case in cases} == {True, False}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_has_a_source_an_effect_and_known_fields(rule: Rule) -> None:
    assert sources()[rule.source].title
    assert rule.points or rule.veto or rule.note
    assert set(rule.uses) <= set(ANSWER_FIELDS)
    assert all(value % 10 == 0 and value != 0 for value in rule.points.values())
    assert rule.because.endswith(".")


def test_every_source_is_used() -> None:
    assert {rule.source for rule in RULES} == set(sources())


def test_a_rule_looks_only_at_the_fields_that_it_names() -> None:
    """Changing a field that a rule does not name never changes whether it fires."""
    cases = [resolve(Answers(**case), TODAY) for case in CASES] + [BUSY]
    for rule in RULES:
        for field, values in TRIAL_VALUES.items():
            if field in rule.uses:
                continue
            for case in cases:
                assert {rule.when(replace(case, **{field: value})) for value in values} == {rule.when(case)}, (
                    rule.id,
                    field,
                )
