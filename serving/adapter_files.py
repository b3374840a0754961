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


def check_adapter(folder: Path) -> str:
    """One of `KINDS`. Raises `NotFound` or `BadInput` unless it is one, with safetensors weights beside it."""
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
