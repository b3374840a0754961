"""How long a training run takes: tokens, and how fast this device eats them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from pydantic import BaseModel, ConfigDict

from core.jobspec import MethodSpec
from cost_models.facts import FACTS_FOLDER, device
from cost_models.prices import require_file
from cost_models.shapes import ModelShape

CHECKPOINT_FACTOR = 1.33
"""With checkpointing the forward pass runs twice: 6 N instead of 4 N would be 1.5, measured 1.2 to 1.5."""
BACKWARD_AND_FORWARD = 4.0


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
    lora: Span
    qlora: Span
    full: Span
    short_step_tokens: int
    short_step_factor: float


class _Overhead(BaseModel):
    cpu: Span
    cuda: Span


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


def cpu_tokens_per_second(shape: ModelShape, *, cores: int, precision: str, checkpointing: bool = False) -> Span:
    """Training speed on a processor, scaled from the measured model by size and cores."""
    facts = speed_facts().cpu
    measured = facts.bfloat16 if precision == "bfloat16" else facts.float32
    factor = facts.params / shape.working_params * (cores / facts.cores) ** facts.core_exponent
    return measured.times(factor / (CHECKPOINT_FACTOR if checkpointing else 1.0))


def cuda_tokens_per_second(
    shape: ModelShape, method: MethodSpec, *, gpu: str, step_tokens: int, checkpointing: bool = False
) -> Span:
    """Training speed on a card: share of its peak, over 4 N FLOPs a token (6 N for full tuning).

    Raises `NotFound` for a card that we do not know.
    """
    facts = speed_facts().cuda
    share = facts.full if method.kind == "full" else facts.qlora if method.bits == "4" else facts.lora
    flops = (6.0 if method.kind == "full" else BACKWARD_AND_FORWARD) * shape.working_params
    factor = device(gpu).tflops * 1e12 / flops
    if step_tokens < facts.short_step_tokens:
        factor *= facts.short_step_factor
    return share.times(factor / (CHECKPOINT_FACTOR if checkpointing else 1.0))
