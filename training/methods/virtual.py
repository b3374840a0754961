"""Prefix and prompt tuning by PEFT: learned places before every prompt, and nothing else changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.adapter_files import WEIGHTS
from core.jobspec import JobSpec
from training.methods.method import Forbidden, Method, bits_but

_FP8 = Forbidden(
    what="An fp8 base",
    because="its layers add LoRA's product only.",
    where="method.bits",
    hint="Use `bits: '16'`, `'8'` or `'4'`.",
    asked=bits_but("16", "8", "4"),
)
PREFIX = Method(
    kind="prefix",
    label="prefix tuning",
    trains="keys and values of a few places before every prompt, in every layer",
    why="Steers every layer and leaves the base untouched; takes the place of some of the context.",
    form="peft",
    mergeable=False,
    rate_source="PEFT's own example of prefix tuning. It starts from true tokens, as Li and Liang 2021 "
    "(arXiv:2101.00190) advise",
    settings=("virtual_tokens",),
    forbids=(
        Forbidden(
            what="Gradient checkpointing",
            because="a recomputed block is run without the keys and values that the prefix consists of.",
            where="grad_checkpointing",
            hint="Use `grad_checkpointing: off` and a smaller `micro_batch`, or `prompt`.",
            asked=lambda spec: spec.grad_checkpointing == "on",
        ),
        _FP8,
    ),
)
PROMPT = Method(
    kind="prompt",
    label="prompt tuning",
    trains="the embeddings of a few places before every prompt",
    why="A few thousand numbers: one base serves many tasks. On a small model it learns little.",
    form="peft",
    mergeable=False,
    rate_source="PEFT's own example of prompt tuning; Lester et al. 2021 (arXiv:2104.08691) took 0.3 with Adafactor. "
    "It starts from true tokens, as they advise",
    settings=("virtual_tokens",),
    forbids=(_FP8,),
)


def attach(model: Any, spec: JobSpec) -> Any:
    """The frozen model with learned places before it. Raises `BadInput` for a base with sliding windows."""
    from peft import PrefixTuningConfig, PromptTuningConfig, get_peft_model

    from serving.virtual_tokens import require_full_attention, shape_of_keys

    require_full_attention(model)
    count = spec.method.virtual_tokens
    if spec.method.kind == "prompt":
        return get_peft_model(
            model,
            PromptTuningConfig(num_virtual_tokens=count, prompt_tuning_init="SAMPLE_VOCAB", task_type="CAUSAL_LM"),
        )
    layers, heads, width = shape_of_keys(model)
    learned = _of_true_tokens(model, count)
    tuned = get_peft_model(
        model,
        PrefixTuningConfig(
            num_virtual_tokens=count,
            num_layers=layers,
            num_attention_heads=heads,
            token_dim=heads * width,
            task_type="CAUSAL_LM",
        ),
    )
    _learned_of(tuned).data.copy_(learned)
    return tuned


def restore(model: Any, folder: Path) -> None:
    """Take what a checkpoint learned: PEFT itself does not load such an adapter to go on with."""
    from safetensors.torch import load_file

    from serving.virtual_tokens import TENSOR

    _learned_of(model).data.copy_(load_file(folder / WEIGHTS)[TENSOR])


def _learned_of(model: Any) -> Any:
    return model.prompt_encoder["default"].embedding.weight


def _of_true_tokens(model: Any, count: int) -> Any:
    """Keys and values that `count` tokens of the vocabulary have, `(count, 2 x layers x kv_heads x head_dim)`.

    Noise as a start would drown every prompt; even unrelated words do better (Li and Liang 2021, section 7.4).
    """
    import torch
    from transformers import DynamicCache

    ids = torch.randint(0, model.get_input_embeddings().num_embeddings, (1, count), device=model.device)
    cache = DynamicCache()
    with torch.no_grad():
        model(ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
    parts = [part[0] for layer in cache.layers for part in (layer.keys, layer.values)]
    # (2 x layers, heads, tokens, width) to PEFT's order.
    return torch.stack(parts).permute(2, 0, 1, 3).reshape(count, -1).float()
