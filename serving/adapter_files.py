"""What an adapter's folder must hold before any library is loaded for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core.adapter_files import OWN_FORM, files_of, is_whole_model
from core.errors import BadInput, NotFound

WHOLE = "WHOLE_MODEL"
BOTTLENECK = "BOTTLENECK"
KINDS = ("LORA", "IA3", "PREFIX_TUNING", "PROMPT_TUNING", BOTTLENECK, WHOLE)
"""What can be answered with: PEFT's own words for its kinds, and ours."""
_REWRITES_THE_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga")
"""Beginnings of trainings of LoRA that move a part of the base into the adapter: loading one takes it out again."""


def check_adapter(folder: Path) -> str:
    """One of `KINDS`. Raises `NotFound` or `BadInput` unless it is one, with safetensors weights beside it.

    An adapter that changes the base for good is refused: base and tuned model could not be told apart any more.
    """
    config, weights = files_of(folder)
    if not config.is_file() or not weights.is_file():
        raise NotFound(
            f"{folder} holds no adapter.",
            "An adapter has adapter_config.json and adapter_model.safetensors, a whole model config.json and "
            "model.safetensors.",
        )
    if is_whole_model(folder):
        return WHOLE
    told = read_config(folder)
    kind = str(told.get(OWN_FORM) or told.get("peft_type"))
    if kind not in KINDS:
        raise BadInput(f"is an adapter of kind {kind[:40]}.", f"Served: {', '.join(KINDS)}.", file=str(config))
    if kind == "LORA":
        _refuse_changed_base(told, config)
    return kind


def read_config(folder: Path) -> dict[str, Any]:
    """The adapter's settings. Raises `BadInput` for what is no JSON object."""
    config, _ = files_of(folder)
    try:
        told = json.loads(config.read_bytes())
        if isinstance(told, dict):
            return told
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput("is not JSON.", "Train the adapter again.", file=str(config)) from error
    raise BadInput("is not JSON with named fields.", "Train the adapter again.", file=str(config))


def _refuse_changed_base(told: dict[str, Any], config: Path) -> None:
    """PEFT writes these changes into the base itself, and switching the adapter off does not take them back."""
    began = told.get("init_lora_weights")
    if isinstance(began, str) and began.lower().startswith(_REWRITES_THE_BASE):
        raise BadInput(
            f"is a LoRA that began as {began[:20]}: loading it changes the base beside it.",
            "Save it as a plain LoRA: PEFT's `save_pretrained` with `path_initial_model_for_weight_conversion`.",
            file=str(config),
        )
    if told.get("bias", "none") not in (None, "none"):
        raise BadInput(
            "is a LoRA with biases of its own: loading it changes the base beside it.",
            "Train it with `bias: none`.",
            file=str(config),
        )
    if told.get("layer_replication"):
        raise BadInput("is a LoRA that repeats layers of the base.", "Train it without.", file=str(config))
