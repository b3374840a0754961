"""Prefix and prompt tuning at answering time: learned places before every prompt, as keys and values.

A learned prompt is read once (its tokens see only each other), a learned prefix holds keys and values already. Either
is a beginning that all prompts share, which `serving.prefix` attends to without copying it into every row.
Li and Liang 2021 (arXiv:2101.00190), Lester et al. 2021 (arXiv:2104.08691).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from core.adapter_files import WEIGHTS
from core.errors import BadInput
from serving.adapter_files import read_config
from serving.prefix import SharedPrefix, can_share, roomy_cache

TENSOR = "prompt_embeddings"
"""PEFT's name for what was learned."""


def load_virtual_tokens(model: Any, folder: Path, device: str) -> SharedPrefix:
    """The learned places of a PEFT folder for this base. Raises `BadInput` where they do not fit it."""
    require_full_attention(model)
    config = read_config(folder)
    try:
        learned = load_file(folder / WEIGHTS)[TENSOR].to(device, model.dtype)
        if config["peft_type"] == "PREFIX_TUNING":
            return prefix_of(model, learned)
        found: SharedPrefix = read_prompt(model, learned)
        return found
    except (OSError, KeyError, RuntimeError) as error:
        raise BadInput(
            f"the adapter {folder} does not fit this base model.", "Was it trained on another base?", file=str(folder)
        ) from error


def require_full_attention(model: Any) -> None:
    """Raise `BadInput` for a base whose tokens do not see all that is before them: they would lose the places."""
    if not can_share(model):
        raise BadInput(
            "prefix and prompt tuning need a base whose attention reaches back to the beginning in every layer.",
            "Use `lora`, or another base.",
        )


def prefix_of(model: Any, learned: torch.Tensor) -> SharedPrefix:
    """`(tokens, 2 x layers x kv_heads x head_dim)` as keys and values, a pair a layer: PEFT's order."""
    layers, heads, dim = shape_of_keys(model)
    parts = learned.view(learned.shape[0], 2 * layers, heads, dim).permute(1, 2, 0, 3)[:, None]
    return SharedPrefix([], [(parts[2 * at].contiguous(), parts[2 * at + 1].contiguous()) for at in range(layers)])


@torch.inference_mode()  # type: ignore[untyped-decorator]
def read_prompt(model: Any, learned: torch.Tensor) -> SharedPrefix:
    """Keys and values of learned embeddings, `(tokens, hidden)`."""
    cache = roomy_cache(model.config.get_text_config().num_hidden_layers, room=0)
    model(inputs_embeds=learned[None], past_key_values=cache, use_cache=True, logits_to_keep=1)
    return SharedPrefix([], [(layer.keys, layer.values) for layer in cache.layers])


def shape_of_keys(model: Any) -> tuple[int, int, int]:
    """(layers, heads of keys and values, their width)"""
    config = model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return int(config.num_hidden_layers), int(heads), int(dim)
