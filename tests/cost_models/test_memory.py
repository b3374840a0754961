"""Peak memory, part by part: held against what was measured, and never smaller for a larger run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.estimator_error import COMPILED, OTHERS, OWN, OnCard, OnProcessor
from core.jobspec import MethodSpec
from cost_models.memory import BASE_BYTES, GIB, Run, peak_memory, weight_bytes
from cost_models.shapes import known_models, shape_of

LLAMA = shape_of("meta-llama/Llama-3.1-8B-Instruct")
METHODS = [
    MethodSpec(),
    MethodSpec(bits="8"),
    MethodSpec(bits="4", dropout=0.1),
    MethodSpec(dora=True),
    MethodSpec(targets=["q_proj", "v_proj"]),
    MethodSpec(kind="full"),
    MethodSpec(kind="prefix"),
    MethodSpec(kind="prompt"),
    MethodSpec(kind="bottleneck", placement="pfeiffer"),
    MethodSpec(kind="ia3"),
]
MODELS = list(known_models().values())
MIXTURE = shape_of("mistralai/Mixtral-8x7B-Instruct-v0.1")


@pytest.mark.parametrize("row", [*OTHERS, *COMPILED], ids=lambda row: row.what)
def test_memory_and_speed_on_a_card_are_near_what_the_stacks_of_others_took(row: OnCard) -> None:
    assert row.memory().allocated == pytest.approx(row.allocated_gib, rel=0.15)
    low, _, high = row.speed()
    assert low <= row.tokens_per_second <= high


@pytest.mark.parametrize("row", OWN, ids=str)
def test_memory_on_a_processor_holds_what_our_own_runs_took(row: OnProcessor) -> None:
    found = row.memory()
    assert found.low <= row.measured_gib <= found.high
    if row.loss == "answers":  # as runs are now
        assert found.likely == pytest.approx(row.measured_gib, rel=0.1)


def test_a_quantised_base_shrinks_its_linear_layers_alone_to_the_byte() -> None:
    rest = LLAMA.total_params - LLAMA.linear_params
    for bits, each in (("4", 0.5 + 1 / 64 + 4 / 16384), ("8", 1.0), ("fp8", 2.0)):
        method = MethodSpec.model_validate({"bits": bits})
        assert BASE_BYTES[bits] == each
        assert weight_bytes(LLAMA, method, 2, widened=False) == pytest.approx(LLAMA.linear_params * each + rest * 2)
    # bitsandbytes passes over experts, so a mixture hardly shrinks
    in_4, in_16 = (weight_bytes(MIXTURE, MethodSpec(bits=bits), 2, widened=False) for bits in ("4", "16"))  # type: ignore[arg-type]
    assert 0.95 < in_4 / in_16 < 1


def test_each_part_is_where_it_belongs() -> None:
    def parts(method: MethodSpec, **more: Any) -> dict[str, float]:
        run = Run(device="cuda", tokens=8192, row_tokens=2048, **more)
        return peak_memory(LLAMA, method, tokens=8192, run=run).parts

    lora, full = parts(MethodSpec()), parts(MethodSpec(kind="full"))
    trained = 41_943_040  # rank 16 on seven layers, 32 times
    assert lora["adapter"] == lora["gradients"] == pytest.approx(trained * 4 / GIB, abs=1e-3)
    assert lora["optimizer"] == pytest.approx(trained * 8 / GIB, abs=1e-3)
    assert full["master"] == full["gradients"] == pytest.approx(LLAMA.total_params * 4 / GIB, rel=1e-3)
    assert lora["embeddings"] == pytest.approx(2 * 128_256 * 4096 * 2 / GIB, rel=1e-3)
    assert lora["logits"] == pytest.approx(8192 * 128_256 * 12 / GIB, rel=1e-3)
    assert parts(MethodSpec(), loss="fused")["logits"] < 1
    assert parts(MethodSpec(bits="4"))["buffers"] == pytest.approx(4096 * 14_336 * 2 / GIB, abs=1e-3)
    assert parts(MethodSpec(), optimizer="adamw_8bit_paged")["optimizer"] == pytest.approx(trained * 2 / GIB, abs=1e-3)


def test_layers_computed_again_keep_their_input_alone_and_half_of_them_lie_between() -> None:
    none, half, everything = (
        peak_memory(LLAMA, MethodSpec(), tokens=1, run=Run(device="cuda", tokens=8192, recomputed=share))
        for share in (0.0, 0.5, 1.0)
    )
    assert everything.parts["activations"] == pytest.approx(8192 * 2 * 4096 * 32 / GIB, rel=1e-3)
    middle = (none.parts["activations"] + everything.parts["activations"]) / 2
    assert half.parts["activations"] == pytest.approx(middle, rel=1e-3)


def test_our_layer_keeps_less_than_the_others() -> None:
    kept = {
        stack: peak_memory(
            LLAMA, MethodSpec(), tokens=1, run=Run(device="cuda", tokens=8192, stack=stack, loss="fused")
        )
        for stack in ("tuneworthy", "unsloth", "compiled", "liger", "peft")
    }
    likely = [memory.likely for memory in kept.values()]
    assert likely == sorted(likely)


def test_attention_without_a_fused_kernel_grows_with_the_square_of_the_row() -> None:
    gemma = shape_of("google/gemma-2-9b-it")
    short, long = (
        peak_memory(gemma, MethodSpec(), tokens=1, run=Run(device="cuda", tokens=8192, row_tokens=row))
        for row in (1024, 8192)
    )
    assert long.likely > 1.5 * short.likely


def test_a_base_that_is_spread_over_cards_takes_its_share_on_each() -> None:
    alone, spread = (
        peak_memory(LLAMA, MethodSpec(), tokens=1, run=Run(device="cuda", tokens=512, shards=n)) for n in (1, 4)
    )
    assert spread.parts["weights"] == pytest.approx(alone.parts["weights"] / 4, rel=1e-3)
    assert spread.parts["buffers"] > alone.parts["buffers"] == 0


runs = st.builds(
    Run,
    device=st.sampled_from(["cpu", "cuda", "mps"]),
    bytes_each=st.sampled_from([2, 4]),
    tokens=st.integers(1, 100_000),
    row_tokens=st.integers(0, 8192),
    uneven=st.booleans(),
    padded=st.booleans(),
    stack=st.sampled_from(["peft", "tuneworthy", "compiled", "liger", "unsloth"]),
    recomputed=st.floats(0, 1),
    loss=st.sampled_from(["plain", "fused", "answers"]),
    optimizer=st.sampled_from(["adamw", "adamw_8bit_paged"]),
    widened=st.booleans(),
    offloads=st.booleans(),
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(MODELS), st.sampled_from(METHODS), runs)
def test_for_every_model_and_method_the_range_is_ordered_and_more_tokens_or_layers_never_take_less(
    shape: Any, method: MethodSpec, run: Run
) -> None:
    found = peak_memory(shape, method, tokens=1, run=run)
    assert 0 < found.low <= found.likely <= found.high
    assert sum(found.parts.values()) == pytest.approx(found.likely, rel=0.01, abs=0.02)
    assert all(value >= 0 for value in found.parts.values())
    more = peak_memory(shape, method, tokens=1, run=replace(run, tokens=run.tokens + 777))
    taller = shape.model_copy(update={"layers": shape.layers * 2, "dense_layers": shape.dense_layers * 2})
    deeper = peak_memory(type(shape).model_validate(taller.model_dump()), method, tokens=1, run=run)
    for other in (more, deeper):
        assert (other.low, other.likely, other.high) >= (found.low, found.likely, found.high)
