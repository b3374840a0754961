"""(IA)3 by PEFT: learned factors on keys, values and the inner feed-forward (Liu et al. 2022, arXiv:2205.05638)."""

from __future__ import annotations

from typing import Any

from core.errors import BadInput
from core.jobspec import JobSpec
from training.methods.method import Forbidden, Method, bits_but

METHOD = Method(
    kind="ia3",
    label="(IA)3",
    trains="one factor for each key, value and inner feed-forward number",
    why="The smallest adapter of all, for a handful of examples. It learns little.",
    form="peft",
    mergeable=True,
    rate_source="3e-3 (Liu et al. 2022, arXiv:2205.05638, section 3.3, there with Adafactor)",
    forbids=(
        Forbidden(
            what="An fp8 base",
            because="its layers add LoRA's product only.",
            where="method.bits",
            hint="Use `bits: '16'`, `'8'` or `'4'`.",
            asked=bits_but("16", "8", "4"),
        ),
    ),
)


def attach(model: Any, spec: JobSpec) -> Any:
    """The model with factors of one. Raises `BadInput` for a base whose layers PEFT does not know by name."""
    from peft import IA3Config, get_peft_model

    try:
        return get_peft_model(model, IA3Config(task_type="CAUSAL_LM"))
    except ValueError as error:
        raise BadInput(
            f"it is not known which layers of {type(model).__name__} (IA)3 rescales.", "Use `lora`."
        ) from error
