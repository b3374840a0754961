"""LoRA by PEFT: plain, rank-stabilised, or DoRA; over a base in 16, 8 or 4 bits (QLoRA)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import BadInput
from core.jobspec import JobSpec
from training.methods.method import Forbidden, Method

if TYPE_CHECKING:
    from peft import LoraConfig

METHOD = Method(
    kind="lora",
    label="LoRA",
    trains="two thin matrices beside each chosen layer",
    why="The usual choice: close to full tuning on small data, in a fraction of the memory, and it can be merged.",
    form="peft",
    mergeable=True,
    rate_source="Ten times that of full tuning (Schulman et al. 2025, LoRA Without Regret)",
    settings=("rank", "alpha", "dropout", "rslora", "dora", "targets"),
    forbids=(
        Forbidden(
            what="DoRA over 8 bits",
            because="it starts from the lengths of the weight columns, which an 8-bit base does not tell before its "
            "first step.",
            where="method.dora",
            hint="Use `bits: '4'` or `'16'`, or leave `dora` out.",
            asked=lambda spec: spec.method.dora and spec.method.bits == "8",
        ),
        Forbidden(
            what="Dropout over fp8",
            because="the fp8 layers read an adapter's input once for all adapters.",
            where="method.dropout",
            hint="Set `dropout: 0`, or use `bits: '16'`.",
            asked=lambda spec: spec.method.dropout > 0 and spec.method.bits == "fp8",
        ),
        Forbidden(
            what="DoRA over fp8",
            because="the fp8 layers add LoRA's product only.",
            where="method.dora",
            hint="Leave `dora` out, or use `bits: '16'`.",
            asked=lambda spec: spec.method.dora and spec.method.bits == "fp8",
        ),
    ),
)


def attach(model: Any, spec: JobSpec) -> Any:
    """The model with fresh adapters. Raises `BadInput` for layers that it lacks."""
    from peft import get_peft_model

    try:
        return get_peft_model(model, lora_config(spec))
    except ValueError as error:
        if "arget modules" in str(error):
            raise BadInput(
                f"the base model has no layers named {', '.join(spec.method.targets)}.", "Use `all-linear`."
            ) from error
        raise


def lora_config(spec: JobSpec) -> LoraConfig:
    """The adapter that the spec asks for, in PEFT's words."""
    from peft import LoraConfig

    method = spec.method
    return LoraConfig(
        r=method.rank,
        lora_alpha=method.alpha,
        lora_dropout=method.dropout,
        target_modules=method.targets,
        use_rslora=method.rslora,
        use_dora=method.dora,
        bias="none",
        task_type="CAUSAL_LM",
    )
