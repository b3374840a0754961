"""What the training of a small classifier will need here, from its rows alone: no model is opened for it."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from core.base_models import locate
from core.errors import TuneworthyError
from core.estimate import Estimate, RunEstimate
from core.jobspec import JobSpec
from core.machine import device_memory_gib, machine, resolve_device
from cost_models.duration import Span, speed_facts
from dataset.checks.tokens import CHARS_PER_TOKEN
from dataset.job_rows import read_for_job

CLASSIC_SECONDS_EACH = Span(low=2e-7, likely=6e-7, high=2e-6)
"""A letter and label, on two cores. Measured on Banking77: 4 and 6 for 3,000 and 10,000 rows of 77 labels, e-7; busy
machines took three times as long."""
CLASSIC_START_SECONDS = Span(low=2, likely=4, high=12)
CLASSIC_GIB = Span(low=0.2, likely=0.3, high=0.6)
CLASSIC_BYTES_EACH = Span(low=8, likely=20, high=40)
"""Peak memory a letter and label beside that."""
LORA_FLOPS, FULL_FLOPS = 4.0, 6.0
"""A weight and token: the speed of the processor was measured with LoRA, an encoder moves all its weights."""
SHORT_STEPS = Span(low=0.15, likely=0.5, high=1.2)
"""Against that speed: a step has few tokens, and the optimizer goes through all weights at each."""
VALIDATIONS_A_PASS, READING_SHARE = 2.0, 1 / 3
STATE_BYTES = Span(low=16, likely=22, high=30)
"""A weight: itself, gradient and two moments in float32; the best copy; activations of short texts."""
LIBRARIES_GIB = Span(low=0.5, likely=0.7, high=1.0)


def estimate_classifier(spec: JobSpec) -> RunEstimate:
    """Memory, time and dollars of the training. Unknown where rows or encoder are not here yet."""
    rows = _rows_of(spec, spec.dataset)
    if rows is None:
        return _unknown("The rows cannot be counted yet.")
    characters, count, labels = rows
    if spec.learner == "classic":
        seconds = _plus(CLASSIC_START_SECONDS, CLASSIC_SECONDS_EACH.times(characters * labels))
        memory = _plus(CLASSIC_GIB, CLASSIC_BYTES_EACH.times(characters * labels / 2**30))
        because = f"{count:,} rows, {labels} labels, {characters:,} letters: measured on two cores."
        return _estimate(spec, seconds, memory, "cpu", because)
    weights = _weights(spec)
    if weights is None:
        return _unknown(f"The encoder `{spec.encoder}` is not on this machine yet, so its size is not known.")
    tokens = (characters / CHARS_PER_TOKEN + 2 * count) * spec.epochs
    checked = _rows_of(spec, spec.validation)
    if checked is not None:
        tokens += READING_SHARE * VALIDATIONS_A_PASS * spec.epochs * checked[0] / CHARS_PER_TOKEN
    device = resolve_device(spec.device)
    memory = _plus(LIBRARIES_GIB, STATE_BYTES.times(weights / 2**30))
    if device != "cpu":
        return _estimate(spec, None, memory, device, "How fast a card trains an encoder was not measured yet.")
    facts = speed_facts().cpu
    cores = (machine().cores / facts.cores) ** facts.core_exponent
    speed = facts.float32.likely * facts.params * LORA_FLOPS / (FULL_FLOPS * weights) * cores
    per_second = SHORT_STEPS.times(speed)
    start = speed_facts().overhead.cpu
    seconds = Span(
        low=start.low + tokens / per_second.high,
        likely=start.likely + tokens / per_second.likely,
        high=start.high + tokens / per_second.low,
    )
    because = (
        f"{weights / 1e6:,.0f} million weights, all trained; about {tokens:,.0f} tokens in {spec.epochs:g} passes."
    )
    found = _estimate(spec, seconds, memory, device, because)
    return found.model_copy(update={"tokens_per_second": _as_estimate(per_second, "tokens/s", because)})


def _weights(spec: JobSpec) -> float | None:
    """Weights of the encoder, from the size of its files; None where it is not here."""
    try:
        folder = locate(spec.encoder or "").path
    except TuneworthyError:
        return None
    size = sum(file.stat().st_size for file in folder.glob("*.safetensors")) if folder else 0
    return size / 4 if size else None  # float32; files of half that would be of half the size


def _rows_of(spec: JobSpec, path: str | None) -> tuple[int, int, int] | None:
    """(letters, rows, labels) of a file; None where there is none."""
    if path is None:
        return None
    try:
        found = os.stat(path)
        return _counted(spec.model_dump_json(include=_READING), path, found.st_mtime_ns, found.st_size)
    except (OSError, TuneworthyError):
        return None


_READING = {"inputs", "output", "records", "template", "system_prompt"}


@lru_cache(maxsize=16)
def _counted(reading: str, path: str, _changed_ns: int, _size: int) -> tuple[int, int, int]:
    rows = read_for_job(JobSpec.model_validate_json(reading), str(Path(path))).rows
    return sum(len(row.user_text) for row in rows), len(rows), max(1, len({row.answer.strip() for row in rows}))


def _estimate(spec: JobSpec, seconds: Span | None, memory: Span, device: str, because: str) -> RunEstimate:
    has = device_memory_gib(device)
    free = "This machine is your own: no dollars are counted."
    return RunEstimate(
        memory_gib=_as_estimate(memory, "GiB", because),
        seconds=_as_estimate(seconds, "s", because) if seconds else Estimate(unit="s", because=[because]),
        tokens_per_second=Estimate(unit="tokens/s"),
        usd=Estimate(low=0.0, likely=0.0, high=0.0, unit="USD", because=[free]),
        fits=memory.likely <= has if has else None,
        stack="scikit-learn" if spec.learner == "classic" else "transformers",
    )


def _as_estimate(span: Span, unit: str, because: str) -> Estimate:
    low, likely, high = (round(value, 3) for value in (span.low, span.likely, span.high))
    return Estimate(low=low, likely=likely, high=high, unit=unit, because=[because])


def _plus(one: Span, other: Span) -> Span:
    return Span(low=one.low + other.low, likely=one.likely + other.likely, high=one.high + other.high)


def _unknown(because: str) -> RunEstimate:
    def nothing(unit: str) -> Estimate:
        return Estimate(unit=unit, because=[because])

    return RunEstimate(
        memory_gib=nothing("GiB"), seconds=nothing("s"), tokens_per_second=nothing("tokens/s"), usd=nothing("USD")
    )
