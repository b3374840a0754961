"""The lecture's worked figures: each is computed anew here, by hand, and held against what the code says."""

from __future__ import annotations

import re
from datetime import date
from math import inf
from pathlib import Path

import pytest
from pydantic import ValidationError

from cost_models import lecture
from cost_models.lecture import Figure, Ours, figures, table
from cost_models.lecture_claims import Claim, in_words, lecture_facts
from cost_models.prices import PriceBook
from cost_models.saving import matrix_saving, model_saving
from cost_models.shapes import known_models

TODAY = date(2026, 11, 24)
DOCS = Path(__file__).resolve().parents[2] / "docs" / "cost.md"
LLAMA = known_models()["meta-llama/Llama-3.1-8B-Instruct"]


def by_id(prices: dict[str, float] | None = None) -> dict[str, Figure]:
    return {figure.claim.id: figure for figure in figures(PriceBook.load(prices, TODAY))}


@pytest.mark.parametrize(
    ("claim", "lecture_says", "low", "high", "verdict"),
    [
        ("matrix", 16e6, 4096**2, 4096**2, "holds"),
        ("matrix_lora", 65_536, 8 * (4096 + 4096), 65_536, "holds"),
        # 32 layers x rank 8 x (queries 4,096 + 4,096, values 4,096 + 1,024)
        ("fewer", 1_000, 8_030_261_248 / 3_407_872, 8_030_261_248 / 3_407_872, "holds"),
        ("adapter", 1, 6.815744, 6.815744, "holds"),
        ("tenth_of_a_percent", 175e6, 175e6, 175e6, "holds"),
        ("big_adapter", 10, 350, 350, "does not hold"),
        ("big_file", 350, 350, 350, "holds"),
        ("big_full", 350, 2_800, 3_150, "does not hold"),
        ("big_lora", 20, 350, 350, "does not hold"),
        ("lora_cost", 1, 200 / 3, 200 / 3, "does not hold"),
        ("eight_b_14", 14, 16.060522, 16.060522, "does not hold"),
        ("eight_b_16", 16, 16.060522, 16.060522, "holds"),
        # 4.127 bits each; then 6.98 billion linear weights of Mistral 7B at that, and 0.27 billion at 4 bytes
        ("seven_b_4_bit", 5, 7e9 * 4.127 / 8 / 1e9, 6.979e9 * 4.127 / 8 / 1e9 + 0.2687 * 4, "holds in part"),
        ("seven_b_full", 60, 7.248 * 8, 7.248 * 18, "holds in part"),
        ("managed", 3, 3, 3, "holds"),
        ("run", 0, 1, 12, "holds in part"),
        ("from_scratch", 10e6, 1.46e6 * 3.99, 30.84e6 * 3.99, "holds in part"),
    ],
)
def test_a_figure_of_the_lecture_is_held_against_ours(
    claim: str, lecture_says: float, low: float, high: float, verdict: str
) -> None:
    found = by_id()[claim]
    assert found.claim.range[0] == lecture_says
    assert found.ours.low == pytest.approx(low, rel=1e-3)
    assert found.ours.high == pytest.approx(high, rel=1e-3)
    assert found.verdict == verdict


def test_every_figure_has_a_formula_and_a_reason_and_none_is_left_out() -> None:
    found = by_id()
    assert list(found) == [claim.id for claim in lecture_facts().claim]
    assert all(figure.ours.formula and figure.ours.why.endswith(".") for figure in found.values())


def test_a_figure_that_does_not_hold_says_what_would() -> None:
    found = by_id()
    assert "350 GB are the 16-bit weights alone" in found["big_full"].ours.why
    assert "even in 4 bits they take 90 GB" in found["big_lora"].ours.why
    assert "A model of 7 billion takes 14 GB. In GiB ours is 15.0" in found["eight_b_14"].ours.why
    # 96 layers x 2 x (12,288 + 12,288) numbers of 2 bytes: what 10 MB would be
    assert "rank 1 on queries and values of GPT-3 takes 9.44 MB" in found["big_adapter"].ours.why


def test_qlora_of_llama_3_8b_takes_the_memory_that_the_lecture_says() -> None:
    found = by_id()["qlora"]
    assert found.verdict == "holds"
    weights_gb = 6.98 * 0.5159 + 1.05 * 4
    assert weights_gb < found.ours.low < found.ours.high < 24


def test_the_middle_card_costs_more_than_the_lecture_says_and_some_cost_what_it_says() -> None:
    found = by_id()["gpu_hour"]
    assert found.verdict == "holds in part"
    hourly = [
        row.usd
        for row in PriceBook.load(None, TODAY).rows("gpu.")
        if row.memory_gb >= 24 and "spot" not in row.item and row.valid_from <= TODAY
    ]
    assert (found.ours.low, found.ours.high) == (min(hourly), max(hourly))
    assert 0 < sum(1 <= usd <= 3 for usd in hourly) < sum(usd > 3 for usd in hourly)
    assert f"{sum(1 <= usd <= 3 for usd in hourly)} of them lie within" in found.ours.why


def test_figures_follow_the_price_book() -> None:
    found = by_id({"tune.openai.gpt-4o-mini.training": 6, "gpu.h100-sxm.lambda.x8": 10})
    assert (found["managed"].ours.low, found["managed"].verdict) == (6, "does not hold")
    assert (found["from_scratch"].ours.low, found["from_scratch"].verdict) == (14.6e6, "holds")


def test_the_last_day_for_new_jobs_stands_beside_the_managed_price() -> None:
    assert "until 2027-01-06 only" in by_id()["managed"].ours.why


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(1, 10, "holds"), (0.91, 10.9, "holds"), (0.5, 2, "holds in part"), (0.1, 99, "holds in part"),
     (11.2, 12, "does not hold"), (0.1, 0.8, "does not hold")],
)  # fmt: skip
def test_a_range_holds_within_ten_percent_holds_in_part_or_does_not(low: float, high: float, verdict: str) -> None:
    claim = Claim(id="x", about="x", at_least=1, at_most=10, unit="MB", where="x")
    assert Figure(claim, Ours(low, high, "", "")).verdict == verdict


def test_a_claim_needs_a_number_or_a_range_and_not_both() -> None:
    for numbers in ({}, {"number": 1, "at_most": 2}):
        with pytest.raises(ValidationError, match="is required"):
            Claim(id="x", about="x", unit="MB", where="x", **numbers)  # type: ignore[arg-type]
    open_ended = Claim(id="x", about="x", at_least=10_000_000, unit="dollars", where="x")
    assert open_ended.range == (10_000_000, inf)
    assert open_ended.words == "10 million dollars or more"


def test_words_of_a_claim_name_its_own_number() -> None:
    for claim in lecture_facts().claim:
        numbers = {float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", claim.says)}
        assert numbers <= {claim.number, claim.at_least, claim.at_most}, claim.id


@pytest.mark.parametrize(
    ("low", "high", "unit", "words"),
    [
        (65_536, 65_536, "numbers", "65,536"),
        (16_777_216, 16_777_216, "numbers", "16.8 million"),
        (8_030_261_248, 8_030_261_248, "numbers", "8.03 billion"),
        (3.61, 4.675, "GB", "3.61 to 4.67 GB"),
        (2_800, 3_150, "GB", "2.8 to 3.15 TB"),
        (1, 12, "dollars", "1 to 12 dollars"),
        (5.8254e6, 123.05e6, "dollars", "5.83 to 123 million dollars"),
        (2_356.4, 2_356.4, "times", "2,356 times"),
    ],
)
def test_figures_are_put_in_words_of_three_digits(low: float, high: float, unit: str, words: str) -> None:
    assert in_words(low, high, unit) == words


def test_lora_saves_less_with_every_rank_until_it_saves_nothing() -> None:
    times = [matrix_saving(4096, 1024, rank).times for rank in (1, 8, 64, 819, 820)]
    assert times == sorted(times, reverse=True)
    assert times[-2] > 1 > times[-1]
    assert matrix_saving(4096, 1024, 8) == matrix_saving(1024, 4096, 8)


def test_more_layers_with_an_adapter_are_a_larger_share_of_the_model() -> None:
    shown = model_saving(LLAMA, 8, ["q_proj", "v_proj"])
    every = model_saving(LLAMA, 8, "all-linear")
    # A block's seven layers: 8,192 + 5,120 + 5,120 + 8,192 + 3 x 18,432 inputs and outputs
    assert every.trained == 32 * 8 * 81_920
    assert shown.share < every.share < 0.003
    assert shown.full == every.full == LLAMA.total_params


def test_the_table_in_the_documentation_is_the_one_that_the_code_prints() -> None:
    printed = table(PriceBook.load(None, TODAY))
    assert printed in DOCS.read_text(encoding="utf-8"), f"put {lecture.__name__}.table() of {TODAY} in docs/cost.md"
