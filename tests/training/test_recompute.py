"""Activations of some layers are computed again, and the gradients stay what they were."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize("layers, count", [(2, 1), (32, 8), (30, 7), (5, 5), (4, 0)])
def test_so_many_layers_are_chosen_evenly_apart(layers: int, count: int) -> None:
    from training.recompute import chosen_layers

    chosen = sorted(chosen_layers(layers, count))
    assert len(chosen) == count
    assert all(after - before <= layers // count + 1 for before, after in pairwise(chosen))


@pytest.mark.filterwarnings("ignore::FutureWarning")  # the old name is asked on purpose
@pytest.mark.parametrize("count", [0, 1, 2])
def test_so_many_layers_are_computed_again_and_the_gradient_is_the_same(base: Path, count: int) -> None:
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.modeling_layers import GradientCheckpointingLayer

    from training.recompute import recompute_only

    def gradient(model: Any) -> Any:
        ids = torch.arange(12).reshape(2, 6)
        model.train()
        model(input_ids=ids, labels=ids, use_cache=False).loss.backward()
        return model.model.layers[0].mlp.up_proj.weight.grad

    plain = gradient(AutoModelForCausalLM.from_pretrained(base))
    model = AutoModelForCausalLM.from_pretrained(base)
    recompute_only(model, count)
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    layers = [layer for layer in model.modules() if isinstance(layer, GradientCheckpointingLayer)]
    assert sum(layer.gradient_checkpointing for layer in layers) == count
    torch.testing.assert_close(gradient(model), plain)
