"""What the memory estimate says that a layer keeps is what autograd keeps, to a few bytes a token."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from core.jobspec import MethodSpec
from cost_models.kept import Setting, layer_bytes
from cost_models.shapes import ModelShape

SHAPE = ModelShape(id="small", layers=2, hidden=128, heads=4, kv_heads=2, head_dim=32, ffn=352, vocab=50, tied=False)
SHORT, LONG = 64, 96


def build(family: str, layers: int) -> Any:
    """A small random model of a family, of about the same sizes."""
    import transformers

    sizes = {
        "vocab_size": SHAPE.vocab, "hidden_size": SHAPE.hidden, "intermediate_size": SHAPE.ffn,
        "num_hidden_layers": layers, "num_attention_heads": SHAPE.heads, "num_key_value_heads": SHAPE.kv_heads,
        "head_dim": SHAPE.head_dim, "pad_token_id": 0,
    }  # fmt: skip
    gpt2 = {"vocab_size": SHAPE.vocab, "n_embd": SHAPE.hidden, "n_inner": SHAPE.ffn, "n_layer": layers,
            "n_head": SHAPE.heads}  # fmt: skip
    configs: dict[str, Any] = {
        "Llama": sizes,
        "Qwen3": sizes,
        "Gemma2": sizes | {"layer_types": ["full_attention"] * layers},
        "Phi3": {name: value for name, value in sizes.items() if name != "head_dim"},
        "Mixtral": sizes | {"num_local_experts": 4, "num_experts_per_tok": 2},
        "GPT2": gpt2,
    }
    head = "LMHeadModel" if family == "GPT2" else "ForCausalLM"
    config = getattr(transformers, f"{family}Config")(**configs[family])
    return getattr(transformers, family + head)(config)


def saved_bytes(layers: int, tokens: int, method: MethodSpec, bytes_each: int, family: str = "Llama") -> int:
    """Bytes of all tensors that the forward pass keeps beside the parameters."""
    import torch
    from peft import LoraConfig, get_peft_model

    model = build(family, layers).to(torch.bfloat16 if bytes_each == 2 else torch.float32)
    if method.kind == "lora":
        model = get_peft_model(
            model,
            LoraConfig(
                r=method.rank, target_modules=method.targets, lora_dropout=method.dropout, use_dora=method.dora,
                task_type="CAUSAL_LM",
            ),
        )  # fmt: skip
    model.train()
    own = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    kept: dict[int, tuple[int, Any]] = {}

    def pack(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = (storage.nbytes(), tensor)  # held, so that no address is given twice
        return tensor

    numbers = torch.autocast("cpu", torch.bfloat16) if bytes_each == 2 else contextlib.nullcontext()
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor), numbers:
        out = model(input_ids=torch.zeros((1, tokens), dtype=torch.long), use_cache=False)
    assert out.logits.requires_grad
    return sum(size for size, _ in kept.values())


@pytest.mark.filterwarnings("ignore::FutureWarning")  # of PEFT's own asking
@pytest.mark.parametrize(
    ("method", "bytes_each"),
    [
        (MethodSpec(rank=4), 2),
        (MethodSpec(rank=4, dropout=0.1), 2),
        (MethodSpec(rank=4, dora=True), 2),
        (MethodSpec(rank=4, targets=["q_proj", "v_proj"]), 2),
        (MethodSpec(kind="full"), 2),
        (MethodSpec(rank=4, dropout=0.1), 4),
    ],
    ids=["lora", "dropout", "dora", "two layers", "full", "float32"],
)
def test_a_layer_keeps_what_the_estimate_says(method: MethodSpec, bytes_each: int) -> None:
    def layer(tokens: int) -> int:
        return saved_bytes(3, tokens, method, bytes_each) - saved_bytes(2, tokens, method, bytes_each)

    measured = (layer(LONG) - layer(SHORT)) / (LONG - SHORT)
    assert layer_bytes(SHAPE, method, Setting(bytes_each=bytes_each, on_cpu=True)) == pytest.approx(measured, rel=0.01)


FAMILIES: dict[str, dict[str, Any]] = {
    "Qwen3": {"qk_norm": True},
    "Gemma2": {"norms": 4, "eager": True},
    "Phi3": {"fused": True},
    "Mixtral": {"experts": 4, "experts_per_token": 2, "expert_ffn": SHAPE.ffn},
    "GPT2": {"gated": False, "fused": True, "eager": True, "positions": 1024, "kv_heads": SHAPE.heads},
}


@pytest.mark.filterwarnings("ignore")  # of PEFT, on what each family's layers are
@pytest.mark.parametrize("family", FAMILIES)
def test_the_layers_of_other_families_keep_what_the_estimate_says_to_a_twentieth(family: str) -> None:
    shape, method = SHAPE.model_copy(update=FAMILIES[family]), MethodSpec(rank=4)

    def measured(tokens: int) -> int:
        return saved_bytes(3, tokens, method, 2, family) - saved_bytes(2, tokens, method, 2, family)

    def said(tokens: int) -> float:
        return tokens * layer_bytes(shape, method, Setting(on_cpu=True, row_tokens=tokens))

    assert said(LONG) - said(SHORT) == pytest.approx(measured(LONG) - measured(SHORT), rel=0.05)
