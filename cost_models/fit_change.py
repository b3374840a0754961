"""What would make a training fit that does not: the smallest change that helps, tried one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from core.jobspec import JobSpec
from cost_models.facts import devices
from cost_models.fit_plan import ROOM, Job, Way, best_way, precision_of

SHORTEST_TOKENS = 128
SMALL_RANK = 8


@dataclass(frozen=True)
class Change:
    """A change, and what the run takes with it."""

    fields: dict[str, object]
    """Fields of the spec, `method.bits` for those of the method; `gpu` for another card."""
    way: Way

    def says(self) -> str:
        """The change in words."""
        named = " and ".join(f"`{field}: {_yaml(value, field)}`" for field, value in self.fields.items())
        return f"With {named} it takes about {self.way.memory.likely:.1f} GiB and fits."


def smallest_change(job: Job) -> Change | None:
    """The first change that lets the job fit; None where nothing that we know does."""
    if job.limit_gib is None:
        return None
    for fields in _changes(job.spec, job.kind):
        changed = _with(job, fields)
        way = best_way(changed)
        if way.memory.likely <= job.limit_gib * ROOM:
            return Change(fields, way)
    return _larger_card(job)


def _changes(spec: JobSpec, kind: str) -> Iterator[dict[str, object]]:
    """Changes of the spec, the smallest first; then several at once."""
    method, cheap = spec.method, {}
    if spec.grad_checkpointing == "off":
        cheap["grad_checkpointing"] = "auto"
    if spec.micro_batch not in ("auto", 1):
        cheap["micro_batch"] = "auto"
    for field, value in cheap.items():
        yield {field: value}
    if len(cheap) > 1:
        yield dict(cheap)
    all_of = dict[str, object](cheap)
    if method.kind == "full":
        all_of |= {"method.kind": "lora"}
        yield dict(all_of)
    if kind == "cuda" and method.bits != "4" and method.kind in ("full", "lora"):
        all_of |= {"method.bits": "4"}
        yield dict(all_of)
    for tokens in _halves(spec.max_tokens):
        yield cheap | {"max_tokens": tokens}
    if method.kind == "lora" and method.rank > SMALL_RANK:
        yield cheap | {"method.rank": SMALL_RANK}
        all_of |= {"method.rank": SMALL_RANK}
    for tokens in _halves(spec.max_tokens):
        yield all_of | {"max_tokens": tokens}


def _halves(tokens: int) -> list[int]:
    found = []
    while tokens // 2 >= SHORTEST_TOKENS:
        tokens //= 2
        found.append(tokens)
    return found


def _with(job: Job, fields: dict[str, object]) -> Job:
    """The job with the change made, its rows cut anew."""
    own = {name: value for name, value in fields.items() if not name.startswith("method.")}
    inner = {name.partition(".")[2]: value for name, value in fields.items() if name.startswith("method.")}
    changed = job.with_spec(**own, method=job.spec.method.model_copy(update=inner))
    return replace(changed, counts=[min(count, changed.spec.max_tokens) for count in job.counts])


def _larger_card(job: Job) -> Change | None:
    """The smallest card of our facts on which the job fits as it is."""
    cards = sorted(devices().items(), key=lambda item: item[1].usable_gib)
    for name, card in cards:
        if card.kind != "cuda" or job.limit_gib is None or card.usable_gib <= job.limit_gib:
            continue
        precision = precision_of(job.spec, "cuda", job.here, card)
        larger = replace(job, kind="cuda", card=card, card_name=name, limit_gib=card.usable_gib, precision=precision)
        way = best_way(larger)
        if way.memory.likely <= card.usable_gib * ROOM:
            return Change({"gpu": name}, way)
    return None


def _yaml(value: object, field: str) -> str:
    """The value as it stands in a spec; bits are text there."""
    return f"'{value}'" if field == "method.bits" else str(value)
