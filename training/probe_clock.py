"""The clock of a dry run: the first step warms up, the next ones are timed, then it ends the training."""

from __future__ import annotations

import time
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from cost_models.probe import timed_enough


class ProbeClock(TrainerCallback):  # type: ignore[misc]
    """Seconds of whole steps. On a card it waits for the work that was handed over."""

    def __init__(self, on_cpu: bool) -> None:
        self._on_cpu = on_cpu
        self._began = 0.0
        self.steps = 0
        """Timed ones."""
        self.seconds = 0.0
        """That they took together."""

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """A step starts, once the last one has really ended."""
        self._began = self._now()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> TrainerControl:
        """Count it, unless it was the first."""
        if state.global_step > 1:
            self.steps += 1
            self.seconds += self._now() - self._began
        if timed_enough(self.steps, self.seconds):
            control.should_training_stop = True
        return control

    def _now(self) -> float:
        if not self._on_cpu:
            torch.cuda.synchronize()
        return time.monotonic()
