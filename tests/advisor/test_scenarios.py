"""Twelve teams, answered as a good practitioner would: the rules are held to it, and so is docs/scenarios.md."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from advisor.advice import Advice, Flip
from advisor.rules import RULES
from advisor.scenarios import FOLDER, Scenario, advice_for, disagreements, read_scenario, scenarios, table, verdicts
from core.answers import APPROACHES, Answers
from core.errors import ProblemsFound
from tuneworthy import cli

TODAY = date(2026, 11, 25)
ALL = scenarios()
PAGE = Path(__file__).resolve().parents[2] / "docs" / "scenarios.md"


@pytest.fixture(scope="module")
def told() -> list[tuple[Scenario, Advice]]:
    return [(scenario, advice_for(scenario, TODAY)) for scenario in ALL]


def test_there_are_twelve_and_no_two_are_alike() -> None:
    assert len(ALL) == 12 == len({scenario.name for scenario in ALL}) == len({scenario.about for scenario in ALL})
    kinds = {scenario.answers.task_kind for scenario in ALL}
    assert {"qa", "style", "extract", "sql", "reasoning", "chat", "classify"} <= kinds


@pytest.mark.parametrize("place", range(len(ALL)), ids=[scenario.file for scenario in ALL])
def test_each_team_hears_what_a_good_practitioner_would_say(place: int, told: list[tuple[Scenario, Advice]]) -> None:
    assert disagreements(*told[place]) == []


def test_what_is_expected_to_fire_are_rules_and_says_why_the_recommended_approach_is() -> None:
    known = {rule.id: rule for rule in RULES}
    for scenario in ALL:
        rules = [known[name] for name in scenario.expect.because]
        assert any(rule.points.get(scenario.expect.recommendation, 0) > 0 for rule in rules), scenario.file


def test_every_approach_but_a_host_s_tuning_is_recommended_to_somebody(told: list[tuple[Scenario, Advice]]) -> None:
    assert {advice.recommendation for _, advice in told} == set(APPROACHES) - {"ft_managed"}
    assert {advice.variant for _, advice in told} >= {"small_encoder", "multi_lora", "open_model"}
    # The day on which this fails is the day on which docs/scenarios.md says something else about managed tuning.
    assert all(advice.ranked("ft_managed").verdict == "avoid" for _, advice in told)


def test_other_advice_than_was_expected_would_be_noticed(told: list[tuple[Scenario, Advice]]) -> None:
    scenario, advice = told[0]
    wrong = scenario.expect.model_copy(
        update={
            "recommendation": "few_shot", "variant": "multi_lora", "acceptable": ["ft_self"], "ruled_out": ["rag"],
            "because": ["no_data"],
        }
    )  # fmt: skip
    assert disagreements(scenario.model_copy(update={"expect": wrong}), advice) == [
        "recommends rag, expected few_shot",
        "names the variant None, expected multi_lora",
        "acceptable: none, expected ft_self",
        "ruled out: none, expected rag",
        "did not fire: no_data",
    ]


@pytest.mark.parametrize("verb", ["advise", "cost"])
def test_the_commands_take_a_scenario_as_it_is(verb: str) -> None:
    done = CliRunner().invoke(cli, [verb, str(FOLDER / ALL[10].file), "--json"], catch_exceptions=False)
    assert done.exit_code == 0 and json.loads(done.stdout)


def test_all_mistakes_of_a_scenario_are_said_at_once(tmp_path: Path) -> None:
    raw = yaml.safe_load((FOLDER / ALL[0].file).read_text(encoding="utf-8"))
    raw["expect"]["recommendation"] = "guessing"
    raw["answers"]["volume"] = 3
    del raw["about"]
    file = tmp_path / "wrong.yaml"
    file.write_text(yaml.safe_dump(raw), encoding="utf-8")
    with pytest.raises(ProblemsFound) as caught:
        read_scenario(file)
    assert sorted(problem.what.split("`")[1] for problem in caught.value.found) == [
        "about", "answers.volume", "expect.recommendation",
    ]  # fmt: skip
    assert all(problem.where == str(file) for problem in caught.value.found)


def test_the_page_shows_what_the_files_and_the_advisor_say(told: list[tuple[Scenario, Advice]]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert table(told) in page, "put advisor.scenarios.table() in it"
    assert verdicts(ALL) in page, "put advisor.scenarios.verdicts() in it"
    assert str(TODAY) in page


def test_a_row_names_the_reason_and_what_would_change_it(told: list[tuple[Scenario, Advice]]) -> None:
    for (scenario, advice), row in zip(told, table(told).splitlines()[2:], strict=True):
        assert row.count("|") == 7 and scenario.name in row and APPROACHES[advice.recommendation] in row
        last = row.split("|")[-2]
        named = re.findall(r"`(\w+)`", last)
        assert set(named) <= {flip.field for flip in advice.flips} & set(Answers.model_fields)
        assert bool(named) != ("no single answer" in last) and len(named) <= 3


def test_nothing_is_said_to_change_by_untrying_a_prompt(told: list[tuple[Scenario, Advice]]) -> None:
    scenario, advice = told[0]
    to_few = Flip.model_validate(
        {"field": "prompt_tried", "from": "zero_shot", "to": "few_shot", "then": "few_shot", "answered": True}
    )
    back = to_few.model_copy(update={"from_": "few_shot", "to": "none"})
    assert "`prompt_tried` few_shot" in table([(scenario, advice.model_copy(update={"flips": [to_few]}))])
    assert "no single answer" in table([(scenario, advice.model_copy(update={"flips": [back]}))])
