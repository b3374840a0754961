"""Peak memory of a training run, part by part, on a card or a processor.

Peak = weights + adapter + gradients + optimizer + activations + logits + buffers, then what the allocator wastes and
what the driver's context takes. The parts are counted tensor by tensor (`kept.py`); no part is fitted to published
figures. Waste and context are ranges: on a processor from our own runs of SmolLM2-135M, on a card wide on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import Refused
from core.jobspec import MethodSpec
from cost_models.kept import Setting, layer_bytes
from cost_models.shapes import ModelShape
from cost_models.trainable import trainable_parameters

GIB = 2**30
NF4_BYTES = 0.5 + 1 / 64 + 4 / (64 * 256)
"""4-bit weights with double-quantised scales: blocks of 64, scales in groups of 256 (Dettmers et al. 2023)."""
BASE_BYTES = {"4": NF4_BYTES, "8": 1.0, "fp8": 2.0}
"""A weight of a quantised linear layer. fp8 keeps two copies, row by row for each direction of the product."""
ADAPTER_STATE_BYTES = 16
"""float32 adapter, gradient and two Adam moments."""
FULL_STATE_BYTES = 16
"""float32 master weight, gradient and two Adam moments, beside the 16-bit weights."""
PLAIN_LOGIT_BYTES = 12
"""Per token and word, as the backward pass begins: log-softmax, its gradient and that of the loss, in float32."""
CPU_LOGIT_BYTES = 14
"""As on a card, and the 16-bit logits, which a processor's autocast keeps."""
LOSS_TILE = (4096, 8192)
"""Tokens x words of the tile in which a fused loss holds logits (TRL 1.16)."""
LOSS_SLICE_BYTES = 2**29
"""Logits that our own loss holds at a time."""
CONTEXT_GIB = {"cpu": (0.5, 0.65, 0.9), "cuda": (0.4, 0.7, 1.5), "mps": (0.4, 0.8, 1.5)}
"""Libraries in memory; on a card the driver's context and kernels."""
SLACK = {"cpu": (0.15, 0.35, 0.7), "cuda": (0.0, 0.05, 0.2), "mps": (0.0, 0.1, 0.4)}
"""What allocators take over what is in use, as a share of what comes and goes: low, likely, high."""
UNEVEN_SLACK = {"cpu": (0.05, 0.45, 1.3), "cuda": (0.0, 0.07, 0.1), "mps": (0.0, 0.07, 0.1)}
"""More of it where steps differ in length, so that freed blocks do not fit the next step. On a processor it grows with
the steps: of one length 0.2 to 0.4 is wasted, of many 0.6 to 0.7 after 20 steps, 1.5 after 135."""


@dataclass(frozen=True)
class Run:
    """How a step is run; what it does not say is the usual."""

    device: str = "cpu"
    bytes_each: float = 2
    tokens: int = 1
    """Tokens of a step on the device: rows x longest row."""
    row_tokens: int = 0
    """The longest row; 0 where one row makes the step."""
    uneven: bool = False
    """True where steps differ in length."""
    padded: bool = False
    """True where rows of one step do."""
    stack: str = "peft"
    recomputed: float = 0.0
    """Share of the layers that are recomputed: 0 none, 1 all."""
    loss: str = "plain"
    """plain; fused (tiles of the vocabulary); answers (learned positions alone)."""
    learned_tokens: int | None = None
    """Tokens of a step that are learned; all where unknown."""
    optimizer: str = "adamw"
    offloads: bool = False
    """True where the inputs of recomputed layers wait in main memory."""
    shards: int = 1
    """Devices over which the frozen layers are spread."""
    widened: bool = False
    """True where what is not quantised is kept in float32, as PEFT's preparation for k-bit training does."""


@dataclass(frozen=True)
class Memory:
    """GiB by part, and the range of the sum."""

    parts: dict[str, float]
    low: float
    likely: float
    high: float

    @property
    def allocated(self) -> float:
        """Likely GiB of the tensors alone: what PyTorch's counter of allocated memory shows at its peak."""
        return sum(value for name, value in self.parts.items() if name not in ("context", "slack"))


def weight_bytes(shape: ModelShape, method: MethodSpec, bytes_each: float, *, widened: bool = True) -> float:
    """The base's weights. Quantisation shrinks linear layers only: embeddings, head, norms and experts stay.

    They stay in float32 where `widened` (PEFT's preparation for k-bit training), else in `bytes_each`.
    """
    rest = shape.total_params - shape.linear_params
    if method.kind == "full" or method.bits == "16":
        return shape.total_params * bytes_each
    return shape.linear_params * BASE_BYTES[method.bits] + rest * (4 if widened else bytes_each)


def peak_memory(
    shape: ModelShape,
    method: MethodSpec,
    *,
    tokens: int,
    device: str = "cpu",
    bytes_each: float = 2,
    checkpointing: bool = False,
    run: Run | None = None,
) -> Memory:
    """Memory of one training step over `tokens` tokens (rows x longest row), or of the step that `run` describes.

    Raises `Refused` for a device that we know nothing about, `BadInput` for targets that do not exist.
    """
    if run is None:
        run = Run(device=device, bytes_each=bytes_each, tokens=tokens, recomputed=float(checkpointing))
    kind = run.device.partition(":")[0]
    if kind not in CONTEXT_GIB:
        raise Refused(f"no memory model for device `{run.device}`.", "Use `cpu` or `cuda`.")
    fixed = _fixed_bytes(shape, method, run)
    moving = _moving_bytes(shape, method, run, on_cpu=kind == "cpu")
    low, likely, high = (share + more * run.uneven for share, more in zip(SLACK[kind], UNEVEN_SLACK[kind], strict=True))
    context_low, context, context_high = CONTEXT_GIB[kind]
    here, there = sum(fixed.values()) / GIB, sum(moving.values()) / GIB
    parts = {name: value / GIB for name, value in (fixed | moving).items()}
    parts |= {"context": context, "slack": there * likely}
    return Memory(
        parts={name: round(value, 3) for name, value in parts.items()},
        low=0.97 * here + there * (0.85 + low) + context_low,
        likely=sum(parts.values()),
        high=1.05 * here + _widening(shape, method, run) + there * (1.1 + high) + context_high,
    )


def _widening(shape: ModelShape, method: MethodSpec, run: Run) -> float:
    """GiB more where the rest of a quantised base turns out to be widened to float32."""
    if method.kind == "full" or method.bits not in ("4", "8") or run.widened or run.stack != "peft":
        return 0.0
    return (shape.total_params - shape.linear_params) * max(0.0, 4 - run.bytes_each) / GIB


def _fixed_bytes(shape: ModelShape, method: MethodSpec, run: Run) -> dict[str, float]:
    """What stays from the first step to the last."""
    weights = weight_bytes(shape, method, run.bytes_each, widened=run.widened)
    quantised = method.kind != "full" and method.bits != "16"
    each = 4 if quantised and run.widened else run.bytes_each
    embeddings = shape.embedding_params * each
    trained = trainable_parameters(shape, method)
    moments = 2 if run.optimizer == "adamw_8bit_paged" else 8
    if method.kind == "full" and run.bytes_each == 4:
        weights = embeddings = 0.0  # float32 weights are their own masters
    return {
        "weights": (weights - embeddings) / (run.shards if method.kind != "full" else 1),
        "embeddings": embeddings,
        "master" if method.kind == "full" else "adapter": trained * 4.0,
        "gradients": trained * 4.0,
        "optimizer": float(trained * moments),
    }


def _moving_bytes(shape: ModelShape, method: MethodSpec, run: Run, *, on_cpu: bool) -> dict[str, float]:
    """What a step needs and frees, at the moment when it is most.

    That is either when the backward pass begins, with all that the layers kept and the logits, or in a layer that is
    recomputed, with its own tensors on top of the inputs of all layers.
    """
    e, h, f = run.bytes_each, shape.hidden, shape.working_ffn
    how = Setting(
        stack=run.stack, bytes_each=e, on_cpu=on_cpu, padded=run.padded, row_tokens=run.row_tokens or run.tokens
    )
    layer = layer_bytes(shape, method, how)
    offloaded = run.offloads or run.stack == "unsloth"
    again = min(shape.layers, round(run.recomputed * shape.layers))
    kept = run.tokens * ((shape.layers - again) * layer + again * (0 if offloaded else e * h))
    gradients = run.tokens * e * (2 * f + 2 * h)  # of one feed-forward, on its way back
    live = run.tokens * layer + gradients if again else gradients
    logits = _logit_bytes(shape, run, on_cpu=on_cpu)
    sizes = [inputs * outputs for inputs, outputs in shape.linears().values()]
    unpacked = max(sizes) * (2 if run.stack == "tuneworthy" else 1)  # ours unpacks gate and up as one
    quantised = method.kind != "full" and method.bits in ("4", "8")
    return {
        "activations": kept + (live if live >= logits else 0.0),
        "logits": 0.0 if live >= logits else logits,
        "buffers": unpacked * e + _gathered_bytes(shape, run) if quantised else _gathered_bytes(shape, run),
    }


def _gathered_bytes(shape: ModelShape, run: Run) -> float:
    """Of a base that is spread over devices, one layer is whole while it computes and the next one comes in."""
    return 2 * shape.linear_params / shape.layers * run.bytes_each if run.shards > 1 else 0.0


def _logit_bytes(shape: ModelShape, run: Run, *, on_cpu: bool) -> float:
    learned = run.tokens if run.learned_tokens is None else min(run.tokens, run.learned_tokens)
    if run.loss == "fused" and run.stack == "tuneworthy":
        kept = learned * shape.hidden * run.bytes_each
        return min(learned * shape.vocab * run.bytes_each, LOSS_SLICE_BYTES) + kept
    if run.loss == "fused":
        tokens, words = LOSS_TILE
        tile = min(run.tokens, tokens) * min(shape.vocab, words) * 4
        return float(tile + run.tokens * shape.hidden * 4)
    each = CPU_LOGIT_BYTES if on_cpu else PLAIN_LOGIT_BYTES
    return float((learned if run.loss == "answers" else run.tokens) * shape.vocab * each)
