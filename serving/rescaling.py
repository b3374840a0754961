"""(IA)3 at answering time: learned factors on keys, values and the inner feed-forward.

Liu et al. 2022, arXiv:2205.05638. PEFT cannot hold LoRA and (IA)3 adapters beside each other on one base; as hooks
that are switched on, they can be.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from core.adapter_files import WEIGHTS
from core.errors import BadInput

_BEFORE, _AFTER = "base_model.model.", ".ia3_l"
"""PEFT's name of a factor is the layer's name between these."""


class Rescaling:
    """The factors of one adapter on one model. They take part while `active` is true."""

    def __init__(self, model: Any, folder: Path, device: str) -> None:
        """Raises `BadInput` where the factors do not fit the model."""
        self.active = False
        self._hooks: list[Any] = []
        try:
            for name, factor in load_file(folder / WEIGHTS).items():
                layer = model.get_submodule(name.removeprefix(_BEFORE).removesuffix(_AFTER))
                self._hang(layer, factor.to(device, model.dtype))
        except (AttributeError, OSError, RuntimeError, ValueError) as error:
            raise BadInput(
                f"the adapter {folder} does not fit this base model.",
                "Was it trained on another base?",
                file=str(folder),
            ) from error

    def remove(self) -> None:
        """Leave the model as it was."""
        for hook in self._hooks:
            hook.remove()

    @contextmanager
    def on(self) -> Iterator[None]:
        """Let them take part inside the block."""
        self.active = True
        try:
            yield
        finally:
            self.active = False

    def _hang(self, layer: Any, factor: torch.Tensor) -> None:
        """`(1, inputs)` is on what goes into the layer, `(outputs, 1)` on what comes out of it."""
        flat = factor.flatten()
        # Of a layer that LoRA has wrapped, the one inside: it stays when LoRA goes.
        layer = layer.get_base_layer() if hasattr(layer, "get_base_layer") else layer
        sizes = (layer.in_features, layer.out_features) if hasattr(layer, "in_features") else tuple(layer.weight.shape)
        if flat.shape[0] not in sizes:
            raise ValueError(f"{flat.shape[0]} factors for a layer of {sizes}")
        if factor.shape[0] == 1:
            hook = layer.register_forward_pre_hook(
                lambda _, given: (given[0] * flat, *given[1:]) if self.active else given
            )
        else:
            hook = layer.register_forward_hook(lambda _, __, output: output * flat if self.active else output)
        self._hooks.append(hook)
