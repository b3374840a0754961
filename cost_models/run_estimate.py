"""What a job will need before it starts, and how it should be cut to fit: `estimate_run`."""

from __future__ import annotations

import math
from collections.abc import Sequence

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


class _Plan(BaseModel):
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
    because: list[str] = []
    kind = device.partition(":")[0]
    precision = precision_of(spec, kind, here)
    counts = [max(1, min(count, spec.max_tokens)) for count in token_counts or []]
    longest = max(counts, default=min(spec.max_tokens, shape.context))
    if not counts:
        because.append(f"No rows were counted: every row is taken as {longest} tokens, and time is unknown.")
    plan = _fit(shape, spec, kind, precision, longest, len(counts), device_memory_gib, calibration)
    speed = _speed(shape, spec, kind, precision, plan, longest, here, calibration, because)
    seconds = _seconds(spec, kind, counts, plan.micro_batch, speed)
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


def _fit(
    shape: ModelShape,
    spec: JobSpec,
    kind: str,
    precision: str,
    longest: int,
    rows: int,
    limit_gib: float | None,
    calibration: Calibration | None,
) -> _Plan:
    """The largest batch that fits, without checkpointing if possible; the smallest one of all when nothing fits."""
    batches = BATCHES if spec.micro_batch == "auto" else (spec.micro_batch,)
    batches = tuple(dict.fromkeys(min(batch, rows) if rows else batch for batch in batches))
    ways = {"auto": (False, True), "on": (True,), "off": (False,)}[spec.grad_checkpointing]
    factor = calibration.memory_factor if calibration else 1.0
    plan = None
    # A small batch without recomputation is faster than a large one with it.
    for checkpointing in ways:
        for batch in batches:
            memory = _memory(shape, spec, kind, precision, longest * batch, checkpointing, factor)
            plan = _Plan(micro_batch=batch, checkpointing=checkpointing, memory=memory)
            if limit_gib is None or memory.likely <= limit_gib * ROOM:
                return plan
    assert plan is not None
    return plan


def _memory(
    shape: ModelShape, spec: JobSpec, kind: str, precision: str, tokens: int, checkpointing: bool, factor: float
) -> Memory:
    bytes_each = 2 if precision == "bfloat16" else 4
    memory = peak_memory(
        shape, spec.method, tokens=tokens, device=kind, bytes_each=bytes_each, checkpointing=checkpointing
    )
    if spec.kind != "train":
        # Judging keeps neither activations nor optimizer: weights, the cache of keys and values, and the libraries.
        cache = tokens * 2 * shape.layers * shape.kv * bytes_each / 2**30
        parts = {"weights": memory.parts["weights"], "cache": round(cache, 3), "context": memory.parts["context"]}
        likely = sum(parts.values())
        return Memory(parts=parts, low=likely * 0.7, likely=likely, high=likely * 1.6)
    return Memory(parts=memory.parts, low=memory.low * factor, likely=memory.likely * factor, high=memory.high * factor)


def _speed(
    shape: ModelShape,
    spec: JobSpec,
    kind: str,
    precision: str,
    plan: _Plan,
    longest: int,
    here: Machine,
    calibration: Calibration | None,
    because: list[str],
) -> Span | None:
    if calibration and calibration.tokens_per_second:
        because.append(f"{calibration.tokens_per_second:,.0f} tokens/s in {calibration.says}.")
        return Span(low=0.6, likely=1.0, high=1.2).times(calibration.tokens_per_second)
    if kind == "cpu":
        because.append(
            f"{here.cores} cores in {precision}, scaled from SmolLM2-135M on 2 cores; a busy machine is three times slower."
        )
        return cpu_tokens_per_second(shape, cores=here.cores, precision=precision, checkpointing=plan.checkpointing)
    gpu = spec.gpu or (here.gpus[0] if here.gpus else None)
    if gpu is None:
        because.append("The card is not known: name it in `gpu`.")
        return None
    try:
        span = cuda_tokens_per_second(
            shape, spec.method, gpu=gpu, step_tokens=longest * plan.micro_batch, checkpointing=plan.checkpointing
        )
    except NotFound as error:
        because.append(str(error))
        return None
    because.append(f"Share of the peak of one {gpu} that published runs reach.")
    return span


def _seconds(spec: JobSpec, kind: str, counts: list[int], micro_batch: int, speed: Span | None) -> Span | None:
    if speed is None or not counts:
        return None
    around = speed_facts().overhead.cuda if kind == "cuda" else speed_facts().overhead.cpu
    if spec.kind == "train":
        tokens = padded_tokens(counts, micro_batch) * spec.epochs
    else:
        rows = counts[: spec.n] if spec.n else counts
        models = len(spec.models) if spec.models else MODELS_JUDGED
        answer = spec.max_new_tokens or ANSWER_TOKENS
        tokens = models * sum(count / READING_FACTOR + answer / ANSWER_SHARE / DECODING_BATCH for count in rows)
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
