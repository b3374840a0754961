"""How many numbers a tuning method trains, and how large its adapter is on disk."""

from __future__ import annotations

from core.errors import BadInput
from core.jobspec import MethodSpec
from cost_models.shapes import ModelShape

BYTES_16_BIT = 2
ALIASES = {
    "query_key_value": "qkv_proj", "Wqkv": "qkv_proj", "c_attn": "qkv_proj", "wqkv": "qkv_proj",
    "dense": "o_proj", "out_proj": "o_proj", "wo": "o_proj",
    "dense_h_to_4h": "up_proj", "fc1": "up_proj", "c_fc": "up_proj",
    "dense_4h_to_h": "down_proj", "fc2": "down_proj",
}  # fmt: skip
"""What other families call the same layers."""
FUSED = {"q_proj": "qkv_proj", "k_proj": "qkv_proj", "v_proj": "qkv_proj", "gate_proj": "gate_up_proj",
         "up_proj": "gate_up_proj"}  # fmt: skip
"""The one matrix that holds them, in models that have one."""


def lora_parameters(inputs: int, outputs: int, rank: int) -> int:
    """Numbers that LoRA trains for one matrix: A is (rank, inputs), B is (outputs, rank).

    A 4096 x 4096 matrix has 16,777,216 numbers; at rank 8 LoRA trains 65,536 of them (Hu et al. 2021, section 4.1).
    """
    return rank * (inputs + outputs)


def adapted_linears(shape: ModelShape, method: MethodSpec) -> dict[str, tuple[int, int]]:
    """The linear layers of one block that get an adapter: name to (inputs, outputs).

    Raises `BadInput` when no layer matches the targets.
    """
    linears = shape.linears()
    if method.targets == "all-linear":
        return linears
    wanted = {ALIASES.get(name, name) for name in method.targets}
    wanted |= {FUSED[name] for name in wanted if name in FUSED and name not in linears}
    chosen = {name: sizes for name, sizes in linears.items() if name in wanted}
    if not chosen:
        raise BadInput(f"no linear layer is called {', '.join(method.targets)}.", f"Known: {', '.join(linears)}.")
    return chosen


def trainable_parameters(shape: ModelShape, method: MethodSpec) -> int:
    """Numbers that `method` trains in a model of this shape. Raises `BadInput` when no layer matches the targets."""
    layers = shape.layers
    if method.kind == "full":
        return shape.total_params
    if method.kind == "lora":
        chosen = adapted_linears(shape, method).values()
        lengths = sum(outputs for _, outputs in chosen) if method.dora else 0
        return layers * (sum(lora_parameters(inputs, outputs, method.rank) for inputs, outputs in chosen) + lengths)
    if method.kind == "prefix":
        return 2 * layers * method.virtual_tokens * shape.kv
    if method.kind == "prompt":
        return method.virtual_tokens * shape.hidden
    if method.kind == "ia3":
        return layers * (2 * shape.kv + shape.working_ffn)
    # A way down and a way up with their biases, after attention and feed-forward or after the feed-forward alone.
    places, width = (2 if method.placement == "houlsby" else 1), method.bottleneck_size
    return layers * places * (2 * shape.hidden * width + width + shape.hidden)


def adapter_megabytes(parameters: int, bytes_each: int = BYTES_16_BIT) -> float:
    """Size on disk in millions of bytes."""
    return parameters * bytes_each / 1e6
