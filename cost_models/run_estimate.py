"""What a job will need before it starts, and how it should be cut to fit: `estimate_run`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from core.errors import NotFound
from core.estimate import Estimate, RunEstimate
from core.jobspec import JobSpec
from core.machine import Machine, machine
from cost_models import plan_words
from cost_models.correction import MEMORY_AROUND, SPEED_AROUND, START_AROUND, Calibration, corrected_words, narrowed
from cost_models.duration import MORE_CARDS_SHARE, Span, speed_facts
from cost_models.facts import device, device_name
from cost_models.fit_change import Change, smallest_change
from cost_models.fit_plan import Job, Way, best_way, epoch_tokens, precision_of, way_of
from cost_models.kept import STACKS
from cost_models.memory import CONTEXT_GIB, Memory, weight_bytes
from cost_models.probe import longest_first, probe_seconds
from cost_models.shapes import ModelShape

ANSWER_SHARE = 0.15
"""Writing answers one token at a time against training speed: judgement, batched decoding of a small model."""
READING_FACTOR = 2.0
"""Reading a prompt against training on it: forward without backward."""
DECODING_BATCH = 8
"""Answers written side by side."""
MODELS_JUDGED = 3
ANSWER_TOKENS = 64


def estimate_run(
    shape: ModelShape,
    spec: JobSpec,
    *,
    token_counts: Sequence[int] | None = None,
    learned_share: float | None = None,
    device_memory_gib: float | None = None,
    device: str = "cpu",
    usd_per_hour: float | None = None,
    calibration: Calibration | None = None,
    here: Machine | None = None,
) -> RunEstimate:
    """Memory (GiB), time (s), speed (tokens/s) and money (USD) of a train or evaluate job.

    `token_counts` is one number for each training row (or row to be judged); without it time and money are unknown.
    `learned_share` is the share of tokens with a label. `device` is `cpu`, `cuda` or `cuda:N`; a card that `spec.gpu`
    names says itself what it is, and its memory counts unless `device_memory_gib` is given. `usd_per_hour` is that of
    all devices together: 0 for one's own machine, None when not known.
    Raises `BadInput` for targets that the model does not have.
    """
    job = _job(shape, spec, token_counts, learned_share, device_memory_gib, device, calibration, here or machine())
    trains = spec.kind in ("train", "probe")
    way = best_way(job)
    if spec.kind == "probe":
        job, way = _of_longest_rows(job, way)
    if not trains:
        way = replace(way, memory=_judging_memory(job, way))
    speed, why = _speed(job, way, calibration)
    if not job.counts:
        why = [f"No rows were counted: each is taken as {job.longest} tokens, and time is unknown.", *why]
    seconds = _seconds(job, way, speed, calibration)
    memory = _memory(job, way, calibration)
    fits = None if job.limit_gib is None else memory.likely <= job.limit_gib
    change = smallest_change(job) if fits is False and trains else None
    plan = _plan(job, way, trains, change)
    if fits is False and trains:
        plan["why"] = [plan_words.refusal(job, way, change)]
    return RunEstimate(
        memory_gib=_estimate(
            Span(low=memory.low, likely=memory.likely, high=memory.high),
            "GiB",
            [
                f"{_rows(way.micro_batch)} of up to {job.longest} tokens a step, computed in {job.precision}.",
                *corrected_words(job.memory_factor, calibration),
            ],
            digits=2,
        ),
        seconds=_estimate(seconds, "s", why),
        tokens_per_second=_estimate(speed, "tokens/s", why),
        usd=_usd(seconds, usd_per_hour),
        breakdown=memory.parts,
        fits=fits,
        plan=plan,
        stack=spec.stack,
        memory_factor=job.memory_factor,
        speed_factor=job.speed_factor,
    )


def _job(
    shape: ModelShape,
    spec: JobSpec,
    token_counts: Sequence[int] | None,
    learned_share: float | None,
    limit_gib: float | None,
    on: str,
    calibration: Calibration | None,
    here: Machine,
) -> Job:
    kind, card, name = on.partition(":")[0], None, ""
    wanted = spec.gpu or (_card_here(here, on) if kind == "cuda" else None)
    try:
        if wanted:
            name, card = device_name(wanted), device(wanted)
            kind = card.kind
            if spec.gpu and limit_gib is None:
                limit_gib = card.usable_gib
    except NotFound:
        name = wanted or ""
    if kind == "cpu" and spec.gpu:
        here = Machine(cores=2, memory_gib=limit_gib or 0.0, cpu_flags=["avx512_bf16"])
    longest = min(spec.max_tokens, shape.context)
    counts = [max(1, min(count, longest)) for count in token_counts or []]
    if spec.packing and counts:
        counts = [longest] * math.ceil(sum(counts) / longest)
    return Job(
        shape=shape,
        spec=spec if spec.stack in STACKS else spec.model_copy(update={"stack": "peft"}),
        kind=kind,
        precision=precision_of(spec, kind, here, card),
        counts=counts,
        here=here,
        card=card,
        card_name=name,
        limit_gib=limit_gib,
        learned_share=learned_share,
        memory_factor=calibration.memory_factor if calibration else 1.0,
        speed_factor=calibration.speed_factor if calibration else 1.0,
    )


def _card_here(here: Machine, on: str) -> str | None:
    index = int(on.partition(":")[2] or 0)
    return here.gpus[index] if index < len(here.gpus) else None


def _plan(job: Job, way: Way, trains: bool, change: Change | None) -> dict[str, object]:
    spec, rows = job.spec, len(job.counts)
    steps = math.ceil(math.ceil(rows / (way.micro_batch * spec.grad_accumulation * spec.n_gpus)) * spec.epochs)
    plan: dict[str, object] = {
        "micro_batch": way.micro_batch,
        "grad_checkpointing": way.recomputed > 0,
        "packing": spec.packing,
        "precision": job.precision,
        "steps": steps if rows and spec.kind == "train" else None,
        "device": plan_words.device(job.kind, job.here, job.card_name),
        "device_memory_gib": job.limit_gib,
    }
    if not trains:
        return plan
    around = speed_facts().overhead
    first = (around.cpu if job.kind == "cpu" else around.cuda).likely
    return plan | {
        "checkpointing": way.checkpointing,
        "recomputed_layers": round(way.recomputed * job.shape.layers),
        "bits": job.method.bits,
        "optimizer": job.optimizer,
        "loss": way.loss,
        "compile": way.compiled,
        "first_step_seconds": round(first + (around.compiling.likely if way.compiled else 0.0)),
        "why": plan_words.because(job, way),
        "change": {"fields": change.fields, "says": change.says()} if change else None,
    }


def _of_longest_rows(job: Job, way: Way) -> tuple[Job, Way]:
    """A dry run is cut as the run itself would be, and takes its longest rows alone."""
    step_rows = way.micro_batch * job.spec.grad_accumulation
    longest = [job.counts[place] for place in longest_first(job.counts, step_rows)]
    alone = replace(job, counts=longest) if longest else job
    return alone, way_of(alone, way.micro_batch, way.recomputed, way.compiled)


def _memory(job: Job, way: Way, calibration: Calibration | None) -> Memory:
    """With its range narrowed after a measurement. Unlike rows waste more the longer a run is: their high end stays."""
    memory = way.memory
    if calibration is None or not calibration.same_shape:
        return memory
    span = Span(low=memory.low, likely=memory.likely, high=memory.high)
    found = narrowed(span, MEMORY_AROUND, keep_high=job.uneven)
    return replace(memory, low=found.low, high=found.high)


def _judging_memory(job: Job, way: Way) -> Memory:
    """Judging keeps neither activations nor optimizer: weights, the cache of keys and values, and the libraries."""
    shape, tokens = job.shape, way.micro_batch * job.longest
    weights = weight_bytes(shape, job.method, job.bytes_each, widened=False) / 2**30 * job.memory_factor
    cache = tokens * 2 * shape.layers * shape.kv * job.bytes_each / 2**30
    context = CONTEXT_GIB[job.kind][1] * job.memory_factor
    parts = {"weights": round(weights, 3), "cache": round(cache, 3), "context": round(context, 3)}
    likely = sum(parts.values())
    return Memory(parts=parts, low=likely * 0.7, likely=likely, high=likely * 1.6)


def _speed(job: Job, way: Way, calibration: Calibration | None) -> tuple[Span | None, list[str]]:
    """Training speed on all devices, and why; None where the card is not known."""
    if calibration and calibration.tokens_per_second:
        span = Span(low=0.6, likely=1.0, high=1.2).times(calibration.tokens_per_second)
        return span, [f"{calibration.tokens_per_second:,.0f} tokens/s in {calibration.says}."]
    if way.speed is None:
        try:
            return None, [str(device(job.card_name))] if job.card_name else ["The card is not known: name it in `gpu`."]
        except NotFound as error:
            return None, [str(error)]
    speed, corrected = way.speed, corrected_words(job.speed_factor, calibration)
    if calibration is not None and calibration.same_shape:
        speed = narrowed(speed, SPEED_AROUND)
    if job.kind == "cpu":
        scaled = f"{plan_words.cores(job.here)} in {job.precision}, scaled from SmolLM2-135M on 2 cores"
        return speed, [f"{scaled}; a busy machine is three times slower.", *corrected]
    if job.spec.n_gpus > 1:
        of = f"of one {job.card_name}, times {job.spec.n_gpus} cards at {MORE_CARDS_SHARE:.0%}"
        return speed.times(job.spec.n_gpus * MORE_CARDS_SHARE), [f"Share of the peak {of}.", *corrected]
    return speed, [f"Share of the peak of one {job.card_name} that runs like this one reach.", *corrected]


def _seconds(job: Job, way: Way, speed: Span | None, calibration: Calibration | None) -> Span | None:
    spec, counts, facts = job.spec, job.counts, speed_facts().overhead
    if speed is None or not counts:
        return None
    around = facts.cpu if job.kind == "cpu" else facts.cuda
    if calibration is not None and calibration.start_seconds is not None:
        around = START_AROUND.times(calibration.start_seconds)
    if spec.kind == "probe":
        return probe_seconds(epoch_tokens(job, way.micro_batch), speed, around)
    if spec.kind == "train":
        tokens = epoch_tokens(job, way.micro_batch) * spec.epochs
    else:
        rows = counts[: spec.n] if spec.n else counts
        models = sum(name != "classic" for name in spec.models) if spec.models else MODELS_JUDGED
        answer = (spec.max_new_tokens or ANSWER_TOKENS) / ANSWER_SHARE / DECODING_BATCH
        tokens = models * sum(count / READING_FACTOR + answer for count in rows)
    compiling = facts.compiling if way.compiled else Span(low=0, likely=0, high=0)
    return Span(
        low=around.low + compiling.low + tokens / speed.high,
        likely=around.likely + compiling.likely + tokens / speed.likely,
        high=around.high + compiling.high + tokens / speed.low,
    )


def _rows(count: int) -> str:
    return f"{count} row{'s' if count != 1 else ''}"


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
