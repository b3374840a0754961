"""The plan: the fastest way that fits with margin, why, and what would make it fit where nothing does."""

from __future__ import annotations

from typing import Any

import pytest

from core.estimate import RunEstimate
from core.jobspec import JobSpec
from core.machine import Machine
from cost_models.duration import grouped_tokens, padded_tokens
from cost_models.facts import devices
from cost_models.fit_plan import ROOM
from cost_models.run_estimate import estimate_run
from cost_models.shapes import known_models, shape_of

HERE = Machine(cores=2, memory_gib=16, cpu_flags=["amx_bf16"])
EIGHT_B = "meta-llama/Llama-3.1-8B-Instruct"
LONG = [2048] * 400


def plan(model: str, gpu: str, *, counts: list[int] | None = LONG, **fields: Any) -> RunEstimate:
    spec = JobSpec.model_validate({"gpu": gpu, "max_tokens": 2048, "epochs": 3} | fields)
    return estimate_run(shape_of(model), spec, token_counts=counts, device="cuda", here=HERE)


def why(found: RunEstimate) -> str:
    said = found.plan["why"]
    assert isinstance(said, list)
    return " ".join(said)


@pytest.mark.parametrize("gpu", ["T4", "RTX 4090", "A100-80", "H100-SXM", "Apple M1 Max 64 GB", "CPU"])
def test_every_listed_model_gets_a_plan_on_each_kind_of_card_and_it_fits_or_says_what_would(gpu: str) -> None:
    for model in known_models():
        found = plan(model, gpu, counts=[300, 900, 1500])
        memory = found.memory_gib
        assert memory.low is not None and memory.likely is not None and memory.high is not None
        assert memory.low <= memory.likely <= memory.high
        assert sum(found.breakdown.values()) == pytest.approx(memory.likely, rel=0.01)
        assert found.seconds.likely and found.tokens_per_second.likely and why(found)
        if found.fits is False:
            assert "fits." in why(found) or "smaller base" in why(found)


def test_every_card_takes_the_small_default_and_is_named_with_its_source() -> None:
    assert {
        "T4",
        "L4",
        "A10G",
        "RTX 4090",
        "RTX 5090",
        "L40S",
        "A100-40",
        "A100-80",
        "H100-SXM",
        "H200",
        "B200",
    } <= set(devices())
    for name, card in devices().items():
        assert card.source and card.usable_gib > 4
        found = plan("HuggingFaceTB/SmolLM2-135M-Instruct", name)
        assert found.fits is True and found.memory_gib.likely is not None
        assert found.memory_gib.likely <= card.usable_gib * ROOM


def test_more_room_recomputes_less_and_then_takes_more_rows() -> None:
    order = [plan(EIGHT_B, gpu) for gpu in ("RTX 4090", "RTX 5090", "L40S", "H100-SXM", "H200")]
    layers = [found.plan["recomputed_layers"] for found in order]
    assert layers == sorted(layers, reverse=True) and layers[0] != 0 and layers[-1] == 0  # type: ignore[type-var]
    assert "selective" in {found.plan["checkpointing"] for found in order}
    speeds = [plan(EIGHT_B, "H200", grad_checkpointing=how).tokens_per_second.likely or 0 for how in ("on", "off")]
    assert speeds[0] < speeds[1] == order[-1].tokens_per_second.likely


def test_a_card_without_bfloat16_or_fp8_is_worked_around_and_it_is_said() -> None:
    old = plan("Qwen/Qwen3-0.6B", "T4")
    assert old.plan["precision"] == "float16" and "T4 has no bfloat16" in why(old)
    fp8 = {"method": {"bits": "fp8"}, "stack": "tuneworthy"}
    a100, l40s, h100 = (plan(EIGHT_B, gpu, **fp8) for gpu in ("A100-80", "L40S", "H100-SXM"))
    assert a100.plan["bits"] == "16" and "A100-80 has no fp8 arithmetic" in why(a100)
    assert l40s.plan["bits"] == "16" and "scale a row" in why(l40s)
    assert h100.plan["bits"] == "fp8" and "stays in 16" not in why(h100)
    assert plan(EIGHT_B, "H100-SXM", method={"bits": "fp8"}).plan["bits"] == "16"
    assert (h100.tokens_per_second.likely or 0) > 1.2 * (a100.tokens_per_second.likely or 0)


def test_a_short_job_is_not_compiled_and_a_long_one_is_and_the_first_step_counts_it() -> None:
    short = plan(EIGHT_B, "H100-SXM", stack="tuneworthy", counts=[2048] * 8, epochs=1)
    long = plan(EIGHT_B, "H100-SXM", stack="tuneworthy")
    assert (short.plan["compile"], long.plan["compile"]) == (False, True)
    assert "would not win back" in why(short) and "before the first step" in why(long)
    assert long.plan["first_step_seconds"] > short.plan["first_step_seconds"]  # type: ignore[operator]
    assert (plan(EIGHT_B, "H100-SXM").tokens_per_second.likely or 0) < (long.tokens_per_second.likely or 0)


@pytest.mark.parametrize(
    ("model", "gpu", "fields", "change"),
    [
        ("Qwen/Qwen3-14B", "L4", {}, {"method.bits": "4"}),
        (EIGHT_B, "RTX 4090", {"method": {"kind": "full"}}, {"method.kind": "lora"}),
        (EIGHT_B, "RTX 4090", {"grad_checkpointing": "off", "micro_batch": 1}, {"grad_checkpointing": "auto"}),
        (EIGHT_B, "RTX 4090", {"micro_batch": 64, "grad_checkpointing": "on"}, {"micro_batch": "auto"}),
        ("Qwen/Qwen2.5-32B-Instruct", "RTX 4090", {"method": {"bits": "4"}, "max_tokens": 8192}, {"max_tokens": 1024}),
        ("Qwen/Qwen2.5-72B-Instruct", "RTX 4090", {"method": {"bits": "4"}}, {"gpu": "A100-80"}),
    ],
)
def test_what_cannot_fit_names_the_smallest_change_that_would(
    model: str, gpu: str, fields: dict[str, Any], change: dict[str, object]
) -> None:
    found = plan(model, gpu, counts=[10_000] * 20, **fields)
    assert found.fits is False
    offered = found.plan["change"]
    assert isinstance(offered, dict)
    assert offered["fields"] == change
    assert str(offered["says"]) in why(found)
    asked = {name: value for name, value in change.items() if not name.startswith("method.")}
    method = fields.get("method", {}) | {
        name.partition(".")[2]: value for name, value in change.items() if name.startswith("method.")
    }
    assert plan(model, **({"gpu": gpu} | fields | asked | {"method": method}), counts=[10_000] * 20).fits is True


def test_what_nothing_helps_says_so() -> None:
    found = plan("meta-llama/Llama-3.1-405B-Instruct", "T4")
    assert found.fits is False and found.plan["change"] is None
    assert "choose a smaller base" in why(found)


def test_rows_of_like_length_go_together_and_what_is_still_padding_is_named() -> None:
    counts = [20, 1800] * 50
    assert grouped_tokens(counts, 2) == sum(counts) < padded_tokens(counts, 2)
    found = plan(EIGHT_B, "H100-SXM", counts=[20, 700, 1800], micro_batch=3)
    assert "padding, which packing would spare" in why(found)
    assert "padding" not in why(plan(EIGHT_B, "H100-SXM", counts=[20, 700, 1800], micro_batch=3, packing=True))


def test_several_cards_share_the_time() -> None:
    one, four = (plan(EIGHT_B, "H100-SXM", n_gpus=n).seconds.likely or 0 for n in (1, 4))
    assert 1 / 4 < four / one < 1 / 2


def test_preferences_take_the_memory_of_two_answers_and_more_than_twice_the_time() -> None:
    sft, dpo = (
        plan("Qwen/Qwen3-0.6B", "H100-SXM", micro_batch=2, grad_checkpointing="off", **fields)
        for fields in ({}, {"objective": "dpo"})
    )
    assert dpo.breakdown["activations"] > 1.9 * sft.breakdown["activations"]
    assert "both of its answers" in why(dpo)
    around = 60
    assert (dpo.seconds.likely or 0) - around > 2.5 * ((sft.seconds.likely or 0) - around)


def test_the_same_method_takes_longer_with_all_weights_and_with_dora() -> None:
    lora, dora, full = (
        plan("Qwen/Qwen3-0.6B", "H100-SXM", method=method, micro_batch=8, grad_checkpointing="off").seconds.likely or 0
        for method in ({}, {"dora": True}, {"kind": "full"})
    )
    assert lora < dora and lora < full


def test_prefix_tuning_is_planned_without_recomputing_which_it_forbids() -> None:
    found = plan("Qwen/Qwen2.5-32B-Instruct", "RTX 4090", method={"kind": "prefix", "bits": "4"}, max_tokens=8192)
    assert found.plan["checkpointing"] == "none" and found.plan["recomputed_layers"] == 0
    lora = plan("Qwen/Qwen2.5-32B-Instruct", "RTX 4090", method={"bits": "4"}, max_tokens=8192)
    assert lora.plan["checkpointing"] == "all"
