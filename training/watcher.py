"""What watches the trainer: says how it goes, keeps the best adapter, seals checkpoints, and stops when asked."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from core.errors import EngineError
from training.adapter import BestAdapter
from training.checkpoints import PREFIX, seal
from training.report import Report

RECENT_LOGS = 20
"""The speed that is shown is that since so many reports ago."""
LOWER_RATE = "Launch it again with a lower learning_rate."


class StoppedValidating(Exception):
    """Raised to leave a validation when a stop is asked; the step before it is not saved yet."""


class Watcher(TrainerCallback):  # type: ignore[misc]
    """One run's eyes. `stop` is asked after every step and between validation batches."""

    def __init__(
        self,
        report: Report,
        stop: Callable[[], bool],
        best: BestAdapter | None,
        early_stopping: int | None,
    ) -> None:
        self._report = report
        self._stop = stop
        self._best = best
        self._early_stopping = early_stopping
        self._recent: deque[tuple[float, float]] = deque([(0.0, 0.0)], maxlen=RECENT_LOGS + 1)
        self._began = self._step_began = 0.0
        self._first_step = 0
        self.step_seconds = 0.0
        """Time in steps alone: no validation, no saving. Of this worker, as are the tokens."""
        self.tokens = 0.0
        """Tokens of the rows in those steps, without padding."""
        self.stopped_early = False

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """The clock starts."""
        self._began, self._first_step = time.monotonic(), state.global_step

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """A step starts."""
        self._step_began = time.monotonic()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> TrainerControl:
        """Ask for what is due after this step, and whether to stop."""
        self.step_seconds += time.monotonic() - self._step_began
        last = state.global_step >= state.max_steps
        if self._best is not None and last:
            control.should_evaluate = True  # the last weights compete for the best too
        if self._stop():
            control.should_save = control.should_training_stop = True
            control.should_evaluate = False
        return control

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Say how the step went."""
        if not logs or "loss" not in logs:
            return
        loss = _number(logs["loss"], f"The loss is no longer a number at step {state.global_step}.")
        self.tokens = float(logs.get("num_tokens", self.tokens))
        done = max(1, state.global_step - self._first_step)
        values = {
            "loss": loss,
            "learning_rate": float(logs.get("learning_rate", 0.0)),
            "tokens_per_second": self._tokens_per_second(),
            "eta_seconds": (time.monotonic() - self._began) / done * (state.max_steps - state.global_step),
        }
        self._report.step(state.global_step, state.max_steps, values)

    def on_prediction_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Leave a validation that nobody waits for."""
        if self._stop():
            raise StoppedValidating

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        model: Any = None,
        **_: Any,
    ) -> TrainerControl:
        """Keep the adapter if it is the best; stop where it gets no better."""
        what = f"The validation loss is no longer a number at step {state.global_step}."
        loss = _number((metrics or {}).get("eval_loss", math.nan), what)
        self._report.validation(state.global_step, state.max_steps, loss)
        if self._best is not None:
            self._best.offer(model, state.global_step, loss)
        if self._early_stopping is not None and validations_since_best(state.log_history) >= self._early_stopping:
            self.stopped_early = state.global_step < state.max_steps
            control.should_training_stop = control.should_save = True
        return control

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Seal the checkpoint."""
        name = f"{PREFIX}{state.global_step}"
        seal(Path(str(args.output_dir)) / name)
        self._report.checkpoint(state.global_step, state.max_steps, name)

    def _tokens_per_second(self) -> float:
        self._recent.append((self.tokens, self.step_seconds))
        (tokens_then, seconds_then), (tokens_now, seconds_now) = self._recent[0], self._recent[-1]
        return (tokens_now - tokens_then) / max(seconds_now - seconds_then, 1e-9)


def validations_since_best(log_history: list[dict[str, float]]) -> int:
    """How many validations came after the one with the lowest loss. Read from the history, which a checkpoint keeps."""
    losses = {entry["step"]: entry["eval_loss"] for entry in log_history if "eval_loss" in entry}
    steps = sorted(losses)
    if not steps:
        return 0
    best = min(steps, key=lambda step: (losses[step], step))
    return len(steps) - 1 - steps.index(best)


def _number(value: float, otherwise: str) -> float:
    if not math.isfinite(value):
        raise EngineError(otherwise, LOWER_RATE)
    return float(value)
