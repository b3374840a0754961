from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.answers import APPROACHES, Answers, ApproachId
from core.errors import ProblemsFound
from cost_models.break_even import cheapest_flip, crossing_month
from cost_models.curves import cost
from cost_models.draws import draw
from cost_models.facts import Assumption
from cost_models.options import CostOptions, read_options

TODAY = date(2026, 11, 24)
BUSY = Answers(
    task_kind="extract", volume_per_month=3e7, labelled_examples=2_000, input_tokens=1_500, output_tokens=200,
    team_ml_fte=2,
)  # fmt: skip
DEAR_API = {"api.gpt-6-luna.input": 0.5, "api.gpt-6-luna.output": 2.5}


def test_the_report_has_every_name_of_the_contract() -> None:
    report = json.loads(json.dumps(cost(Answers(), today=TODAY).model_dump(mode="json")))
    assert report["months"] == list(range(25))
    assert set(report["curves"]) == set(APPROACHES)
    assert all(len(band[part]) == 25 for band in report["curves"].values() for part in ("p10", "p50", "p90"))
    assert {"cheaper", "than", "month_p10", "month_p50", "month_p90", "never"} <= set(report["break_even"][0])
    assert {"input", "low_usd", "high_usd"} <= set(report["tornado"][0])
    assert {"item", "amount", "unit", "valid_from", "checked", "source"} <= set(report["prices"][0])
    assert {"month", "approach", "what"} <= set(report["events"][0])


def test_api_curves_are_straight_lines_and_few_shot_is_the_dearer_one() -> None:
    report = cost(BUSY, today=TODAY, options=CostOptions(hold_prices=True, months=11))
    for name in ("zero_shot", "few_shot", "rag"):
        steps = np.diff(report.curves[name].p50)
        assert steps == pytest.approx(np.full(11, steps.mean()), rel=0.05)
    zero, few = report.call_usd["zero_shot"], report.call_usd["few_shot"]
    assert zero is not None
    assert few is not None
    assert few > zero


def test_tuning_starts_dearer_and_is_then_flat_whatever_the_volume_of_one_card() -> None:
    low, high = (cost(Answers(volume_per_month=volume), today=TODAY) for volume in (1_000, 100_000))
    assert low.upfront_usd["ft_self"] > 5 * low.upfront_usd["zero_shot"]
    assert low.monthly_usd["ft_self"] == high.monthly_usd["ft_self"]
    assert high.monthly_usd["few_shot"] > low.monthly_usd["few_shot"]


def test_training_from_scratch_is_off_the_chart() -> None:
    report = cost(BUSY, today=TODAY)
    dearest = max(band.p50[-1] for name, band in report.curves.items() if name != "from_scratch")
    assert report.curves["from_scratch"].p10[0] > 1_000_000
    assert report.curves["from_scratch"].p50[-1] > 3 * dearest


def test_at_volume_and_dear_tokens_self_hosting_pays_back_and_the_month_is_where_the_curves_cross() -> None:
    report = cost(BUSY, today=TODAY, overrides=DEAR_API)
    pair = next(pair for pair in report.break_even if (pair.cheaper, pair.than) == ("ft_self", "zero_shot"))
    assert pair.never < 0.05
    assert pair.month_p10 is not None
    assert pair.month_p50 is not None
    assert pair.month_p90 is not None
    assert pair.month_p10 <= pair.month_p50 <= pair.month_p90
    tuned, prompted = report.curves["ft_self"].p50, report.curves["zero_shot"].p50
    after = int(np.ceil(pair.month_p50)) + 1
    assert tuned[0] > prompted[0]
    assert tuned[after] < prompted[after]


def test_at_low_volume_tuning_never_pays_back_and_says_so() -> None:
    report = cost(Answers(volume_per_month=1_000), today=TODAY)
    pair = next(pair for pair in report.break_even if (pair.cheaper, pair.than) == ("ft_self", "zero_shot"))
    assert pair.never == 1
    assert pair.month_p50 is None
    assert report.cheapest["zero_shot"][-1] > 0.9


def test_a_crossing_lies_between_two_month_ends_and_must_last() -> None:
    difference = np.array([[10.0, -10, -10, -10], [10, -5, 5, -5], [-1, -1, -1, -1], [9, 6, 3, 1], [1, 1, 1, -3]])
    assert crossing_month(difference).tolist() == pytest.approx([0.5, 2.5, 0.0, np.inf, 2.25])


def test_the_input_that_decides_which_is_cheapest_is_named_with_its_value() -> None:
    rng = np.random.default_rng(3)
    x = {"calls": rng.uniform(0, 100, 2_000), "noise": rng.uniform(0, 1, 2_000), "fixed": np.ones(2_000)}
    at_end: dict[ApproachId, np.ndarray] = {"zero_shot": 10.0 * x["calls"], "ft_self": np.full(2_000, 700.0)}
    found = cheapest_flip(at_end, x)
    assert found is not None
    assert (found.input, found.now, found.then, found.above) == ("calls", "zero_shot", "ft_self", True)
    assert found.value == pytest.approx(70, abs=4), "where ten dollars a call reach 700"
    assert cheapest_flip({"zero_shot": 10.0 * x["calls"], "ft_self": np.full(2_000, 7_000.0)}, x) is None


def test_the_same_seed_gives_the_same_report_and_another_seed_nearly_the_same() -> None:
    first, again, other = (cost(BUSY, today=TODAY, options=CostOptions(seed=seed)) for seed in (7, 7, 8))
    assert first == again
    assert first.curves["ft_self"].p50 != other.curves["ft_self"].p50
    assert other.curves["ft_self"].p50[-1] == pytest.approx(first.curves["ft_self"].p50[-1], rel=0.05)


def test_a_discount_rate_makes_what_comes_later_cheaper() -> None:
    plain, discounted = (cost(BUSY, today=TODAY, options=CostOptions(discount_rate=rate)) for rate in (0.0, 0.1))
    assert discounted.curves["rag"].p50[0] == plain.curves["rag"].p50[0]
    assert discounted.curves["rag"].p50[-1] < plain.curves["rag"].p50[-1]


def test_an_own_price_moves_the_curve_and_stands_in_the_list_of_prices() -> None:
    report = cost(BUSY, today=TODAY, overrides={"api.gpt-6-luna.output": 100.0})
    assert report.curves["zero_shot"].p50[-1] > cost(BUSY, today=TODAY).curves["zero_shot"].p50[-1]
    row = next(row for row in report.prices if row.item == "api.gpt-6-luna.output")
    assert (row.amount, row.source) == (100.0, "Your own figure for this plan")


def test_closings_and_retirements_are_steps_with_a_date_and_a_source() -> None:
    events = cost(Answers(), today=TODAY).events
    dated = {event.date: event for event in events if event.date}
    assert "no new tuning jobs" in dated["2027-01-06"].what
    assert "shuts down" in dated["2027-01-14"].what
    assert dated["2027-04-14"].month == pytest.approx(4.6)
    assert all(event.source for event in dated.values())
    assert any(event.approach == "ft_self" and "made again" in event.what for event in events)


def test_what_was_not_answered_is_assumed_in_the_open() -> None:
    report = cost(Answers(volume_per_month=500), today=TODAY)
    by_id = {entry.id: entry for entry in report.assumptions}
    assert by_id["volume_per_month"].verified == "answered"
    assert by_id["volume_per_month"].likely == 500
    assert by_id["input_tokens"].verified == "judgement"
    assert all(entry.source and entry.says for entry in report.assumptions)


def test_no_volume_has_no_price_per_call() -> None:
    report = cost(Answers(volume_per_month=0), today=TODAY)
    assert report.call_usd["zero_shot"] is None
    assert report.curves["ft_self"].p50[-1] > report.curves["zero_shot"].p50[-1]


def test_all_bad_settings_are_reported_at_once() -> None:
    with pytest.raises(ProblemsFound) as caught:
        read_options({"months": 37, "seed": -1, "discount_rate": 2.0})
    named = [problem.what.split("`")[1] for problem in caught.value.problems()]
    assert named == ["months", "seed", "discount_rate"]


def test_draws_keep_within_their_range_and_in_the_middle_of_it() -> None:
    linear = Assumption(id="a", low=1, likely=2, high=9, unit="x", says="x", source="x")
    log = linear.model_copy(update={"id": "b", "low": 1.0, "likely": 100.0, "high": 10_000.0, "scale": "log"})
    x = draw([linear, log], 1_000, seed=3)
    assert x["a"].min() >= 1
    assert x["a"].max() <= 9
    assert x["a"].mean() == pytest.approx((1 + 2 + 9) / 3, rel=0.01)
    assert np.median(x["b"]) == pytest.approx(100, rel=0.05)
    # Another assumption beside it leaves the draws of the first as they were.
    assert (draw([linear], 1_000, seed=3)["a"] == x["a"]).all()


@settings(max_examples=12, deadline=None)
@given(
    st.builds(
        Answers,
        volume_per_month=st.none() | st.floats(0, 1e12),
        labelled_examples=st.none() | st.integers(0, 10**10),
        input_tokens=st.none() | st.integers(1, 10**7),
        own_text_tokens=st.none() | st.floats(0, 1e15),
        tenants=st.none() | st.integers(1, 10**7),
        privacy=st.none() | st.sampled_from(["low", "strict"]),
        knowledge_freshness=st.none() | st.sampled_from(["static", "daily"]),
        task_stability=st.none() | st.sampled_from(["stable", "changing"]),
        stakes=st.none() | st.just("high"),
        has_eval_set=st.none() | st.booleans(),
    )
)
@example(Answers(volume_per_month=2e-309))
def test_any_answers_give_finite_bands_that_only_rise(answers: Answers) -> None:
    report = cost(answers, today=TODAY, options=CostOptions(months=12, draws=60))
    for band in report.curves.values():
        assert np.isfinite(band.p90).all()
        assert (np.asarray(band.p10) <= np.asarray(band.p50)).all()
        assert (np.asarray(band.p50) <= np.asarray(band.p90)).all()
        assert (np.diff(band.p50) >= 0).all()
    assert sum(report.cheapest[name][-1] for name in report.cheapest) == pytest.approx(1, abs=0.01)


@settings(max_examples=10, deadline=None)
@given(st.floats(1e3, 1e9), st.floats(1.0, 50.0))
def test_more_calls_never_cost_less(volume: float, factor: float) -> None:
    less, more = (
        cost(Answers(volume_per_month=calls), today=TODAY, options=CostOptions(months=6, draws=60))
        for calls in (volume, volume * factor)
    )
    for name in APPROACHES:
        assert more.curves[name].p50[-1] >= less.curves[name].p50[-1] * 0.999
