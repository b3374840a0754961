"""Base and adapter of a dry run loaded anew, in the number format and the bits in which they were trained."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer

from core.jobspec import JobSpec
from serving.adapters import Adapters, load_network
from serving.model import ChatModel
from serving.prefix import install
from training.load_base import load_base
from training.plan import TrainingPlan

TOLERANCE = {"float32": 1e-3, "bfloat16": 0.3, "float16": 0.1, "fp8": 0.5}
"""Of a log-probability. Training keeps an adapter in float32, answers take it in the base's format: that is rounding. A
base trained in fp8 answers in 16 bits."""


def reloaded(spec: JobSpec, plan: TrainingPlan, base: Path, adapter: Path) -> ChatModel:
    """The adapter under the name of its folder. Raises `BadInput` where it does not fit its base."""
    if spec.method.bits in ("4", "8"):
        network = load_base(spec, plan, base).eval()
        install(network)
    else:
        network = load_network(base, getattr(torch, plan.precision), plan.device)
    adapters = Adapters(network, plan.device)
    adapters.add(adapter.name, adapter)
    return ChatModel(adapters, Tokenizer.from_file(str(base / "tokenizer.json")), plan.device)
