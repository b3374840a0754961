"""Every curve as a spreadsheet has it: with each input at one exact value, month 24 is start + 24 months + steps."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from core.answers import Answers, ApproachId
from core.errors import ProblemsFound
from cost_models import simulate as simulation
from cost_models.curves import cost
from cost_models.facts import Assumption
from cost_models.inputs import resolve
from cost_models.options import CostOptions
from cost_models.report import CostReport
from tests.cost_models.test_terms import ANSWERS, LIKELY, PRICES

TODAY = date(2026, 11, 24)
MONTHS = 24
EXACT = LIKELY | {
    "hours.prompt.build": 10.0, "hours.prompt.month": 2.0, "hours.examples.build": 10.0, "hours.examples.month": 1.0,
    "hours.rag.build": 100.0, "hours.rag.month": 10.0, "hours.tune.build": 60.0, "hours.tune.month": 4.0,
    "hours.encoder.build": 20.0, "hours.encoder.month": 3.0, "encoder_parameters_million": 110.0,
    "encoder_mfu": 0.25, "hours.serving.build": 40.0, "hours.serving.month": 12.0, "hours.pretraining.build": 15_000.0,
    "hours.pretraining.month": 320.0, "hours.retrain": 20.0, "hours.migration": 12.0, "engineer_rate_factor": 1.0,
    "lifetime_months": 18.0, "refresh_months": 10.0, "retrain_runs": 3.0, "retrain_label_share": 0.2,
    "cache_ttl_minutes": 8.0, "rerank_share": 0.0, "label_care": 1.0, "replicas": 1.0, "pretraining_scale": 1.0,
}  # fmt: skip
HOUR = 100.0
CARD = 730.0
"""One card at a dollar an hour for a month."""
LORA_RUN = (1_000 * 500 * 2 * 4 * 8e9 / (362e12 * 0.25) / 3600 + 0.5) * 1.0
"""1,000 rows of 500 tokens, two passes, 4 FLOPs a parameter and token, 8 billion of them, half an hour around it."""
TOKENS_IN, TOKENS_OUT = 100_000 * 400 / 1e6, 100_000 * 100 / 1e6
"""Millions a month."""


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """No doubt at all: every input has one value."""

    def one_value(answers: Answers) -> list[Assumption]:
        found = []
        for entry in resolve(answers):
            value = EXACT.get(entry.id, entry.likely)
            found.append(entry.model_copy(update={"low": value, "likely": value, "high": value}))
        return found

    monkeypatch.setattr(simulation, "resolve", one_value)


def report(answers: Answers = ANSWERS, **options: object) -> CostReport:
    settings = CostOptions.model_validate({"draws": 10, "hold_prices": True} | options)
    return cost(answers, today=TODAY, overrides=PRICES, options=settings)


def spent(name: ApproachId, month: int = MONTHS, **options: object) -> float:
    return report(**options).curves[name].p50[month]


def test_zero_shot() -> None:
    start = 10 * HOUR
    month = 100_000 * 600 / 1e6 * 1.0 + TOKENS_OUT * 4.0 + 2 * HOUR
    moved_to_the_next_model_at_month_18 = 12 * HOUR
    assert spent("zero_shot", 17) == pytest.approx(start + 17 * month)
    assert spent("zero_shot") == pytest.approx(start + MONTHS * month + moved_to_the_next_model_at_month_18)


def test_few_shot() -> None:
    hit = 1 - np.exp(-100_000 / (730 * 60) * 8)
    examples = 100_000 * 1_000 / 1e6 * ((1 - hit) * 1.0 + hit * 0.1)
    start = 20 * HOUR
    month = 60.0 + 40.0 + examples + 3 * HOUR
    assert spent("few_shot") == pytest.approx(start + MONTHS * month + 12 * HOUR)


def test_rag() -> None:
    embedding = 10 * 0.02
    start = 110 * HOUR + embedding
    month = 60.0 + 40.0 + 100.0 + embedding + TOKENS_IN * 0.02 + 50.0 + 12 * HOUR
    assert spent("rag") == pytest.approx(start + MONTHS * month + 12 * HOUR)


def test_managed_tuning_is_made_again_when_its_base_retires_and_then_every_ten_months() -> None:
    run = 1_000 * 500 * 2 * 5 / 1e6
    start = 500 * 1.0 + 10 * run + 70 * HOUR
    month = TOKENS_IN * 0.4 + TOKENS_OUT * 1.6 + 1.7 * 730 + 6 * HOUR
    again = 0.2 * 1_000 * 1.0 + 3 * run + 20 * HOUR
    # Azure's base ends after 4.6 months: months 4.6 and 14.6; the next would be month 24.6.
    assert spent("ft_managed", 4) == pytest.approx(start + 4 * month)
    assert spent("ft_managed") == pytest.approx(start + MONTHS * month + 2 * again)


def test_self_hosted_tuning() -> None:
    start = 500 * 1.0 + 10 * LORA_RUN + 110 * HOUR
    month = CARD + 18 * HOUR
    again = 0.2 * 1_000 * 1.0 + 3 * LORA_RUN + 20 * HOUR
    assert spent("ft_self") == pytest.approx(start + MONTHS * month + 2 * again, rel=1e-6)


def test_self_hosted_tuning_of_a_classifier_is_a_small_encoder_on_a_small_card() -> None:
    sorting = ANSWERS.model_copy(update={"task_kind": "classify", "classes": 12})
    found = report(sorting)
    # 1,000 rows of 400 tokens, two passes, 6 FLOPs for each of 110 million parameters, half an hour around it.
    run = (1_000 * 400 * 2 * 6 * 110e6 / (65e12 * 0.25) / 3600 + 0.5) * 0.5
    start = 500 * 1.0 + 10 * run + 80 * HOUR
    month = 730 * 0.5 + 7 * HOUR
    again = 0.2 * 1_000 * 1.0 + 3 * run + 20 * HOUR
    assert found.curves["ft_self"].p50[MONTHS] == pytest.approx(start + MONTHS * month + 2 * again, rel=1e-6)
    assert found.variants == {"ft_self": "small_encoder"} and report().variants == {}
    few = sorting.model_copy(update={"classes": 26})
    assert report(few).variants == {}, "500 labels are fewer than 20 for each of 26 classes"


def test_a_full_small_card_is_joined_by_another_and_the_card_chosen_to_serve_on_is_taken() -> None:
    # A T4 reads 65e12 x 0.25 / (2 x 110e6) tokens/s, half of which is filled; a call is 400 of them.
    full = 65e12 * 0.25 / (2 * 110e6) * 0.5 * 730 * 3600 / 400
    sorting = ANSWERS.model_copy(update={"task_kind": "classify", "volume_per_month": 0.9 * full})
    months = np.diff(report(sorting, volume_growth=1.0).curves["ft_self"].p50)
    assert months[2] - months[0] == pytest.approx(730 * 0.5, abs=0.05), "0.9 x 2^(2/12) is above one card"
    taken = report(sorting, choices={"serving_gpu": "gpu.l40s.runpod-secure"})
    assert taken.monthly_usd["ft_self"] == pytest.approx(730 * 1.0 + 7 * HOUR)


def test_where_no_data_may_leave_a_managed_host_is_not_weighed() -> None:
    strict = report(ANSWERS.model_copy(update={"privacy": "strict"}))
    assert strict.tornado_of.tuned != "ft_managed" and report().tornado_of.tuned == "ft_managed"


def test_retrieval_with_tuning() -> None:
    embedding = 10 * 0.02
    start = 500 * 1.0 + 10 * LORA_RUN + 210 * HOUR + embedding
    month = CARD + 28 * HOUR + embedding + TOKENS_IN * 0.02 + 50.0
    again = 0.2 * 1_000 * 1.0 + 3 * LORA_RUN + 20 * HOUR
    assert spent("rag_plus_ft") == pytest.approx(start + MONTHS * month + 2 * again, rel=1e-6)


def test_from_scratch() -> None:
    start = 1_460_000 * 4.0 + 500 * 1.0 + (15_000 + 60 + 40) * HOUR
    month = CARD + (320 + 4 + 12) * HOUR
    assert spent("from_scratch") == pytest.approx(start + MONTHS * month, rel=1e-6)


def test_growth_raises_what_calls_cost_from_the_second_month_on() -> None:
    factors = sum(1.5 ** (month / 12) for month in range(11))
    calls = 60.0 + 40.0
    assert spent("zero_shot", 11, volume_growth=0.5) == pytest.approx(10 * HOUR + calls * factors + 11 * 2 * HOUR)
    assert spent("zero_shot", 1, volume_growth=0.5) == spent("zero_shot", 1)


def test_growth_rents_another_card_when_one_is_full() -> None:
    # A card carries 1,000 x 0.5 tokens/s; a call is 400 x 0.1 + 100 = 140 of them.
    full = ANSWERS.model_copy(update={"volume_per_month": 0.9 * 500 * 730 * 3600 / 140})
    months = np.diff(report(full, volume_growth=1.0).curves["ft_self"].p50)
    assert months[1] - months[0] == pytest.approx(0, abs=0.05)
    assert months[2] - months[0] == pytest.approx(CARD, abs=0.05), "0.9 x 2^(2/12) is above one card"


def test_prices_drift_from_the_second_month_on_unless_they_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EXACT, "api_price_change", -0.3)
    monkeypatch.setitem(EXACT, "gpu_price_change", 0.2)
    tokens = sum(100.0 * 0.7 ** (month / 12) for month in range(9))
    cards = sum(CARD * 1.2 ** (month / 12) for month in range(9))
    assert spent("zero_shot", 9, hold_prices=False) == pytest.approx(10 * HOUR + tokens + 9 * 2 * HOUR)
    started = 500 * 1.0 + 10 * LORA_RUN + 110 * HOUR
    assert spent("ft_self", 9, hold_prices=False) == pytest.approx(started + cards + 9 * 18 * HOUR)
    # The price of a tuned model at its host is fixed with its base.
    assert spent("ft_managed", 4, hold_prices=False) == spent("ft_managed", 4)


def test_batches_halve_the_tokens_that_can_wait() -> None:
    plain, half = spent("zero_shot", 10), spent("zero_shot", 10, batch_share=0.5)
    assert plain - half == pytest.approx(10 * 100.0 * 0.5 * 0.5)


def test_doing_nothing_is_a_straight_line_and_pays_back_where_it_is_crossed() -> None:
    found = report(present_usd_per_month=3_000.0)
    assert found.present is not None
    assert found.present.p50 == [3_000.0 * month for month in range(MONTHS + 1)]
    row = next(row for row in found.payback if row.approach == "ft_self")
    started = 500 * 1.0 + 10 * LORA_RUN + 110 * HOUR
    again = 0.2 * 1_000 * 1.0 + 3 * LORA_RUN + 20 * HOUR
    saved = 3_000 - CARD - 18 * HOUR
    # Two retrains on the way, in months 10 and 20; the second is not made up for by month 24.
    assert started + 2 * again > MONTHS * saved
    assert (row.month_p50, row.never) == (None, 1.0)
    dear = report(present_usd_per_month=10_000.0)
    quick = next(row for row in dear.payback if row.approach == "ft_self")
    assert quick.month_p50 == pytest.approx(started / (10_000 - CARD - 18 * HOUR), abs=0.06)


def test_a_right_answer_costs_what_was_spent_over_those_that_were_right() -> None:
    found = report(quality={"zero_shot": 0.5, "ft_self": 0.9}, usd_per_right_answer=0.05)
    cheap, tuned = found.worth
    calls = 100_000 * MONTHS
    assert (cheap.approach, cheap.against) == ("zero_shot", None)
    assert cheap.usd_per_right_answer == pytest.approx(spent("zero_shot") / (calls * 0.5), abs=1e-5)
    assert (tuned.against, tuned.extra_right_share) == ("zero_shot", 0.4)
    dearer = spent("ft_self") - spent("zero_shot")
    assert tuned.usd_per_extra_right_answer == pytest.approx(dearer / (calls * 0.4), abs=1e-5)
    # 40,000 more right answers a month at five cents: 2,000 dollars, against what tuning costs more.
    more = CARD + 18 * HOUR - (60 + 40 + 2 * HOUR)
    started = 500 * 1.0 + 10 * LORA_RUN + 110 * HOUR - 10 * HOUR
    assert more > 2_000, "it never pays at five cents"
    assert (tuned.month_p50, tuned.never) == (None, 1.0)
    worth_more = report(quality={"zero_shot": 0.5, "ft_self": 0.9}, usd_per_right_answer=0.2).worth[1]
    assert worth_more.month_p50 == pytest.approx(started / (8_000 - more), abs=0.06)


def test_no_more_right_answers_have_no_price() -> None:
    worse = report(quality={"zero_shot": 0.9, "ft_self": 0.5}).worth[1]
    assert worse.usd_per_extra_right_answer is None and worse.month_p50 is None


def test_another_card_and_another_model_are_counted_with() -> None:
    choices = {"serving_gpu": "gpu.h100-sxm.lambda.x8", "api_model": "gpt-4.1-mini"}
    found = report(choices=choices)
    # Eight cards of four dollars are rented together.
    assert found.monthly_usd["ft_self"] == pytest.approx(8 * 4.0 * 730 + 18 * HOUR)
    assert {"api.gpt-4.1-mini.input", "gpu.h100-sxm.lambda.x8"} <= {price.item for price in found.prices}
    assert "api.gpt-6-luna.input" not in {price.item for price in found.prices}


def test_choices_that_are_none_are_refused_all_at_once() -> None:
    with pytest.raises(ProblemsFound) as caught:
        report(choices={"serving_gpu": "api.gpt-6-luna.input", "api_model": "gpt-9", "managed": "tune.nobody"})
    assert [problem.where for problem in caught.value.problems()] == [
        "choices.serving_gpu", "choices.api_model", "choices.managed",
    ]  # fmt: skip
