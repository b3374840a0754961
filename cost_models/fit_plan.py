"""How a training is cut to fit a device: rows a step, layers recomputed, number format, loss, compiled or not.

Every way that the spec leaves open is tried; of those that fit with margin the fastest is taken.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

from core.errors import NotFound
from core.jobspec import JobSpec, MethodSpec
from core.machine import Machine
from cost_models.duration import Span, card_tokens_per_second, cpu_tokens_per_second, grouped_tokens, speed_facts
from cost_models.facts import Device, device
from cost_models.memory import Memory, Run, peak_memory
from cost_models.shapes import ModelShape

BATCHES = (8, 4, 2, 1)
"""Rows a step that are tried: more of them would also change what a step learns."""
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of the layers that are recomputed in the backward pass."""
REFERENCE_FACTOR = 1.5
"""Preferences are held against the model as it began: one more pass forward, 2 N on top of LoRA's 4 N."""
ROOM = 0.9
"""Share of the device's memory that a plan may fill."""


@dataclass(frozen=True)
class Job:
    """What is to be trained, and on what."""

    shape: ModelShape
    spec: JobSpec
    kind: str
    """cpu, cuda or mps."""
    precision: str
    counts: list[int]
    """Tokens of each row, cut to the longest that is allowed; of packed rows, each as long as that."""
    here: Machine
    card: Device | None = None
    card_name: str = ""
    limit_gib: float | None = None
    learned_share: float | None = None
    """Share of the tokens that are learned; None where unknown."""
    memory_factor: float = 1.0
    """Measured over predicted memory of earlier runs."""
    speed_factor: float = 1.0
    """Measured over predicted tokens a second of earlier runs."""

    @property
    def bytes_each(self) -> int:
        """Bytes of one number of the base and of what the layers keep."""
        return 4 if self.precision == "float32" else 2

    @cached_property
    def longest(self) -> int:
        """Tokens of the longest row."""
        return max(self.counts, default=min(self.spec.max_tokens, self.shape.context))

    @cached_property
    def uneven(self) -> bool:
        """True where rows differ in length by more than a tenth, and are not packed."""
        return bool(self.counts) and not self.spec.packing and min(self.counts) < 0.9 * self.longest

    @property
    def method(self) -> MethodSpec:
        """The method as this device can run it: without fp8 arithmetic the base stays in 16 bits."""
        asked = self.spec.method
        if asked.kind != "full" and asked.bits == "fp8" and not self.has_fp8:
            return asked.model_copy(update={"bits": "16"})
        return asked

    @property
    def has_fp8(self) -> bool:
        """True where the card multiplies in fp8 row by row and the stack has kernels for it."""
        return self.kind == "cuda" and self.stack == "tuneworthy" and (self.card is None or self.card.fp8_rows)

    @property
    def stack(self) -> str:
        """The stack as this device can run it: our kernels need a card that CUDA reaches."""
        return self.spec.stack if self.kind == "cuda" else "peft"

    @property
    def pairs(self) -> bool:
        """True where each row is read with two answers, by the model as it is and as it began (DPO)."""
        return self.spec.objective == "dpo"

    @property
    def optimizer(self) -> str:
        """adamw, or adamw_8bit_paged where it is asked for or the base is quantised on a card."""
        if self.spec.optimizer != "auto":
            return self.spec.optimizer
        quantised = self.method.kind != "full" and self.method.bits in ("4", "8")
        return "adamw_8bit_paged" if quantised and self.kind == "cuda" else "adamw"

    def with_spec(self, **fields: object) -> Job:
        """The same with other fields of the spec."""
        return replace(self, spec=self.spec.model_copy(update=fields))


@dataclass(frozen=True)
class Way:
    """One way to cut it."""

    micro_batch: int
    recomputed: float
    """Share of the layers."""
    loss: str
    compiled: bool
    memory: Memory
    speed: Span | None
    """Tokens a second; None where the device's speed is not known."""

    @property
    def checkpointing(self) -> str:
        """none, selective or all."""
        return {0.0: "none", 1.0: "all"}.get(self.recomputed, "selective")


def precision_of(spec: JobSpec, kind: str, here: Machine, card: Device | None = None) -> str:
    """float32, bfloat16 or float16: what was asked, else the 16-bit format that the device has arithmetic for."""
    if spec.precision != "auto":
        return spec.precision
    if kind == "cpu":
        return "bfloat16" if here.cpu_flags else "float32"
    return "bfloat16" if card is None or card.bf16 else "float16"


def card_here(here: Machine, on: str) -> Device | None:
    """The card `cuda:N` of this machine, where our facts know it; None for a processor."""
    kind, _, index = on.partition(":")
    names = here.gpus[int(index or 0) :] if kind == "cuda" else []
    try:
        return device(names[0]) if names else None
    except NotFound:
        return None


def best_way(job: Job) -> Way:
    """The fastest way that fits with margin; the one that takes least where none does.

    Where the device's memory is not known the fastest of all is taken.
    """
    found = ways(job)
    limit = math.inf if job.limit_gib is None else job.limit_gib * ROOM
    fitting = [way for way in found if way.memory.likely <= limit]
    if not fitting:
        return min(found, key=lambda way: way.memory.likely)
    best = max(fitting, key=_preference)
    return best if not best.compiled or _worth_compiling(job, best) else _uncompiled(job, fitting, best)


def ways(job: Job) -> list[Way]:
    """All ways that the spec leaves open."""
    asked, rows = job.spec.micro_batch, len(job.counts)
    sizes = list(BATCHES) if asked == "auto" else [asked]
    sizes = list(dict.fromkeys(min(size, rows) if rows else size for size in sizes))
    shares = {"auto": SHARES, "on": (1.0,), "off": (0.0,)}[job.spec.grad_checkpointing]
    if job.spec.method.kind == "prefix":
        shares = (0.0,)  # a recomputed block would run without the keys and values that the prefix consists of
    compiled = (True, False) if job.stack == "tuneworthy" else (False,)
    return [way_of(job, size, share, each) for each in compiled for share in shares for size in sizes]


def way_of(job: Job, micro_batch: int, recomputed: float, compiled: bool = False) -> Way:
    """One way, with what it takes. Raises `BadInput` for layers that the model does not have."""
    loss = loss_of(job)
    stack = "peft" if job.stack == "tuneworthy" and not compiled else job.stack
    memory = peak_memory(job.shape, job.method, tokens=1, run=run_of(job, micro_batch, recomputed, stack, loss))
    factor = job.memory_factor
    memory = replace(memory, low=memory.low * factor, likely=memory.likely * factor, high=memory.high * factor)
    if factor != 1:
        memory = replace(memory, parts={name: round(value * factor, 3) for name, value in memory.parts.items()})
    return Way(micro_batch, recomputed, loss, compiled, memory, _speed(job, micro_batch, recomputed, stack))


def run_of(job: Job, micro_batch: int, recomputed: float, stack: str, loss: str) -> Run:
    """The step as the memory model takes it."""
    tokens = micro_batch * job.longest * (2 if job.pairs else 1)
    learned = None if job.learned_share is None else math.ceil(tokens * job.learned_share)
    return Run(
        device=job.kind,
        bytes_each=job.bytes_each,
        tokens=tokens,
        row_tokens=job.longest,
        uneven=job.uneven,
        padded=job.uneven and micro_batch > 1,
        stack=stack,
        recomputed=recomputed,
        loss=loss,
        learned_tokens=learned,
        optimizer=job.optimizer,
        shards=job.spec.n_gpus if job.spec.shard_base else 1,
    )


def loss_of(job: Job) -> str:
    """answers on a processor, where only learned positions reach the output matrix; fused on a card."""
    if job.pairs:
        return "plain"  # TRL's trainer of preferences reads all logits
    return "answers" if job.kind == "cpu" else "fused"


def epoch_tokens(job: Job, micro_batch: int) -> float:
    """Tokens of one pass over the rows, padding and all."""
    return grouped_tokens(job.counts, micro_batch) * (2 if job.pairs else 1)


def _speed(job: Job, micro_batch: int, recomputed: float, stack: str) -> Span | None:
    if job.kind == "cpu":
        speed = cpu_tokens_per_second(
            job.shape,
            job.method,
            cores=job.here.cores,
            precision=job.precision,
            row_tokens=job.longest,
            recomputed=recomputed,
        )
    elif job.card is None:
        return None
    else:
        speed = card_tokens_per_second(
            job.shape,
            job.method,
            card=job.card,
            step_tokens=micro_batch * job.longest,
            row_tokens=job.longest,
            recomputed=recomputed,
            stack=stack,
            precision=job.precision,
        )
    return speed.times(job.speed_factor / (REFERENCE_FACTOR if job.pairs else 1.0))


def _preference(way: Way) -> tuple[float, bool, float, int]:
    """Fastest first; where the speed is not known, without recomputing first; then the larger batch."""
    # Equal within a hundredth is equal: then the larger batch has the smoother gradient.
    speed = round(math.log(way.speed.likely), 2) if way.speed else 0.0
    return speed, way.compiled, -way.recomputed, way.micro_batch


def _worth_compiling(job: Job, way: Way) -> bool:
    """Does the job run long enough to win back the seconds of compiling? Unknown rows: yes."""
    if not job.counts or way.speed is None:
        return True
    plain = _speed(job, way.micro_batch, way.recomputed, "peft")
    tokens = epoch_tokens(job, way.micro_batch) * job.spec.epochs
    saved = tokens / plain.likely - tokens / way.speed.likely if plain else 0.0
    return saved > speed_facts().overhead.compiling.likely


def _uncompiled(job: Job, fitting: list[Way], best: Way) -> Way:
    plain = [way for way in fitting if not way.compiled]
    return max(plain, key=_preference) if plain else best
