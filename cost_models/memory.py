"""Peak memory of a training run, part by part: weights, optimizer, activations, logits, context.

Peak = weights + trainable state + activations + logits + context. The formulas follow the tensors that transformers
and PEFT keep for the backward pass; the factor for what allocators waste was fitted on CPU runs of the SmolLM2-135M
shape (512 to 2,048 tokens a step, with and without dropout and checkpointing) and is wide on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import Refused
from core.jobspec import MethodSpec
from cost_models.shapes import ModelShape
from cost_models.trainable import trainable_parameters

GIB = 2**30
NF4_BYTES = 0.5 + 1 / 64 + 4 / (64 * 256)
"""4-bit weights with double-quantised scales: blocks of 64, scales in groups of 256 (Dettmers et al. 2023)."""
ADAPTER_STATE_BYTES = 16
"""float32 adapter, gradient and two Adam moments."""
FULL_STATE_BYTES = 16
"""float32 master weight, gradient and two Adam moments, beside the 16-bit weights."""
LOGIT_BYTES = {"cpu": 16, "cuda": 11}
"""Per token and word of the vocabulary: logits, a float32 copy, the softmax and its gradient, less what is freed.

Fitted: 16 on CPU; on an H100 a Llama-3.1-8B shape of 8,192 tokens with checkpointing left 10.7."""
CONTEXT_GIB = {"cpu": (0.4, 0.7, 1.0), "cuda": (0.5, 0.9, 2.0)}
"""Libraries in memory; on CUDA the driver's context and kernels."""
WASTE = {"cpu": (1.0, 1.4, 1.9), "cuda": (0.9, 1.1, 1.5)}
"""What allocators need over what is kept: low, likely, high."""


@dataclass(frozen=True)
class Memory:
    """GiB by part, and the range of the sum."""

    parts: dict[str, float]
    low: float
    likely: float
    high: float


def weight_bytes(shape: ModelShape, method: MethodSpec, bytes_each: float) -> float:
    """Frozen weights. Quantisation shrinks the linear layers only; PEFT turns the rest into float32 then."""
    rest = shape.total_params - shape.linear_params
    if method.kind == "full" or method.bits == "16":
        return shape.total_params * bytes_each
    each = {"4": NF4_BYTES, "8": 1.0, "fp8": 1.0}[method.bits]
    return shape.linear_params * each + rest * 4


def activation_bytes(shape: ModelShape, method: MethodSpec, bytes_each: float, kind: str = "cpu") -> float:
    """Kept for the backward pass, per token and layer.

    Norms keep float32 copies of their input; rotary and repeated keys keep copies of queries and keys; the gated feed
    forward keeps four. On CPU, LoRA keeps every adapted layer's input in the adapter's float32, and again after its
    dropout; on CUDA autocast keeps 16 bits.
    """
    h, q, kv, f = shape.hidden, shape.query, shape.kv, shape.ffn
    block = bytes_each * (4 * f + 2 * h + 5 * q + 2 * kv) + 2 * 8 * h + 2 * h * (bytes_each < 4)
    if method.kind == "full":
        return block + bytes_each * (2 * h + f)
    if method.kind != "lora":
        return block
    inputs = 5 * h + q + f
    casts = 4 * inputs if kind == "cpu" and bytes_each < 4 else 0
    mask_and_copy = 1 + (4 if kind == "cpu" else bytes_each)
    dropped = mask_and_copy * inputs if method.dropout > 0 else 0
    return block + casts + dropped


def peak_memory(
    shape: ModelShape,
    method: MethodSpec,
    *,
    tokens: int,
    device: str = "cpu",
    bytes_each: float = 2,
    checkpointing: bool = False,
) -> Memory:
    """Memory of one training step over `tokens` tokens (rows x longest row). `device` is cpu or cuda.

    Raises `Refused` for a device that we know nothing about, `BadInput` for targets that do not exist.
    """
    kind = device.partition(":")[0]
    if kind not in CONTEXT_GIB:
        raise Refused(f"no memory model for device `{device}`.", "Use `cpu` or `cuda`.")
    trained = trainable_parameters(shape, method)
    state = trained * (FULL_STATE_BYTES if method.kind == "full" else ADAPTER_STATE_BYTES)
    per_layer = activation_bytes(shape, method, bytes_each, kind)
    kept = 2 * shape.hidden * shape.layers + per_layer if checkpointing else shape.layers * per_layer
    context_low, context, context_high = CONTEXT_GIB[kind]
    low, likely, high = WASTE[kind]
    fixed = (weight_bytes(shape, method, bytes_each) + state) / GIB
    logits = shape.vocab * LOGIT_BYTES[kind]
    moving = tokens * (kept + logits) / GIB
    parts = {
        "weights": weight_bytes(shape, method, bytes_each) / GIB,
        "optimizer": state / GIB,
        "activations": tokens * kept / GIB * likely,
        "logits": tokens * logits / GIB * likely,
        "context": context,
    }
    return Memory(
        parts={name: round(value, 3) for name, value in parts.items()},
        low=fixed + moving * low + context_low,
        likely=sum(parts.values()),
        high=fixed * 1.05 + moving * high + context_high,
    )
