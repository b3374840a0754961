"""The base model in memory, in the number format and the bits in which it will be trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

from core.errors import BaseModelUnavailable
from core.jobspec import JobSpec
from training.methods import whole
from training.plan import TrainingPlan

PACKS = "support_avx512bf16_for_cpu"


def load_base(spec: JobSpec, plan: TrainingPlan, base: Path) -> Any:
    """The model of the folder `base`, not yet changed. Raises `BaseModelUnavailable`."""
    # Full tuning steps in float32 and computes in the plan's precision: bfloat16 weights would swallow small steps.
    precision = "float32" if spec.method.kind == "full" else plan.precision
    bits: dict[str, Any] = {}
    if spec.method.bits in ("4", "8"):
        # Said outright: a job on the processor of a machine with a card would otherwise be put on the card.
        place = "cpu" if plan.on_cpu else 0
        bits = {"quantization_config": quantization(spec.method.bits, plan.precision), "device_map": {"": place}}
    try:
        model = AutoModelForCausalLM.from_pretrained(
            base,
            dtype=getattr(torch, precision),
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            **bits,
        )
    except (ValueError, OSError, KeyError) as error:
        raise BaseModelUnavailable(
            f"the base model in {base} cannot be loaded: {str(error).splitlines()[0][:200]}", "Prepare it again."
        ) from error
    for layer in model.modules():
        if hasattr(layer, PACKS):
            # For answers alone bitsandbytes turns 4-bit weights over, at the first validation, and there is no way
            # back to a step from there.
            setattr(layer, PACKS, False)
    whole.save_in(model, plan.precision)
    return model


def quantization(bits: str, precision: str) -> BitsAndBytesConfig:
    """8 bits (LLM.int8, Dettmers et al. 2022), or NF4 with quantised scales (QLoRA, Dettmers et al. 2023)."""
    if bits == "8":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=getattr(torch, precision),
    )
