"""What a job will need before it starts, and how it should be cut to fit: `estimate_run`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict

from core.errors import NotFound
from core.estimate import Estimate, RunEstimate
from core.jobspec import JobSpec
from core.machine import Machine, machine
from cost_models.duration import Span, cpu_tokens_per_second, cuda_tokens_per_second, padded_tokens, speed_facts
from cost_models.memory import Memory, peak_memory
from cost_models.shapes import ModelShape

BATCHES = (8, 4, 2, 1)
ROOM = 0.9
"""Share of the device's memory that a plan may fill."""
ANSWER_SHARE = 0.15
"""Writing answers one token at a time against training speed: judgement, batched decoding of a small model."""
READING_FACTOR = 2.0
"""Reading a prompt against training on it: forward without backward."""
DECODING_BATCH = 8
"""Answers written side by side."""
MODELS_JUDGED = 3
ANSWER_TOKENS = 64


class Calibration(BaseModel):
    """What this machine showed in an earlier run of the same shape; it takes the place of our prior."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    tokens_per_second: float | None = None
    memory_factor: float = 1.0
    """Measured over predicted memory."""
    says: str = "an earlier run on this machine"


@dataclass(frozen=True)
class _Case:
    """What is to be estimated, and on what."""

    shape: ModelShape
    spec: JobSpec
    kind: str
    precision: str
    counts: list[int]
    longest: int
    here: Machine
    calibration: Calibration | None

    @property
    def bytes_each(self) -> int:
        return 2 if self.precision == "bfloat16" else 4


@dataclass(frozen=True)
class _Plan:
    micro_batch: int
    checkpointing: bool
    memory: Memory


def estimate_run(
    shape: ModelShape,
    spec: JobSpec,
    *,
    token_counts: Sequence[int] | None = None,
    device_memory_gib: float | None = None,
    device: str = "cpu",
    usd_per_hour: float | None = None,
    calibration: Calibration | None = None,
    here: Machine | None = None,
) -> RunEstimate:
    """Memory (GiB), time (s), speed (tokens/s) and money (USD) of a train or evaluate job.

    `token_counts` is one number for each training row (or row to be judged); without it time and money are unknown.
    `device` is `cpu`, `cuda` or `cuda:N`; `usd_per_hour` is 0 for one's own machine and None when not known.
    Raises `BadInput` for targets that the model does not have.
    """
    here = here or machine()
    kind = device.partition(":")[0]
    counts = [max(1, min(count, spec.max_tokens)) for count in token_counts or []]
    longest = max(counts, default=min(spec.max_tokens, shape.context))
    precision = precision_of(spec, kind, here)
    case = _Case(shape, spec, kind, precision, counts, longest, here, calibration)
    plan = _fit(case, device_memory_gib)
    speed, because = _speed(case, plan)
    if not counts:
        because = [f"No rows were counted: each is taken as {longest} tokens, and time is unknown.", *because]
    seconds = _seconds(case, plan.micro_batch, speed)
    memory = plan.memory
    steps = math.ceil(math.ceil(len(counts) / (plan.micro_batch * spec.grad_accumulation)) * spec.epochs)
    return RunEstimate(
        memory_gib=_estimate(
            Span(low=memory.low, likely=memory.likely, high=memory.high),
            "GiB",
            [f"{plan.micro_batch} rows of up to {longest} tokens a step, weights in {precision}."],
            digits=2,
        ),
        seconds=_estimate(seconds, "s", because),
        tokens_per_second=_estimate(speed, "tokens/s", because),
        usd=_usd(seconds, usd_per_hour),
        breakdown=memory.parts,
        fits=None if device_memory_gib is None else memory.likely <= device_memory_gib,
        plan={
            "micro_batch": plan.micro_batch,
            "grad_checkpointing": plan.checkpointing,
            "packing": spec.packing,
            "precision": precision,
            "steps": steps if counts and spec.kind == "train" else None,
        },
        stack=spec.stack,
    )


def precision_of(spec: JobSpec, kind: str, here: Machine) -> str:
    """float32 or bfloat16: what was asked, else bfloat16 wherever the device has arithmetic for it."""
    if spec.precision != "auto":
        return spec.precision
    return "bfloat16" if kind == "cuda" or here.cpu_flags else "float32"


def _fit(case: _Case, limit_gib: float | None) -> _Plan:
    """The largest batch that fits, without checkpointing if possible; the smallest one of all when nothing fits."""
    asked, rows = case.spec.micro_batch, len(case.counts)
    sizes = list(BATCHES) if asked == "auto" else [asked]
    sizes = list(dict.fromkeys(min(size, rows) if rows else size for size in sizes))
    ways = {"auto": (False, True), "on": (True,), "off": (False,)}[case.spec.grad_checkpointing]
    # A small batch without recomputation is faster than a large one with it.
    plans = [_Plan(size, way, _memory(case, case.longest * size, way)) for way in ways for size in sizes]
    fitting = (plan for plan in plans if limit_gib is None or plan.memory.likely <= limit_gib * ROOM)
    return next(fitting, plans[-1])


def _memory(case: _Case, tokens: int, checkpointing: bool) -> Memory:
    shape, factor = case.shape, case.calibration.memory_factor if case.calibration else 1.0
    memory = peak_memory(
        shape,
        case.spec.method,
        tokens=tokens,
        device=case.kind,
        bytes_each=case.bytes_each,
        checkpointing=checkpointing,
    )
    if case.spec.kind == "train":
        return replace(memory, low=memory.low * factor, likely=memory.likely * factor, high=memory.high * factor)
    # Judging keeps neither activations nor optimizer: weights, the cache of keys and values, and the libraries.
    cache = tokens * 2 * shape.layers * shape.kv * case.bytes_each / 2**30
    parts = {"weights": memory.parts["weights"], "cache": round(cache, 3), "context": memory.parts["context"]}
    likely = sum(parts.values())
    return Memory(parts=parts, low=likely * 0.7, likely=likely, high=likely * 1.6)


def _speed(case: _Case, plan: _Plan) -> tuple[Span | None, list[str]]:
    """Training speed, and why; None where the card is not known."""
    shape, spec, here, calibration = case.shape, case.spec, case.here, case.calibration
    if calibration and calibration.tokens_per_second:
        span = Span(low=0.6, likely=1.0, high=1.2).times(calibration.tokens_per_second)
        return span, [f"{calibration.tokens_per_second:,.0f} tokens/s in {calibration.says}."]
    if case.kind == "cpu":
        span = cpu_tokens_per_second(
            shape, cores=here.cores, precision=case.precision, checkpointing=plan.checkpointing
        )
        scaled = f"{here.cores} cores in {case.precision}, scaled from SmolLM2-135M on 2 cores"
        return span, [f"{scaled}; a busy machine is three times slower."]
    gpu = spec.gpu or (here.gpus[0] if here.gpus else None)
    if gpu is None:
        return None, ["The card is not known: name it in `gpu`."]
    try:
        span = cuda_tokens_per_second(
            shape,
            spec.method,
            gpu=gpu,
            step_tokens=case.longest * plan.micro_batch,
            checkpointing=plan.checkpointing,
        )
    except NotFound as error:
        return None, [str(error)]
    return span, [f"Share of the peak of one {gpu} that published runs reach."]


def _seconds(case: _Case, micro_batch: int, speed: Span | None) -> Span | None:
    spec, counts = case.spec, case.counts
    if speed is None or not counts:
        return None
    around = speed_facts().overhead.cuda if case.kind == "cuda" else speed_facts().overhead.cpu
    if spec.kind == "train":
        tokens = padded_tokens(counts, micro_batch) * spec.epochs
    else:
        rows = counts[: spec.n] if spec.n else counts
        models = sum(name != "classic" for name in spec.models) if spec.models else MODELS_JUDGED
        answer = (spec.max_new_tokens or ANSWER_TOKENS) / ANSWER_SHARE / DECODING_BATCH
        tokens = models * sum(count / READING_FACTOR + answer for count in rows)
    return Span(
        low=around.low + tokens / speed.high,
        likely=around.likely + tokens / speed.likely,
        high=around.high + tokens / speed.low,
    )


def _usd(seconds: Span | None, usd_per_hour: float | None) -> Estimate:
    if usd_per_hour is None:
        return Estimate(unit="USD", because=["The price of an hour on this device is not known."])
    if usd_per_hour == 0:
        return Estimate(low=0.0, likely=0.0, high=0.0, unit="USD", because=["Your own machine: power is not counted."])
    if seconds is None:
        return Estimate(unit="USD", because=["The time is not known."])
    return _estimate(seconds.times(usd_per_hour / 3600), "USD", [f"{usd_per_hour:g} USD an hour."], digits=4)


def _estimate(span: Span | None, unit: str, because: list[str], digits: int = 1) -> Estimate:
    if span is None:
        return Estimate(unit=unit, because=because)
    low, likely, high = (round(value, digits) for value in (span.low, span.likely, span.high))
    return Estimate(low=low, likely=likely, high=high, unit=unit, because=because)
