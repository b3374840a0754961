"""Our layers and loss against plain PEFT: the same loss, the same gradients, an adapter that loads anywhere."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.filterwarnings("ignore")  # PEFT and transformers advise programmers


def model_of(family: str = "llama", *, rank: int = 8, targets: Any = "all-linear", seed: int = 0) -> Any:
    """Three layers with random weights, adapters that have learned something, all in float32."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(seed)
    settings, kind = {"llama": (LlamaConfig, LlamaForCausalLM), "qwen2": (Qwen2Config, Qwen2ForCausalLM)}[family]
    config = settings(
        vocab_size=97,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
    )
    base = kind(config)
    for name, weight in base.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(weight, std=0.1)
    model = get_peft_model(base, LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=targets, task_type="CAUSAL_LM"))
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    return model


def rows_and_labels() -> tuple[Any, Any]:
    import torch

    ids = torch.randint(0, 97, (3, 17), generator=torch.Generator().manual_seed(1))
    labels = ids.clone()
    labels[:, :5] = -100
    return ids, labels


def plain(model: Any) -> tuple[float, dict[str, Any]]:
    """Loss and gradients of transformers and PEFT."""
    ids, labels = rows_and_labels()
    loss = model(input_ids=ids, labels=labels).loss
    loss.backward()
    return float(loss.detach()), gradients(model)


def ours(model: Any, **settings: Any) -> tuple[float, dict[str, Any]]:
    from training.kernels.install import decoder_of, install
    from training.kernels.loss import answer_loss

    install(model, **settings)
    ids, labels = rows_and_labels()
    hidden = decoder_of(model)(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
    wanted = labels[:, 1:].reshape(-1)
    head = model.get_base_model().lm_head.weight
    loss = answer_loss(
        hidden.reshape(wanted.numel(), -1), head, wanted, float((wanted != -100).sum()), slice_bytes=97 * 28
    )
    loss.backward()
    return float(loss.detach()), gradients(model)


def gradients(model: Any) -> dict[str, Any]:
    return {name: weight.grad for name, weight in model.named_parameters() if weight.requires_grad}


def farthest(found: dict[str, Any], wanted: dict[str, Any]) -> float:
    assert found.keys() == wanted.keys()
    return max(float((found[name] - wanted[name]).norm() / wanted[name].norm()) for name in wanted)


@pytest.mark.parametrize("family", ["llama", "qwen2"])
@pytest.mark.parametrize("recomputed", [0, 2])
def test_loss_and_gradients_are_those_of_plain_peft(family: str, recomputed: int) -> None:
    loss, wanted = plain(model_of(family))
    mine, found = ours(model_of(family), recompute_layers=recomputed)
    assert mine == pytest.approx(loss, rel=1e-5)
    assert farthest(found, wanted) < 1e-3


@pytest.mark.parametrize("rank, targets", [(3, "all-linear"), (8, ["q_proj", "v_proj", "down_proj"]), (16, ["o_proj"])])
def test_any_rank_and_any_choice_of_layers_will_do(rank: int, targets: Any) -> None:
    loss, wanted = plain(model_of(rank=rank, targets=targets))
    mine, found = ours(model_of(rank=rank, targets=targets))
    assert mine == pytest.approx(loss, rel=1e-5)
    assert farthest(found, wanted) < 1e-4


def test_fp8_is_off_by_its_rounding_and_points_the_same_way() -> None:
    import torch

    loss, wanted = plain(model_of(rank=16))
    mine, found = ours(model_of(rank=16), fp8=True)
    assert mine == pytest.approx(loss, rel=5e-3)
    assert mine != loss
    flat = [torch.cat([each.flatten() for each in grads.values()]) for grads in (found, wanted)]
    assert float(torch.nn.functional.cosine_similarity(*flat, dim=0)) > 0.98


@pytest.mark.skipif(importlib.util.find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed")
def test_nf4_weights_are_written_out_as_bitsandbytes_would() -> None:
    import torch
    from bitsandbytes.nn import Linear4bit, Params4bit

    def small() -> Any:
        model = model_of()
        for module in model.modules():
            if hasattr(module, "base_layer"):
                linear = module.base_layer
                four = Linear4bit(
                    linear.in_features, linear.out_features, linear.bias is not None, torch.float32, quant_type="nf4"
                )
                four.weight = Params4bit(linear.weight.data, requires_grad=False, quant_type="nf4").to("cpu")
                four.support_avx512bf16_for_cpu = False
                module.base_layer = four
        return model

    loss, wanted = plain(small())
    mine, found = ours(small())
    assert mine == pytest.approx(loss, rel=1e-4)
    assert farthest(found, wanted) < 1e-2


def test_what_is_saved_is_a_peft_adapter_that_plain_peft_answers_alike_with(tmp_path: Path) -> None:
    import torch
    from peft import PeftModel

    model = model_of()
    ours(model)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.grad is not None:
                weight.sub_(0.1 * weight.grad)
    model.save_pretrained(tmp_path)
    ids, _ = rows_and_labels()
    with torch.no_grad():
        mine = model(input_ids=ids).logits
        fresh = PeftModel.from_pretrained(model_of().unload(), str(tmp_path))
        theirs = fresh(input_ids=ids).logits
    assert torch.allclose(mine, theirs, atol=1e-4)


def test_what_our_layers_cannot_hold_is_named() -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import GPT2Config, GPT2LMHeadModel

    from training.kernels.install import install, obstacles

    other = get_peft_model(
        GPT2LMHeadModel(GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=50)),
        LoraConfig(r=2, target_modules=["c_attn"], lora_dropout=0.1, fan_in_fan_out=True),
    )
    found = obstacles(other)
    assert any("gpt2" in reason for reason in found) and "adapters have dropout" in found
    with pytest.raises(ValueError, match="gpt2"):
        install(other)
    assert obstacles(model_of()) == []
