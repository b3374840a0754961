"""A plan in words: what was chosen, and why."""

from __future__ import annotations

from core.machine import Machine
from cost_models.duration import padded_tokens, speed_facts
from cost_models.fit_change import Change
from cost_models.fit_plan import Job, Way, epoch_tokens, way_of

WORTH_PACKING = 0.1
"""Share of padding from which it is named."""


def because(job: Job, way: Way) -> list[str]:
    """One sentence for each choice."""
    found = [_rows(job, way), _recomputing(job, way), *_numbers(job), *_loss(job, way), *_compiling(job, way)]
    return [sentence for sentence in [*found, *_padding(job, way)] if sentence]


def refusal(job: Job, way: Way, change: Change | None) -> str:
    """Why it does not fit, and the smallest change that would help."""
    where = f"the {job.card_name}" if job.card_name else "this machine" if job.kind == "cpu" else "this card"
    said = f"It takes about {way.memory.likely:.1f} GiB at the least, and {where} has {job.limit_gib or 0:.1f}."
    return f"{said} {change.says() if change else 'No change that we know makes it fit: choose a smaller base.'}"


def device(kind: str, here: Machine, card_name: str) -> str:
    """What a job runs on, in the words of its plan: by these, earlier runs are found again."""
    return f"processor, {cores(here)}" if kind == "cpu" else card_name


def cores(here: Machine) -> str:
    """`1 core`, `2 cores`."""
    return f"{here.cores} core{'s' if here.cores != 1 else ''}"


def _rows(job: Job, way: Way) -> str:
    rows = f"{way.micro_batch} row{'s' if way.micro_batch != 1 else ''} of up to {job.longest:,} tokens a step"
    if job.spec.micro_batch != "auto":
        return f"{rows}, as asked."
    return f"{rows}: the fastest that fits."


def _recomputing(job: Job, way: Way) -> str:
    layers = round(way.recomputed * job.shape.layers)
    if job.spec.grad_checkpointing != "auto":
        return f"Activations of {layers} of {job.shape.layers} layers are computed again, as asked."
    if not layers:
        return "All activations are kept, which is fastest."
    kept = way_of(job, way.micro_batch, 0.0, way.compiled).memory.likely
    limit = f" of {job.limit_gib:.1f}" if job.limit_gib is not None else ""
    which = "all" if layers == job.shape.layers else f"{layers} of {job.shape.layers}"
    return f"Activations of {which} layers are computed again: to keep them all would take {kept:.1f} GiB{limit}."


def _numbers(job: Job) -> list[str]:
    found, asked = [], job.spec.method
    if job.card is not None and not job.card.bf16 and job.precision == "float16":
        found.append(f"The {job.card_name} has no bfloat16, so it computes in float16.")
    if asked.bits == "fp8" and job.method.bits != "fp8" and asked.kind != "full":
        if job.card is not None and not job.card.fp8_tflops:
            found.append(f"The {job.card_name} has no fp8 arithmetic: the base stays in 16 bits.")
        elif job.card is not None and not job.card.fp8_rows:
            found.append(f"The {job.card_name} has no fp8 products with a scale a row: the base stays in 16 bits.")
        else:
            found.append("A base in fp8 needs the stack `tuneworthy` on a card: it stays in 16 bits.")
    return found


def _loss(job: Job, way: Way) -> list[str]:
    if job.pairs:
        return ["Each row is read with both of its answers, by the model as it is and as it began."]
    tokens = way.micro_batch * job.longest
    if way.loss == "answers":
        return ["Only learned tokens reach the output matrix."]
    saved = tokens * job.shape.vocab * 12 / 2**30
    return [f"The loss is computed in tiles of the vocabulary: whole logits would take {saved:.1f} GiB."]


def _compiling(job: Job, way: Way) -> list[str]:
    if job.stack != "tuneworthy":
        return []
    seconds = speed_facts().overhead.compiling.likely
    if way.compiled:
        return [f"Our kernels are compiled, which takes about {seconds:.0f} s before the first step."]
    return [f"Our kernels are not compiled: so short a job would not win back the {seconds:.0f} s."]


def _padding(job: Job, way: Way) -> list[str]:
    if not job.counts or job.spec.packing:
        return []
    read = epoch_tokens(job, way.micro_batch)
    share = 1 - sum(job.counts) / read if read else 0.0
    spared = 1 - read / max(read, padded_tokens(job.counts, way.micro_batch))
    found = []
    if spared >= WORTH_PACKING:
        found.append(f"Rows of like length go together, which spares {spared:.0%} of the tokens.")
    if share >= WORTH_PACKING:
        found.append(f"{share:.0%} of what is read is padding, which packing would spare.")
    return found
