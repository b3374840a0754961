"""How long a training run takes: tokens, and how fast this device eats them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from pydantic import BaseModel, ConfigDict

from core.jobspec import MethodSpec
from cost_models.facts import FACTS_FOLDER, Device
from cost_models.prices import require_file
from cost_models.shapes import ModelShape

FLOAT32_SHARE = 0.125
"""Arithmetic of float32 against 16 bits on a card: plain cores against tensor cores, an eighth on most."""
DEQUANTISED_BYTES = 0.52 + 2
"""A 4-bit weight is read, and written again in 16 bits, on every pass over its layer."""
BANDWIDTH_SHARE = 0.5
"""Of the memory's sheet figure that unpacking reaches: judgement."""
MORE_CARDS_SHARE = 0.9
"""What each of several cards does of what it does alone: judgement."""
DORA_FACTOR = 1.2
"""DoRA takes the norm of every adapted matrix on each pass: judgement."""


class Span(BaseModel):
    """Low, likely and high of one figure."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    low: float
    likely: float
    high: float

    def times(self, factor: float) -> Span:
        """All three, multiplied."""
        return Span(low=self.low * factor, likely=self.likely * factor, high=self.high * factor)


class _Cpu(BaseModel):
    params: int
    cores: int
    bfloat16: Span
    float32: Span
    core_exponent: float


class _Cuda(BaseModel):
    share: dict[str, Span]
    layer_seconds: dict[str, Span]


class _Overhead(BaseModel):
    cpu: Span
    cuda: Span
    compiling: Span


class SpeedFacts(BaseModel):
    """`facts/speed.toml`."""

    cpu: _Cpu
    cuda: _Cuda
    overhead: _Overhead


@lru_cache(maxsize=1)
def speed_facts() -> SpeedFacts:
    """Measured speeds, read once."""
    return SpeedFacts.model_validate(require_file(FACTS_FOLDER / "speed.toml"))


def padded_tokens(token_counts: Sequence[int], micro_batch: int) -> float:
    """Tokens of one pass with every batch padded to its longest row, the rows in random order.

    The expected longest of b rows drawn at random is the sum over the sorted rows of
    length x ((i + 1) / n)^b - (i / n)^b.
    """
    lengths, n = sorted(token_counts), len(token_counts)
    if not n:
        return 0.0
    batch = min(micro_batch, n)
    longest = sum(length * (((place + 1) / n) ** batch - (place / n) ** batch) for place, length in enumerate(lengths))
    return longest * n


def grouped_tokens(token_counts: Sequence[int], micro_batch: int) -> float:
    """Tokens of one pass with rows of like length side by side, as our trainer orders them."""
    lengths = sorted(token_counts)
    return float(sum(max(lengths[at : at + micro_batch]) * len(lengths[at : at + micro_batch])
                     for at in range(0, len(lengths), micro_batch)))  # fmt: skip


def flops_per_token(shape: ModelShape, method: MethodSpec, *, row_tokens: int, recomputed: float = 0.0) -> float:
    """Multiplications and additions of one token, forward and back, attention on the mean half of its row.

    Forward 2 N; back 2 N for the inputs, and 2 N for the weights where they are all trained (Kaplan et al. 2020, 2.1).
    Fused attention: two products forward, five back. Recomputing runs a layer forward once more.
    """
    attention = 2.0 * (row_tokens / 2) * shape.query * shape.layers  # of one product
    forward = 2.0 * shape.working_params + 2 * attention
    back = (4.0 if method.kind == "full" else 2.0) * shape.working_params + 5 * attention
    again = recomputed * (forward - 2.0 * shape.vocab * shape.hidden)
    return (forward + back + again) * (DORA_FACTOR if method.kind == "lora" and method.dora else 1.0)


def cpu_tokens_per_second(
    shape: ModelShape, method: MethodSpec, *, cores: int, precision: str, row_tokens: int = 0, recomputed: float = 0.0
) -> Span:
    """Training speed on a processor, scaled from the measured LoRA by arithmetic and cores."""
    facts = speed_facts().cpu
    measured = facts.bfloat16 if precision == "bfloat16" else facts.float32
    flops = flops_per_token(shape, method, row_tokens=row_tokens, recomputed=recomputed)
    return measured.times(4.0 * facts.params / flops * (cores / facts.cores) ** facts.core_exponent)


def card_tokens_per_second(
    shape: ModelShape,
    method: MethodSpec,
    *,
    card: Device,
    step_tokens: int,
    row_tokens: int = 0,
    recomputed: float = 0.0,
    stack: str = "peft",
    precision: str = "bfloat16",
) -> Span:
    """Training speed on one card: share of its peak; at least the time that starting the layers' kernels takes.

    A base in 4 or 8 bits adds the time of unpacking it, once forward and once back.
    """
    facts = speed_facts().cuda
    compiled = stack in ("tuneworthy", "compiled", "unsloth")
    share = facts.share[_row(method, card, stack)]
    floor = facts.layer_seconds["compiled" if compiled else "eager"]
    peak = card.tflops * 1e12 * (FLOAT32_SHARE if precision == "float32" else 1.0)
    work = step_tokens * flops_per_token(shape, method, row_tokens=row_tokens, recomputed=recomputed)
    passes = 2 + recomputed
    packed = method.kind == "lora" and method.bits in ("4", "8")
    unpacking = passes * shape.linear_params * DEQUANTISED_BYTES / (card.gb_per_second * 1e9 * BANDWIDTH_SHARE)
    starts = shape.layers * (1 + recomputed / 2)

    def speed(of_peak: float, layer_seconds: float) -> float:
        seconds = max(work / (peak * of_peak), starts * layer_seconds)
        return step_tokens / (seconds + (unpacking if packed else 0.0))

    return Span(
        low=speed(share.low, floor.high),
        likely=speed(share.likely, floor.likely),
        high=speed(share.high, floor.low),
    )


def _row(method: MethodSpec, card: Device, stack: str) -> str:
    """Which share of the peak holds."""
    if card.kind == "mps":
        return "mps"
    if method.kind == "full":
        return "full"
    if stack == "tuneworthy" and method.bits == "fp8":
        return "tuneworthy_fp8"
    return stack if stack in speed_facts().cuda.share else "peft"
