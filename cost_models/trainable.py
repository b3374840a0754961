"""How many numbers a tuning method trains, and how large its adapter is on disk."""

from __future__ import annotations

from core.errors import BadInput
from core.jobspec import MethodSpec
from cost_models.shapes import ModelShape

BYTES_16_BIT = 2
BOTTLENECK_WIDTH = 64
VIRTUAL_TOKENS = 20
DEFAULT_TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def lora_parameters(inputs: int, outputs: int, rank: int) -> int:
    """Numbers that LoRA trains for one matrix: A is (rank, inputs), B is (outputs, rank).

    A 4096 x 4096 matrix has 16,777,216 numbers; at rank 8 LoRA trains 65,536 of them (Hu et al. 2021, section 4.1).
    """
    return rank * (inputs + outputs)


def targets_of(method: MethodSpec) -> tuple[str, ...]:
    """Names of the linear layers that get an adapter."""
    return DEFAULT_TARGETS if method.targets == "all-linear" else tuple(method.targets)


def trainable_parameters(shape: ModelShape, method: MethodSpec) -> int:
    """Numbers that `method` trains in a model of this shape. Raises `BadInput` when no layer matches the targets."""
    layers, linears = shape.layers, shape.linears()
    if method.kind == "full":
        return shape.total_params
    if method.kind == "lora":
        chosen = [linears[name] for name in targets_of(method) if name in linears]
        if not chosen:
            raise BadInput(
                f"no linear layer is called {', '.join(targets_of(method))}.", f"Known: {', '.join(linears)}."
            )
        return layers * sum(lora_parameters(inputs, outputs, method.rank) for inputs, outputs in chosen)
    if method.kind == "prefix":
        return 2 * layers * VIRTUAL_TOKENS * shape.kv
    if method.kind == "prompt":
        return VIRTUAL_TOKENS * shape.hidden
    if method.kind == "ia3":
        return layers * (2 * shape.kv + shape.ffn)
    return layers * 2 * (2 * shape.hidden * BOTTLENECK_WIDTH)


def adapter_megabytes(parameters: int, bytes_each: int = BYTES_16_BIT) -> float:
    """Size on disk in millions of bytes."""
    return parameters * bytes_each / 1e6
