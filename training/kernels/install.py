"""Puts our decoder layers and our loss into a model with LoRA adapters. The adapters stay PEFT's own parameters.

What is trained, saved and loaded is an ordinary PEFT adapter; only the arithmetic between is ours.
"""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch

from training.kernels.adapters import Group, Place
from training.kernels.frozen import Buffer, EightBits, FourBits, Frozen, SixteenBits
from training.kernels.layer import Layer, run_layer
from training.kernels.offload import Offload

FAMILIES = ("llama", "mistral", "qwen2")
"""Model types whose layers are norm, attention, norm, gated feed-forward, and nothing else."""
GROUPS = {
    "qkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "o": ("self_attn.o_proj",),
    "gate_up": ("mlp.gate_proj", "mlp.up_proj"),
    "down": ("mlp.down_proj",),
}
ROOMY = ("qkv", "gate_up")
"""Whose rows come out of a norm, which can leave room behind them."""
ALIGNED = 8
"""Columns that a product of 16-bit numbers reads at a time: 16 bytes."""
EIGHT_BIT_ALIGNED = 16
WIDEST = 2**16
"""Numbers of a row that one program of a kernel can hold."""


def obstacles(model: Any) -> list[str]:
    """Why our layers cannot stand in for those of this PEFT model; nothing where they can."""
    config, found = model.config, []
    if config.model_type not in FAMILIES:
        found.append(f"models of the family {config.model_type} have other layers")
    if getattr(config, "hidden_act", "silu") != "silu":
        found.append(f"the feed-forward layers use {config.hidden_act}")
    if getattr(config, "sliding_window", None) and getattr(
        config, "use_sliding_window", config.model_type == "mistral"
    ):
        found.append("attention looks at a window only")
    if 2 * getattr(config, "intermediate_size", 0) > WIDEST:
        found.append("its rows are wider than our kernels hold")
    for settings in getattr(model, "peft_config", {}).values():
        if str(getattr(settings, "peft_type", "")).rpartition(".")[2] != "LORA":
            found.append("the method is not LoRA")
        elif settings.use_dora:
            found.append("DoRA has a weight of its own")
        elif settings.lora_dropout:
            found.append("adapters have dropout")
    return found


def install(model: Any, *, fp8: bool = False, recompute_layers: int = 0, offload: bool = False) -> list[Layer]:
    """Replace each decoder layer's forward. Raises `ValueError` where `obstacles` names something.

    `fp8` makes the products with the frozen weights in e4m3; `recompute_layers` of the layers, spread evenly, keep only
    their input, on the host with `offload`. The base's 16-bit weights are freed where a layer holds its own copy.
    """
    if reasons := obstacles(model):
        raise ValueError("; ".join(reasons))
    decoder = decoder_of(model)
    away = Offload() if offload and recompute_layers else None
    buffer = Buffer()
    count, installed = len(decoder.layers), []
    for at, module in enumerate(decoder.layers):
        layer = _layer(module, model.config, buffer, fp8=fp8)
        # Evenly spread: (at + 1) n / count passes a whole number once for each layer that is recomputed.
        layer.recompute = (at + 1) * recompute_layers // count > at * recompute_layers // count
        layer.offload = away
        module.forward = MethodType(_forward_with(layer, _matrices(module)), module)
        installed.append(layer)
    return installed


def decoder_of(model: Any) -> Any:
    """The stack of layers inside a PEFT model of a causal language model."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    return base.model


def _forward_with(layer: Layer, matrices: tuple[Any, ...]) -> Any:
    def forward(_module: Any, hidden_states: Any, *_: Any, position_embeddings: Any, **__: Any) -> Any:
        cos, sin = (part.reshape(-1, part.shape[-1]).contiguous() for part in position_embeddings)
        return run_layer(layer, hidden_states, cos, sin, matrices)

    return forward


def _layer(module: Any, config: Any, buffer: Buffer, *, fp8: bool) -> Layer:
    groups, weights, biases = {}, {}, {}
    for name, paths in GROUPS.items():
        linears = [module.get_submodule(path) for path in paths]
        bases = [_base(linear) for linear in linears]
        widths = [base.out_features for base in bases]
        groups[name] = Group(_places(linears, widths), sum(widths))
        weights[name] = _frozen(bases, buffer, groups[name].ranks, roomy=name in ROOMY, fp8=fp8)
        if (bias := _bias(bases)) is not None:
            biases[name] = bias
    attention = module.self_attn
    return Layer(
        heads=config.num_attention_heads,
        kv_heads=config.num_key_value_heads,
        head_dim=attention.head_dim,
        epsilon=module.input_layernorm.variance_epsilon,
        norm_before=module.input_layernorm.weight.detach(),
        norm_between=module.post_attention_layernorm.weight.detach(),
        weights=weights,
        groups=groups,
        biases=biases,
    )


def _frozen(bases: list[Any], buffer: Buffer, ranks: int, *, roomy: bool, fp8: bool) -> Frozen:
    weights = [base.weight for base in bases]
    if hasattr(weights[0], "quant_state"):
        return FourBits(weights, buffer, bases[0].compute_dtype or torch.bfloat16, fp8=fp8)
    parts = [weight.detach() for weight in weights]
    if fp8:
        eight = EightBits(torch.cat(parts), ranks if ranks % EIGHT_BIT_ALIGNED == 0 else 0)
        for weight in weights:
            weight.data = weight.data.new_empty(0)
        return eight
    aligned = ranks if ranks % ALIGNED == 0 else 0
    wide = parts[0].shape[1] > sum(part.shape[0] for part in parts)  # a product that is costly to go over twice
    sixteen = SixteenBits(parts, aligned if roomy else 0, aligned if wide and not roomy else 0)
    own = sixteen.weight[:, : sixteen.width].split([weight.shape[0] for weight in weights])
    for weight, part in zip(weights, own, strict=True):
        weight.data = part  # a view: the weight is held once
    return sixteen


def _bias(bases: list[Any]) -> Any:
    if all(base.bias is None for base in bases):
        return None
    return torch.cat(
        [base.weight.new_zeros(base.out_features) if base.bias is None else base.bias.detach() for base in bases]
    )


def _places(linears: list[Any], widths: list[int]) -> tuple[Place, ...]:
    places, first = [], 0
    for linear, width in zip(linears, widths, strict=True):
        if hasattr(linear, "lora_A"):
            (name,) = linear.active_adapters
            places.append(Place(slice(first, first + width), linear.r[name], linear.scaling[name]))
        first += width
    return tuple(places)


def _matrices(module: Any) -> tuple[Any, ...]:
    """A and B of each adapted layer, in the order of `GROUPS`."""
    found = []
    for paths in GROUPS.values():
        for path in paths:
            linear = module.get_submodule(path)
            if hasattr(linear, "lora_A"):
                (name,) = linear.active_adapters
                found += [linear.lora_A[name].weight, linear.lora_B[name].weight]
    return tuple(found)


def _base(linear: Any) -> Any:
    return linear.get_base_layer() if hasattr(linear, "get_base_layer") else linear
