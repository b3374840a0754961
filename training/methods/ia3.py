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
    rate_source="Three times that of Liu et al. 2022 (arXiv:2205.05638), who took Adafactor; tried on a small model",
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

LAYERS = ("k_proj", "v_proj", "down_proj")
"""Keys, values and the end of the feed-forward, as most families call them; what goes into the last is rescaled."""


def attach(model: Any, spec: JobSpec) -> Any:
    """The model with factors of one. Raises `BadInput` for a base whose layers are not known by name."""
    from peft import IA3Config, get_peft_model

    linears = {name.rpartition(".")[2] for name, layer in model.named_modules() if hasattr(layer, "in_features")}
    config = IA3Config(task_type="CAUSAL_LM")
    if set(LAYERS) <= linears:  # else PEFT's own table of families is asked
        config = IA3Config(task_type="CAUSAL_LM", target_modules=list(LAYERS), feedforward_modules=[LAYERS[-1]])
    try:
        return get_peft_model(model, config)
    except ValueError as error:
        raise BadInput(
            f"it is not known which layers of {type(model).__name__} (IA)3 rescales.", "Use `lora`."
        ) from error
