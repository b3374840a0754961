"""Each curve by hand: with every input at its likely value, the terms are what a pocket calculator says."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from core.answers import Answers
from cost_models.facts import cost_facts
from cost_models.inputs import resolve
from cost_models.prices import PriceBook
from cost_models.terms import Setting, Steps, Terms, terms_of

TODAY = date(2026, 11, 24)
ANSWERS = Answers(
    task_kind="style",
    volume_per_month=100_000,
    input_tokens=400,
    output_tokens=100,
    labelled_examples=500,
    has_eval_set=True,
    own_text_tokens=10_000_000,
    knowledge_freshness="weekly",
)
PRICES = {
    "api.gpt-6-luna.input": 1.0,
    "api.gpt-6-luna.cached_input": 0.1,
    "api.gpt-6-luna.output": 4.0,
    "embedding.text-embedding-3-small": 0.02,
    "rag.pinecone-standard.minimum": 50.0,
    "tune.azure.gpt-4.1-mini.training": 5.0,
    "tune.azure.gpt-4.1-mini.input": 0.4,
    "tune.azure.gpt-4.1-mini.output": 1.6,
    "tune.azure.gpt-4.1-mini.hosting": 1.7,
    "gpu.l40s.runpod-secure": 1.0,
    "gpu.t4.aws": 0.5,
    "gpu.h100-sxm.lambda.x8": 4.0,
    "engineer.hour": 100.0,
    "label.llm": 0.01,
    "label.crowd": 1.0,
    "label.expert": 5.0,
}
LIKELY = {
    "retry_share": 0.0,
    "instruction_tokens": 200.0,
    "tuned_instruction_tokens": 0.0,
    "few_shot_examples": 2.0,
    "retrieved_tokens": 1_000.0,
    "training_runs": 10.0,
    "epochs": 2.0,
    "labels_needed": 1_000.0,
    "corpus_refresh_share": 1.0,
    "serving_tokens_per_second": 1_000.0,
    "gpu_utilisation": 0.5,
    "input_token_weight": 0.1,
    "mfu.lora": 0.25,
    "run_overhead_hours": 0.5,
}


def terms(answers: Answers = ANSWERS, **changed: float) -> dict[str, Terms]:
    x = {entry.id: np.array([entry.likely]) for entry in resolve(answers)}
    x |= {name: np.array([value]) for name, value in (LIKELY | changed).items()}
    book = PriceBook.load(PRICES, TODAY)
    strict = answers.privacy == "strict"
    setting = Setting(
        x=x, usd=book.usd, book=book, defaults=cost_facts().defaults, managed="tune.azure.gpt-4.1-mini",
        own_machines=strict, months=np.arange(25.0),
    )  # fmt: skip
    return {name: found for name, found in terms_of(setting).items()}


def monthly(found: Terms, name: str) -> float:
    return float(np.asarray(found[name].monthly).squeeze())


def upfront(found: Terms, name: str) -> float:
    return float(np.asarray(found[name].upfront).squeeze())


def test_zero_shot_pays_for_instruction_input_and_output_of_every_call() -> None:
    found = terms()["zero_shot"]
    assert monthly(found, "input") == pytest.approx(100_000 * (200 + 400) * 1.0 / 1e6)
    assert monthly(found, "output") == pytest.approx(100_000 * 100 * 4.0 / 1e6)
    assert upfront(found, "engineer_time") == pytest.approx(10 * 100)
    assert upfront(found, "evaluation") == 0
    assert float(np.asarray(found["migration"].step).squeeze()) == pytest.approx(12 * 100)


def test_retries_are_paid_for() -> None:
    assert monthly(terms(retry_share=0.1)["zero_shot"], "output") == pytest.approx(44.0)


def test_few_shot_pays_for_its_examples_on_every_call_and_less_when_they_are_cached() -> None:
    short = terms()["few_shot"]
    # 200 + 2 x 500 tokens reach the 1,024 of a cached prefix; at 100,000 calls and 8 minutes nearly all calls hit it.
    hit = 1 - np.exp(-100_000 / (730 * 60) * 8)
    price = (1 - hit) * 1.0 + hit * 0.1
    assert monthly(short, "few_shot_tokens") == pytest.approx(100_000 * 1_000 * price / 1e6)
    never = terms(instruction_tokens=20.0)["few_shot"]
    assert monthly(never, "few_shot_tokens") == pytest.approx(100.0)


def test_rag_pays_for_its_index_and_for_what_it_retrieves() -> None:
    found = terms()["rag"]
    assert upfront(found, "embedding") == pytest.approx(10 * 0.02)
    assert monthly(found, "embedding") == pytest.approx(10 * 0.02)
    assert monthly(found, "question_embedding") == pytest.approx(100_000 * 400 * 0.02 / 1e6)
    assert monthly(found, "vector_store") == 50
    assert monthly(found, "reranking") == 0
    assert monthly(terms(rerank_share=0.5)["rag"], "reranking") == pytest.approx(50_000 / 1_000 * 2)
    assert monthly(found, "retrieved_tokens") == pytest.approx(100_000 * 1_000 / 1e6)


def test_managed_tuning_pays_for_labels_runs_tokens_and_hosting_day_and_night() -> None:
    found = terms()["ft_managed"]
    assert upfront(found, "labels") == pytest.approx(500 * 1.0)
    # 1,000 examples x 500 tokens x 2 passes x 10 runs at 5 USD a million
    assert upfront(found, "training_runs") == pytest.approx(1_000 * 500 * 2 * 10 * 5 / 1e6)
    assert monthly(found, "input") == pytest.approx(100_000 * 400 * 0.4 / 1e6)
    assert monthly(found, "hosting") == pytest.approx(1.7 * 730)


def test_a_host_takes_its_fee_for_each_tenant_and_a_base_of_ones_own_does_not() -> None:
    many = terms(ANSWERS.model_copy(update={"tenants": 10}))
    assert monthly(many["ft_managed"], "hosting") == pytest.approx(10 * 1.7 * 730)
    assert monthly(many["ft_self"], "hosting") == monthly(terms()["ft_self"], "hosting")


def test_self_hosting_pays_for_whole_cards() -> None:
    def cards(volume: float) -> float:
        answers = ANSWERS.model_copy(update={"volume_per_month": volume})
        return monthly(terms(answers)["ft_self"], "hosting") / 730

    # A card carries 1,000 x 0.5 tokens/s; a call is 400 x 0.1 + 100 = 140 of them.
    full = 500 * 730 * 3600 / 140
    assert [cards(0), cards(full * 0.99), cards(full * 1.01), cards(full * 2.01)] == [1, 1, 2, 3]


def test_costly_mistakes_keep_two_cards_running() -> None:
    careful = terms(ANSWERS.model_copy(update={"stakes": "high"}))
    assert monthly(careful["ft_self"], "hosting") == pytest.approx(2 * 730)


def test_a_training_run_of_ones_own_is_flops_over_what_the_card_does() -> None:
    # 1,000 x 500 x 2 tokens x 4 x 8e9 FLOPs on a 362 TFLOP/s card at 25 %, and half an hour around it, ten times
    hours = 1e6 * 4 * 8e9 / (362e12 * 0.25) / 3600 + 0.5
    assert upfront(terms()["ft_self"], "training_runs") == pytest.approx(10 * hours)


def test_the_lecture_says_that_a_7b_lora_run_of_1_to_4_hours_stays_under_12_dollars() -> None:
    assert 4 * 3 <= 12
    hours = 1e6 * 4 * 7e9 / (362e12 * 0.25) / 3600 + 0.5
    one_run = upfront(terms(base_parameters_billion=7.0)["ft_self"], "training_runs") / 10
    assert one_run == pytest.approx(hours * 1.0)
    assert one_run < 12


def test_making_a_tune_again_costs_labels_runs_and_time() -> None:
    found = terms()["ft_self"]
    step = float(np.asarray(found["retrain"].step).squeeze())
    one_run = upfront(found, "training_runs") / 10
    assert step == pytest.approx(0.2 * 1_000 * 1.0 + 3 * one_run + 20 * 100)


def test_training_from_scratch_takes_the_hours_of_a_small_public_model() -> None:
    assert upfront(terms()["from_scratch"], "pretraining") == pytest.approx(1_460_000 * 4.0)


def test_where_no_data_may_leave_prompting_runs_on_a_card_of_ones_own() -> None:
    found = terms(ANSWERS.model_copy(update={"privacy": "strict"}))["few_shot"]
    assert "input" not in found
    assert monthly(found, "hosting") == pytest.approx(730)


def test_retrains_are_counted_from_the_first_one_on() -> None:
    steps = Steps(first=np.array([4.6]), period=np.array([12.0]))
    months = np.array([0.0, 4.0, 5.0, 16.0, 17.0, 29.0])
    assert steps.count(months).tolist() == [[0, 0, 1, 1, 2, 3]]
