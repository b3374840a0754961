"""Preference pairs in estimates: a pair counts as one row, twice as long as the longer of its answers with the prompt.

Both sides go through the model at once, so activations and logits are those of two rows. The reference reads them once
more without a backward pass: about a third of a step's time on top, which is not counted.
"""

from __future__ import annotations

from core.jobspec import JobSpec
from cost_models.shapes import ModelShape


def as_one_row(shape: ModelShape, spec: JobSpec) -> tuple[ModelShape, JobSpec]:
    """Shape and spec under which rows may be twice as long, as pairs are."""
    doubled = spec.model_copy(update={"max_tokens": 2 * spec.max_tokens})
    return shape.model_copy(update={"context": 2 * shape.context}), doubled
