"""What an adapter's folder must hold before any library is loaded for it."""

from __future__ import annotations

import json
from pathlib import Path

from core.errors import BadInput, NotFound


def check_adapter(folder: Path) -> None:
    """Raise `NotFound` or `BadInput` unless the folder holds a LoRA adapter with safetensors weights."""
    config = folder / "adapter_config.json"
    if not config.is_file() or not (folder / "adapter_model.safetensors").is_file():
        raise NotFound(
            f"{folder} holds no adapter.", "An adapter has adapter_config.json and adapter_model.safetensors."
        )
    try:
        kind = json.loads(config.read_bytes()).get("peft_type")
    except (ValueError, AttributeError) as error:
        raise BadInput("is not JSON.", "Train the adapter again.", file=str(config)) from error
    if kind != "LORA":
        raise BadInput(f"is an adapter of kind {str(kind)[:40]}.", "This release serves LoRA.", file=str(config))
