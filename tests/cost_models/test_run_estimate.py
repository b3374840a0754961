from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import pytest

from core.errors import BadInput, NotFound
from core.jobspec import DEFAULT_BASE_MODEL, JobSpec, MethodSpec
from core.machine import Machine
from cost_models.duration import padded_tokens
from cost_models.facts import device
from cost_models.memory import NF4_BYTES, Run, peak_memory
from cost_models.run_estimate import Calibration, estimate_run
from cost_models.shapes import ModelShape, shape_of
from cost_models.trainable import adapter_megabytes, lora_parameters, trainable_parameters

HERE = Machine(cores=2, memory_gib=16, cpu_flags=["amx_bf16"])
SMALL = shape_of(DEFAULT_BASE_MODEL)
LLAMA = shape_of("meta-llama/Llama-3.1-8B-Instruct")
ROWS = [80] * 300


def test_the_lecture_s_matrix_at_rank_8_trains_65_536_numbers_instead_of_16_8_million() -> None:
    assert lora_parameters(4096, 4096, 8) == 65_536
    assert 4096 * 4096 == 16_777_216


def test_the_lecture_s_tenth_of_a_percent_of_175_billion_is_350_megabytes_and_not_10() -> None:
    assert adapter_megabytes(175_000_000) == pytest.approx(350)


def test_the_lecture_s_llama_adapter_on_queries_and_values_is_small() -> None:
    method = MethodSpec(rank=8, targets=["q_proj", "v_proj"])
    # 32 layers x 8 x ((4096 + 4096) + (4096 + 1024))
    assert trainable_parameters(LLAMA, method) == 32 * 8 * (8192 + 5120)
    assert 1 <= adapter_megabytes(trainable_parameters(LLAMA, method)) <= 10


def test_the_lecture_s_memory_of_llama_8b_in_16_bits_and_in_4() -> None:
    def weights(bits: Literal["16", "4"], widened: bool) -> float:
        run = Run(device="cuda", widened=widened)
        parts = peak_memory(LLAMA, MethodSpec(bits=bits), tokens=1, run=run).parts
        return parts["weights"] + parts["embeddings"]

    assert weights("16", False) == pytest.approx(8.03e9 * 2 / 2**30, rel=0.01)
    assert pytest.approx(0.5159, abs=1e-3) == NF4_BYTES
    # 7 billion weights at half a byte, and 1.05 billion of embeddings: as they are, or widened to float32 by PEFT
    assert weights("4", False) == pytest.approx((6.98e9 * 0.5159 + 1.05e9 * 2) / 2**30, rel=0.01)
    assert weights("4", True) == pytest.approx((6.98e9 * 0.5159 + 1.05e9 * 4) / 2**30, rel=0.01)


def test_full_tuning_of_175_billion_takes_terabytes_and_not_350_gigabytes() -> None:
    layers, hidden = 96, 12_288
    gpt3 = ModelShape(
        id="gpt-3", layers=layers, hidden=hidden, heads=96, kv_heads=96, head_dim=128, ffn=32_768, vocab=50_257,
        tied=True,
    )  # fmt: skip
    assert gpt3.total_params == pytest.approx(175e9, rel=0.02)
    needed = peak_memory(gpt3, MethodSpec(kind="full"), tokens=1, device="cuda")
    assert needed.likely * 2**30 > 2.8e12


@pytest.mark.parametrize(
    ("tokens", "bytes_each", "dropout", "checkpointing", "measured_gib"),
    [(512, 2, 0.05, False, 2.52), (1024, 4, 0.05, False, 5.38), (1024, 2, 0.0, False, 3.01),
     (1024, 2, 0.05, True, 2.10), (2048, 2, 0.05, False, 7.80)],
)  # fmt: skip
def test_predicted_memory_on_cpu_holds_what_was_measured(
    tokens: int, bytes_each: int, dropout: float, checkpointing: bool, measured_gib: float
) -> None:
    method = MethodSpec(rank=16, dropout=dropout)
    found = peak_memory(SMALL, method, tokens=tokens, bytes_each=bytes_each, checkpointing=checkpointing)
    assert found.low <= measured_gib <= found.high


def test_predicted_memory_on_an_h100_is_near_what_transformers_and_peft_took() -> None:
    method = MethodSpec(rank=16, dropout=0.0)
    found = peak_memory(LLAMA, method, tokens=4 * 2048, device="cuda", checkpointing=True)
    assert found.likely == pytest.approx(29.4, rel=0.2)


def test_speed_on_an_h100_holds_what_was_measured_with_and_without_checkpointing() -> None:
    for checkpointing, measured in (("off", 12_339), ("on", 7_135)):
        spec = JobSpec(gpu="H100-SXM", max_tokens=2048, micro_batch=4, grad_checkpointing=checkpointing)
        speed = estimate_run(LLAMA, spec, token_counts=[2048] * 99, device="cuda", here=HERE).tokens_per_second
        assert speed.low is not None
        assert speed.high is not None
        assert speed.low <= measured <= speed.high


def test_a_run_on_two_cores_takes_minutes_and_fits() -> None:
    found = estimate_run(SMALL, JobSpec(), token_counts=ROWS, device_memory_gib=16, usd_per_hour=0, here=HERE)
    assert found.fits is True
    assert found.usd.likely == 0
    assert found.plan["micro_batch"] == 8
    assert found.plan["steps"] == 114
    # 300 rows x 80 tokens x 3 passes at 320 tokens a second, and what is around them
    assert found.seconds.likely == pytest.approx(72_000 / 400 + 25, rel=0.02)
    assert sum(found.breakdown.values()) == pytest.approx(found.memory_gib.likely, rel=0.01)


def test_without_rows_time_and_money_are_unknown_and_not_zero() -> None:
    found = estimate_run(SMALL, JobSpec(), device_memory_gib=16, usd_per_hour=2, here=HERE)
    assert found.seconds.likely is None
    assert found.usd.likely is None
    assert found.memory_gib.likely is not None


def test_a_tight_device_gets_a_smaller_batch_and_then_checkpointing() -> None:
    def plan(gib: float) -> tuple[object, object, bool | None]:
        found = estimate_run(SMALL, JobSpec(), token_counts=[512] * 50, device_memory_gib=gib, here=HERE)
        return found.plan["micro_batch"], found.plan["grad_checkpointing"], found.fits

    assert plan(64) == (8, False, True)
    assert plan(6) == (4, False, True)
    assert plan(3) == (1, False, True)
    assert plan(1.9) == (1, True, True)
    assert plan(0.5) == (1, True, False)


def test_what_was_asked_for_is_not_changed() -> None:
    spec = JobSpec(micro_batch=4, grad_checkpointing="off", precision="float32")
    found = estimate_run(SMALL, spec, token_counts=[512] * 50, device_memory_gib=1, here=HERE)
    assert found.fits is False
    assert found.plan["micro_batch"] == 4
    assert found.plan["precision"] == "float32"


def test_an_earlier_run_takes_the_place_of_the_prior() -> None:
    earlier = Calibration(tokens_per_second=100, memory_factor=0.5, says="an earlier run")
    plain = estimate_run(SMALL, JobSpec(), token_counts=ROWS, here=HERE)
    found = estimate_run(SMALL, JobSpec(), token_counts=ROWS, here=HERE, calibration=earlier)
    assert found.tokens_per_second.likely == 100
    assert plain.memory_gib.likely is not None
    assert found.memory_gib.likely == pytest.approx(plain.memory_gib.likely / 2, rel=0.01)


def test_a_card_is_found_by_the_name_that_nvidia_smi_prints() -> None:
    assert device("NVIDIA H200").tflops == 989
    assert device("rtx 4090").tflops == 165
    with pytest.raises(NotFound, match="Abacus"):
        device("Abacus")


def test_an_unknown_card_leaves_time_unknown() -> None:
    found = estimate_run(SMALL, JobSpec(gpu="Abacus 1"), token_counts=ROWS, device="cuda", here=HERE)
    assert found.seconds.likely is None
    assert "Abacus" in found.tokens_per_second.because[0]


def test_padding_is_the_expected_longest_row_of_a_batch() -> None:
    assert padded_tokens([10, 20, 30], 1) == pytest.approx(60)
    assert padded_tokens([50] * 8, 4) == pytest.approx(400)
    assert 60 < padded_tokens([10, 20, 30], 2) < 90
    assert padded_tokens([], 8) == 0


def test_judging_needs_no_optimizer_and_less_memory_than_training() -> None:
    judged = estimate_run(SMALL, JobSpec(kind="evaluate"), token_counts=[80] * 100, here=HERE)
    trained = estimate_run(SMALL, JobSpec(), token_counts=ROWS, here=HERE)
    assert "optimizer" not in judged.breakdown
    assert judged.memory_gib.likely is not None
    assert trained.memory_gib.likely is not None
    assert judged.memory_gib.likely < trained.memory_gib.likely
    assert judged.seconds.likely is not None


def test_a_shape_is_read_from_a_config_and_a_broken_one_is_named(tmp_path: Path) -> None:
    config = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128}
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config | {"vocab_size": 100}), encoding="utf-8")
    shape = shape_of(str(tmp_path))
    assert (shape.head_dim, shape.kv_heads, shape.tied) == (16, 4, False)
    path.write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(BadInput, match=r"config\.json.*vocab_size"):
        shape_of(str(tmp_path))


def test_an_unknown_model_and_unknown_layers_are_refused() -> None:
    with pytest.raises(NotFound, match="nobody/nothing"):
        shape_of("nobody/nothing")
    with pytest.raises(BadInput, match="no linear layer"):
        trainable_parameters(SMALL, MethodSpec(targets=["attention"]))
