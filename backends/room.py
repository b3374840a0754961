"""Refuse what cannot fit on this machine, before it is started."""

from __future__ import annotations

from backends.estimates import TRAININGS, estimate_local
from core.errors import Problem, TuneworthyError
from core.jobspec import JobSpec
from core.machine import device_memory_gib, resolve_device


def room_problems(spec: JobSpec) -> list[Problem]:
    """One problem where even the low end of a training's estimate is more than the device has; else none.

    What is only likely not to fit may start, with a warning: the estimate is not that sure. Rows or layers that cannot
    be read are another check's to say.
    """
    if spec.kind not in TRAININGS or spec.learner != "llm":
        return []
    try:
        device = resolve_device(spec.device)
        found = estimate_local(spec.model_copy(update={"gpu": None}))
    except TuneworthyError:
        return []
    low, memory = found.memory_gib.low, device_memory_gib(device)
    if low is None or low <= memory:
        return []
    change = found.plan.get("change")
    hint = str(change["says"]) if isinstance(change, dict) else "Choose a smaller base model."
    place = "this machine" if device == "cpu" else device
    return [Problem(what=f"it takes at least {low:.1f} GiB, and {place} has {memory:.1f}.", where="memory", hint=hint)]
