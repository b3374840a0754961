"""The methods that are compared with each other, by the names that the command line takes."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.errors import BadInput
from core.jobspec import LEARNING_RATES, JobSpec, MethodKind, MethodSpec
from training.methods import METHODS


@dataclass(frozen=True)
class Variant:
    """A method, or one form of it that is worth a row of its own."""

    kind: MethodKind
    words: str
    changes: dict[str, object] = field(default_factory=dict)
    """Settings of `method` that make the form."""


VARIANTS: dict[str, Variant] = {
    "lora": Variant("lora", METHODS["lora"].label, {"bits": "16", "dora": False}),
    "lora-4bit": Variant("lora", "LoRA over 4 bits (QLoRA)", {"bits": "4", "dora": False}),
    "dora": Variant("lora", "DoRA", {"bits": "16", "dora": True}),
    "prefix": Variant("prefix", METHODS["prefix"].label),
    "prompt": Variant("prompt", METHODS["prompt"].label),
    "bottleneck": Variant("bottleneck", METHODS["bottleneck"].label),
    "ia3": Variant("ia3", METHODS["ia3"].label),
    "full": Variant("full", METHODS["full"].label),
}


def as_variant(spec: JobSpec, name: str) -> JobSpec:
    """The training by that method. What the spec says of a method is kept for its own kind; others take what is usual.

    Raises `BadInput` for a name that is not in the table.
    """
    try:
        variant = VARIANTS[name]
    except KeyError:
        raise BadInput(f"there is no method `{name[:40]}`.", f"Methods: {', '.join(VARIANTS)}.") from None
    own = spec.method.kind == variant.kind
    told = (spec.method.model_dump() if own else {}) | {"kind": variant.kind} | variant.changes
    return spec.model_copy(
        update={
            "method": MethodSpec.model_validate(told),
            "learning_rate": spec.learning_rate if own else LEARNING_RATES[variant.kind],
        }
    )
