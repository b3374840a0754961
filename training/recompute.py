"""Recompute the activations of some layers only: as much memory as is needed, and no more time than that takes.

transformers turns gradient checkpointing on for all layers; each of them has its own switch, and those that are to keep
their activations are turned off again.
"""

from __future__ import annotations

from typing import Any

from transformers.modeling_layers import GradientCheckpointingLayer

NAMES = ("activation_checkpointing_enable", "gradient_checkpointing_enable")


def recompute_only(model: Any, count: int) -> None:
    """From now on gradient checkpointing of `model` is turned on for `count` layers, spread over its depth."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    # Newer releases of transformers call it by another name, and keep the old one as a way there.
    name = next(each for each in NAMES if hasattr(inner, each))
    enable = getattr(inner, name)

    def enable_some(*args: Any, **kwargs: Any) -> None:
        enable(*args, **kwargs)
        layers = [layer for layer in inner.modules() if isinstance(layer, GradientCheckpointingLayer)]
        chosen = chosen_layers(len(layers), count)
        for place, layer in enumerate(layers):
            layer.gradient_checkpointing = place in chosen

    setattr(inner, name, enable_some)


def chosen_layers(layers: int, count: int) -> set[int]:
    """Places of `count` of so many layers, evenly apart."""
    return {place for place in range(layers) if (place + 1) * count // layers > place * count // layers}
