"""What the curves say to the advice, and that the two cannot contradict each other silently."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings

from advisor.advise import advise
from advisor.facts import TRIAL_VALUES
from advisor.money import Pricer, money_of
from advisor.rules_money import MONEY, NO_PAYBACK
from core.answers import APPROACHES, Answers
from cost_models.curves import cost
from cost_models.inputs import MOVES_COST
from cost_models.options import CostOptions
from cost_models.simulate import simulate
from tests.advisor.test_rules import any_answers

TODAY = date(2026, 11, 24)
FEW = CostOptions(draws=60)
WEAK_PROMPT = Answers(
    task_kind="extract", volume_per_month=200_000, labelled_examples=400, format_strictness="high",
    prompt_tried="long_few_shot",
)  # fmt: skip


def test_shares_are_counted_over_what_is_not_ruled_out() -> None:
    ends = dict.fromkeys(APPROACHES, 9.0) | {"zero_shot": 1.0, "few_shot": 3.0, "rag": 2.0}
    at_end = {name: np.full(4, value) for name, value in ends.items()}
    at_end["ft_self"][3] = 0.5
    everything = money_of(at_end, (), 24)
    assert (everything.cheapest["zero_shot"], everything.cheapest["ft_self"]) == (0.75, 0.25)
    assert (everything.against["ft_self"], everything.never["ft_self"]) == ("zero_shot", 0.75)
    assert (everything.against["rag_plus_ft"], everything.never["rag_plus_ft"]) == ("rag", 1.0)
    assert "rag" not in everything.never, "retrieval is not built to save money"
    without = money_of(at_end, ("zero_shot",), 24)
    assert (without.cheapest["zero_shot"], without.cheapest["rag"]) == (0.0, 0.75)
    assert without.against["ft_self"] == "few_shot"


def test_what_never_pays_back_says_so_and_says_why_it_is_recommended_all_the_same() -> None:
    found = advise(WEAK_PROMPT, today=TODAY, cost=cost(WEAK_PROMPT, today=TODAY))
    best = found.ranking[0]
    assert best.approach == "ft_self"
    reason = next(reason for reason in best.reasons if reason.rule == "no_payback_ft_self")
    assert reason.points == -10 and "% of the draws" in reason.because and "24 months" in reason.because
    conflict = next(conflict for conflict in found.conflicts if conflict.contra == "cost")
    other = next(reason for reason in best.reasons if reason.points > 0 and reason.rule not in MONEY)
    assert f"Why all the same: {other.because}" in conflict.says
    assert not any(rule in MONEY for rule in (best.reasons[0].rule,))


@settings(max_examples=60, deadline=None)
@given(any_answers())
def test_nothing_that_never_pays_back_is_recommended_for_money_alone(answers: Answers) -> None:
    found = advise(answers, today=TODAY, cost=cost(answers, today=TODAY, options=FEW))
    best = found.ranking[0]
    fired = {reason.rule for reason in best.reasons}
    others = [reason for reason in best.reasons if reason.points > 0 and reason.rule not in MONEY]
    if any(NO_PAYBACK.get(rule) == best.approach for rule in fired):
        unpaid = [row.approach for row in found.ranking if NO_PAYBACK.keys() & {reason.rule for reason in row.reasons}]
        assert others or all(row.vetoed or row.approach in unpaid for row in found.ranking)
    assert best.score == sum(reason.points for reason in best.reasons)


def test_a_flip_of_volume_counts_the_costs_of_that_volume() -> None:
    report = cost(WEAK_PROMPT, today=TODAY)
    for flip in advise(WEAK_PROMPT, today=TODAY, cost=report).flips:
        changed = WEAK_PROMPT.model_copy(update={flip.field: flip.to})
        again = advise(changed, today=TODAY, cost=cost(changed, today=TODAY))
        assert again.recommendation == flip.then, flip


def test_a_price_of_ones_own_reaches_the_advice() -> None:
    dear = {"api.gpt-6-luna.input": 300.0, "api.gpt-6-luna.output": 900.0}
    answers = WEAK_PROMPT.model_copy(update={"volume_per_month": 2_000_000.0})
    rules = {
        reason.rule
        for row in advise(answers, today=TODAY, cost=cost(answers, today=TODAY, overrides=dear), overrides=dear).ranking
        for reason in row.reasons
    }
    assert "no_payback_ft_self" not in rules and {"cheapest_ft_self", "cheapest_ft_managed"} & rules


@pytest.mark.parametrize("field", sorted(set(TRIAL_VALUES) - set(MOVES_COST)))
def test_only_the_answers_that_are_named_move_the_bills(field: str) -> None:
    def ends(answers: Answers) -> dict[str, list[float]]:
        return {name: end.tolist() for name, end in simulate(answers, today=TODAY, options=FEW).at_end().items()}

    plain = ends(WEAK_PROMPT)
    for value in TRIAL_VALUES[field]:
        assert ends(WEAK_PROMPT.model_copy(update={field: value})) == plain


def test_each_change_is_priced_once() -> None:
    pricer = Pricer(WEAK_PROMPT, TODAY, None, FEW)
    first = pricer.money((), "volume_per_month", 1e6)
    assert pricer.money((), "volume_per_month", 1e6) == first
    assert pricer.money(()) == pricer.money((), "citations", True)
    assert len(pricer._known) == 2
