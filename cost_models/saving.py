"""How much LoRA saves: numbers trained with it and without it, for one matrix and for a whole model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.jobspec import MethodSpec
from cost_models.shapes import ModelShape
from cost_models.trainable import lora_parameters, trainable_parameters


@dataclass(frozen=True)
class Saving:
    """Counts of trained numbers."""

    full: int
    """With full tuning."""
    trained: int
    """With LoRA."""

    @property
    def share(self) -> float:
        """What LoRA trains of the whole; above 1 where its rank is too high to save anything."""
        return self.trained / self.full

    @property
    def times(self) -> float:
        """How many times fewer numbers LoRA trains."""
        return self.full / self.trained


def matrix_saving(rows: int, columns: int, rank: int) -> Saving:
    """LoRA of one matrix with `columns` inputs and `rows` outputs."""
    return Saving(full=rows * columns, trained=lora_parameters(columns, rows, rank))


def model_saving(shape: ModelShape, rank: int, targets: list[str] | Literal["all-linear"]) -> Saving:
    """LoRA of a whole model. Raises `BadInput` when no layer matches the targets."""
    method = MethodSpec(kind="lora", rank=rank, targets=targets)
    return Saving(full=shape.total_params, trained=trainable_parameters(shape, method))
