"""How far the memory and speed estimates are from what was measured, row by row.

    python -m benchmarks.estimator_error

Two tables. The rows of other stacks were measured by us on one H100 80 GB on 2026-11-23, with random weights of the
Llama-3.1-8B shape and full rows. They judge the memory: no constant is fitted to them. Which tensors PEFT keeps was
counted from autograd; which ones Unsloth and compiled layers keep was worked out with these figures in view. Speeds are
shown beside, and no test for Liger, Unsloth and compiled layers, whose share of the peak is from these runs. The rows
on a processor are runs of our own trainer with the SmolLM2-135M shape: waste and libraries were chosen by them.
Measured on the card is PyTorch's peak of allocated memory, so context and slack are left out of what it is held
against. Needs no card and no model.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.here import here
from core.jobspec import DEFAULT_BASE_MODEL, MethodSpec
from cost_models.duration import card_tokens_per_second
from cost_models.facts import device
from cost_models.memory import Memory, Run, peak_memory
from cost_models.shapes import shape_of

EIGHT_B = "meta-llama/Llama-3.1-8B-Instruct"
CARD = "H100-SXM"
STEP_TOKENS = 8192


@dataclass(frozen=True)
class OnCard:
    """A run of 8,192 tokens a step at rank 16 on all linear layers."""

    what: str
    stack: str
    tokens_per_second: float
    allocated_gib: float
    bits: str = "16"
    recomputed: float = 0.0
    loss: str = "fused"
    row_tokens: int = 2048
    offloads: bool = False

    @property
    def method(self) -> MethodSpec:
        """LoRA over a base in these bits."""
        return MethodSpec.model_validate({"rank": 16, "bits": self.bits})

    def memory(self) -> Memory:
        """What the estimator says."""
        run = Run(
            device="cuda",
            tokens=STEP_TOKENS,
            row_tokens=self.row_tokens,
            stack=self.stack,
            recomputed=self.recomputed,
            loss=self.loss,
            offloads=self.offloads,
        )
        return peak_memory(shape_of(EIGHT_B), self.method, tokens=STEP_TOKENS, run=run)

    def speed(self) -> tuple[float, float, float]:
        """Tokens a second: low, likely, high."""
        found = card_tokens_per_second(
            shape_of(EIGHT_B),
            self.method,
            card=device(CARD),
            step_tokens=STEP_TOKENS,
            row_tokens=self.row_tokens,
            recomputed=self.recomputed,
            stack=self.stack,
        )
        return found.low, found.likely, found.high


@dataclass(frozen=True)
class OnProcessor:
    """Resident memory at its peak, of one process that trained SmolLM2-135M at rank 16."""

    tokens: int
    learned: int
    precision: str
    measured_gib: float
    dropout: float = 0.0
    recomputed: float = 0.0
    loss: str = "answers"
    uneven: bool = False

    def memory(self) -> Memory:
        """What the estimator says."""
        run = Run(
            bytes_each=4 if self.precision == "float32" else 2,
            tokens=self.tokens,
            learned_tokens=self.learned,
            recomputed=self.recomputed,
            loss=self.loss,
            uneven=self.uneven,
            padded=self.uneven,
        )
        method = MethodSpec(rank=16, dropout=self.dropout)
        return peak_memory(shape_of(DEFAULT_BASE_MODEL), method, tokens=self.tokens, run=run)


OTHERS = (
    OnCard("transformers + PEFT, checkpointing", "peft", 7_135, 29.4, recomputed=1, loss="plain"),
    OnCard("transformers + PEFT + Liger", "liger", 12_339, 58.7),
    OnCard("TRL + Liger", "liger", 11_366, 58.6),
    OnCard("transformers + PEFT, NF4, checkpointing", "peft", 7_669, 19.8, bits="4", recomputed=1, loss="plain"),
    OnCard("TRL as it comes, NF4, checkpointing", "peft", 7_265, 9.5, bits="4", recomputed=1),
    OnCard("Unsloth, offloaded checkpointing", "unsloth", 10_716, 17.8, recomputed=1),
    OnCard("Unsloth", "unsloth", 15_284, 45.9),
    OnCard("Unsloth, NF4, offloaded checkpointing", "unsloth", 10_317, 8.0, bits="4", recomputed=1),
    OnCard("Unsloth, NF4", "unsloth", 14_863, 36.1, bits="4"),
    OnCard("one row of 8,192: Unsloth", "unsloth", 13_255, 45.5, row_tokens=8192),
    OnCard("one row: Unsloth, offloaded", "unsloth", 9_405, 17.7, recomputed=1, row_tokens=8192),
    OnCard("one row: Unsloth, NF4, offloaded", "unsloth", 9_110, 8.0, bits="4", recomputed=1, row_tokens=8192),
    OnCard("one row: PEFT + Liger", "liger", 11_015, 58.7, row_tokens=8192),
    OnCard("one row: PEFT + Liger, checkpointing", "liger", 7_819, 19.7, recomputed=1, row_tokens=8192),
)
COMPILED = (OnCard("layers compiled by PyTorch, fused loss", "compiled", 14_858, 50.7),)
OURS = (
    OnCard("ours, 16 bits", "tuneworthy", 16_403, 40.0),
    OnCard("ours, fp8", "tuneworthy", 22_476, 39.9, bits="fp8"),
    OnCard("ours, NF4", "tuneworthy", 15_583, 30.5, bits="4"),
    OnCard(
        "ours, NF4, recomputed, inputs on the host", "tuneworthy", 11_581, 7.4, bits="4", recomputed=1, offloads=True
    ),
)
"""Measured on 2026-11-25. The memory was worked out from the code without these; the speeds' shares are from them."""
OWN = (
    OnProcessor(256, 40, "bfloat16", 1.23),
    OnProcessor(512, 80, "bfloat16", 1.57),
    OnProcessor(512, 80, "bfloat16", 1.14, recomputed=1),
    OnProcessor(256, 40, "float32", 1.68),
    OnProcessor(256, 40, "bfloat16", 1.39, dropout=0.1),
    OnProcessor(1024, 128, "bfloat16", 2.41, uneven=True),  # 8 rows of 64 to 128 tokens, 14 steps
    OnProcessor(1200, 160, "bfloat16", 2.77, uneven=True),  # 8 rows of 75 to 150 tokens, 20 steps
    # With TRL's own loss, which holds all logits, before the loss of the answers alone.
    OnProcessor(512, 512, "bfloat16", 2.52, dropout=0.05, loss="plain"),
    OnProcessor(1024, 1024, "float32", 5.38, dropout=0.05, loss="plain"),
    OnProcessor(1024, 1024, "bfloat16", 3.01, loss="plain"),
    OnProcessor(1024, 1024, "bfloat16", 2.10, dropout=0.05, recomputed=1, loss="plain"),
    OnProcessor(2048, 2048, "bfloat16", 7.80, dropout=0.05, loss="plain"),
)


def main() -> None:
    """Print both tables."""
    print(here())
    print("| on one H100 80 GB | GiB measured | predicted | error | tokens/s measured | predicted: low, likely, high |")
    print("|---|---|---|---|---|---|")
    for row in (*OTHERS, *COMPILED, *OURS):
        predicted, (low, likely, high) = row.memory().allocated, row.speed()
        print(
            f"| {row.what} | {row.allocated_gib:.1f} | {predicted:.1f} | {predicted / row.allocated_gib - 1:+.0%} "
            f"| {row.tokens_per_second:,.0f} | {low:,.0f}, {likely:,.0f}, {high:,.0f} |"
        )
    print()
    print("| SmolLM2-135M on a processor | GiB measured | predicted: low, likely, high | error |")
    print("|---|---|---|---|")
    for one in OWN:
        found = one.memory()
        how = f"{one.tokens:,} tokens a step, {one.learned:,} learned, {one.precision}"
        how += ", rows of unlike lengths" * one.uneven
        how += ", dropout" * (one.dropout > 0) + ", checkpointing" * (one.recomputed > 0)
        print(
            f"| {how} | {one.measured_gib:.2f} | {found.low:.2f}, {found.likely:.2f}, {found.high:.2f} "
            f"| {found.likely / one.measured_gib - 1:+.0%} |"
        )


if __name__ == "__main__":
    main()
