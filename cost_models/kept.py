"""What one layer keeps of a token for the backward pass, in bytes, tensor by tensor.

The terms follow what autograd saves in transformers 5 and PEFT 0.21: a test counts the saved tensors of small models of
several families and compares. Widths: h hidden, q queries, k keys (and values), f feed-forward; e is the bytes of one
number. Eager attention also keeps its scores, heads x row length.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.jobspec import MethodSpec
from cost_models.shapes import ModelShape
from cost_models.trainable import adapted_linears

STACKS: dict[str, str] = {
    "peft": "transformers and PEFT as they are",
    "tuneworthy": "our own layer and loss: norms and the gated product are made again in the backward pass",
    "compiled": "PEFT with each layer compiled by PyTorch, for comparison",
    "liger": "PEFT with Liger's kernels, for comparison",
    "unsloth": "Unsloth, for comparison",
}
"""Training stacks that can be estimated. Only the first two can be run here."""
_ATTENTION_IN = ("q_proj", "k_proj", "v_proj", "qkv_proj")
_FEED_FORWARD_IN = ("gate_proj", "up_proj", "gate_up_proj")


@dataclass(frozen=True)
class Setting:
    """What the saved tensors depend on beside model and method."""

    stack: str = "peft"
    bytes_each: float = 2
    """2 for 16-bit arithmetic, 4 for float32."""
    on_cpu: bool = False
    padded: bool = False
    """True where rows of a step differ in length: with a mask each head of keys is copied for its queries."""
    row_tokens: int = 0
    """Longest row; 0 where one row makes the step."""


def layer_bytes(shape: ModelShape, method: MethodSpec, how: Setting) -> float:
    """Bytes that one layer keeps of one token. Raises `BadInput` for targets that the model lacks."""
    e, h, f = how.bytes_each, shape.hidden, shape.working_ffn
    # With a mask the heads of keys are copied for their queries; Unsloth's path through PyTorch's does always.
    copied = how.stack == "unsloth" or (how.stack != "tuneworthy" and (how.padded or shape.eager))
    kv = shape.query if copied else shape.kv
    # A plain norm keeps its input in float32; a fused one in the number format of the model.
    norm = 4 if how.stack == "peft" else e
    kept = norm * shape.norms * h + e * (2 * shape.query + 2 * kv) + 4 * shape.heads
    if shape.qk_norm:
        kept += norm * (shape.query + shape.kv)
    if shape.eager:
        kept += (2 * e + 4) * shape.heads * how.row_tokens  # scores, capped or with sinks; softmax in float32
    if shape.fused and shape.gated and how.stack != "tuneworthy":
        kept += e * (shape.query + shape.kv)  # values are a part of the one product, which stays whole
    if shape.positions:
        # GPT-2's family drops out scores and both outputs, and writes its GELU in five steps.
        kept += e * (shape.query + shape.kv + 2 * f) + 2 * (4 * h + e * h) + (e + 1) * shape.heads * how.row_tokens
    if shape.mixture:
        # What each expert gave, before and as it is weighed, and what went into its way down.
        kept += e * shape.experts_per_token * (2 * h + shape.expert_ffn)
    # Gate, its activation, the way up; fused kernels compute the activation again.
    kept += e * f * ((2 if how.stack != "peft" else 3) if shape.gated else 1)
    if method.kind == "full":
        return kept + e * ((2 + shape.norms) * h + f)
    if method.kind == "ia3":
        return kept + e * (2 * shape.kv + (2 * f if e < 4 else f))
    if method.kind == "bottleneck":
        places = 2 if method.placement == "houlsby" else 1
        return kept + places * e * (h + 2 * method.bottleneck_size)
    if method.kind != "lora":
        return kept
    return kept + (_lora if how.stack in ("peft", "liger") else _fused_lora)(shape, method, how)


def _lora(shape: ModelShape, method: MethodSpec, how: Setting) -> float:
    """What plain LoRA adds: inputs of its matrices, dropout masks, DoRA's products.

    A float32 adapter under autocast casts each layer's input anew, so each keeps a copy; with float32 throughout the
    layers share the one input that they read.
    """
    e, adapted = how.bytes_each, adapted_linears(shape, method)
    inputs = sum(width for width, _ in adapted.values())
    outputs = sum(width for _, width in adapted.values())
    shared = _shared_inputs(shape, set(adapted))
    copies = e < 4
    kept = e * (inputs if copies else shared) + e * method.rank * len(adapted)
    if method.dropout > 0:
        mask = 4 if how.on_cpu else 1
        kept += mask * inputs + (0 if copies else e * (inputs - shared))
    return kept + (2 * e * outputs if method.dora else 0)


def _fused_lora(shape: ModelShape, method: MethodSpec, how: Setting) -> float:
    """What LoRA adds where it is one with its layer: the products with A; the inputs that are not made again.

    Ours makes all of them again; Unsloth keeps the normed inputs, and a compiled layer that of the way down as well.
    """
    e, adapted = how.bytes_each, adapted_linears(shape, method)
    read = {"tuneworthy": set[str](), "unsloth": set(adapted) - {"down_proj"}}.get(how.stack, set(adapted))
    masks = sum(width for width, _ in adapted.values()) if method.dropout > 0 else 0
    outputs = sum(width for _, width in adapted.values()) if method.dora else 0
    return e * (_shared_inputs(shape, read) + method.rank * len(adapted)) + masks + 2 * e * outputs


def _shared_inputs(shape: ModelShape, adapted: set[str]) -> int:
    """Widths of the distinct inputs of the adapted layers; that of the attention's output is kept already."""
    found = shape.hidden if adapted & set(_ATTENTION_IN) else 0
    found += shape.hidden if adapted & set(_FEED_FORWARD_IN) else 0
    return found + (shape.linears()["down_proj"][0] if "down_proj" in adapted else 0)
