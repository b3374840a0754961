"""Full fine-tuning: every weight of the base learns."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from core.adapter_files import TOKENIZER_FILES, WHOLE_CONFIG
from core.jobspec import JobSpec
from core.run_folder import write_atomically
from training.methods.method import Forbidden, Method, bits_but

METHOD = Method(
    kind="full",
    label="full fine-tuning",
    trains="every weight of the model",
    why="Learns most and forgets most. Takes 16 bytes of memory a weight; the result is as large as the base.",
    form="whole",
    mergeable=True,
    rate_source="A tenth of LoRA's (Schulman et al. 2025, LoRA Without Regret)",
    forbids=(
        Forbidden(
            what="A base in fewer than 16 bits",
            because="its weights are rounded to a few levels, and a small step would not move them.",
            where="method.bits",
            hint="Use `bits: '16'`, or `lora`.",
            asked=bits_but("16"),
        ),
    ),
)
ONE_FILE = "100000GB"
_SAVED_IN = "tuneworthy_saved_in"


def attach(model: Any, spec: JobSpec) -> Any:
    """The model itself, all of it learning. It was loaded in float32: steps are too small for bfloat16 weights."""
    model.requires_grad_(True)
    return model


def save_in(model: Any, precision: str) -> None:
    """Note the number format in which this model is written: that of the run, as its base was."""
    setattr(model, _SAVED_IN, precision)


def save(model: Any, folder: Path) -> None:
    """Write config, one safetensors file and the tokenizer, so that the folder is a base by itself."""
    precision = getattr(model, _SAVED_IN, "float32")
    model.save_pretrained(folder, state_dict=_cast(model.state_dict(), precision), max_shard_size=ONE_FILE)
    config = json.loads((folder / WHOLE_CONFIG).read_bytes())
    write_atomically(folder / WHOLE_CONFIG, json.dumps(config | {"dtype": precision}, indent=2, sort_keys=True))
    base = Path(str(model.name_or_path))
    for name in TOKENIZER_FILES:
        if (base / name).is_file() and not (folder / name).is_file():
            shutil.copyfile(base / name, folder / name)
            os.chmod(folder / name, 0o644)


def _cast(state: dict[str, Any], precision: str) -> dict[str, Any]:
    """The weights in another number format. A tensor under two names stays one, and is written once."""
    import torch

    dtype, done = getattr(torch, precision), {}
    for weight in state.values():
        if weight.data_ptr() not in done:
            done[weight.data_ptr()] = weight.to(dtype) if weight.is_floating_point() else weight
    return {name: done[weight.data_ptr()] for name, weight in state.items()}
