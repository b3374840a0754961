"""The tuning methods, one file a family: what each is, forbids and costs, and how a model is made to learn that way.

Declarations are light. `attach`, `restore` and what they import are for the worker.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.jobspec import JobSpec, MethodKind
from training.methods import bottleneck, ia3, lora, virtual, whole
from training.methods.method import Method

METHODS: dict[MethodKind, Method] = {
    each.kind: each
    for each in (lora.METHOD, whole.METHOD, virtual.PREFIX, virtual.PROMPT, bottleneck.METHOD, ia3.METHOD)
}
_FAMILIES: dict[MethodKind, Any] = {
    "lora": lora,
    "full": whole,
    "prefix": virtual,
    "prompt": virtual,
    "bottleneck": bottleneck,
    "ia3": ia3,
}


def attach(model: Any, spec: JobSpec) -> Any:
    """Make the loaded model learn as the spec says. Raises `BadInput` where this base cannot."""
    return _FAMILIES[spec.method.kind].attach(model, spec)


def restorer(spec: JobSpec) -> Callable[[Any, Path], None] | None:
    """How to take up a checkpoint's weights; None where the trainer's own way will do."""
    found: Callable[[Any, Path], None] | None = getattr(_FAMILIES[spec.method.kind], "restore", None)
    return found
