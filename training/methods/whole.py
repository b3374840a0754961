"""Full fine-tuning: every weight of the base learns."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from core.adapter_files import TOKENIZER_FILES
from core.jobspec import JobSpec
from training.methods.method import Forbidden, Method, bits_but

METHOD = Method(
    kind="full",
    label="full fine-tuning",
    trains="every weight of the model",
    why="Learns most and forgets most. Takes 16 bytes of memory a weight; the result is as large as the base.",
    form="whole",
    mergeable=True,
    rate_source="A tenth of LoRA's (Schulman et al. 2025, LoRA Without Regret: LoRA's best rate is about ten times as "
    "high as that of full tuning)",
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
    import torch

    precision = getattr(torch, getattr(model, _SAVED_IN, "float32"))
    state = {
        name: weight.to(precision) if weight.is_floating_point() else weight
        for name, weight in model.state_dict().items()
    }
    model.save_pretrained(folder, state_dict=state, max_shard_size=ONE_FILE)
    base = Path(str(model.name_or_path))
    for name in TOKENIZER_FILES:
        if (base / name).is_file() and not (folder / name).is_file():
            shutil.copyfile(base / name, folder / name)
            os.chmod(folder / name, 0o644)
