"""What watches the trainer: says how it goes, keeps the best adapter, seals checkpoints, and stops when asked."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from core.errors import EngineError
from training.adapter import BestAdapter
from training.cap import Cap
from training.checkpoints import PREFIX, seal
from training.disk import bytes_in, require_free_bytes
from training.numbers import NumberWatch
from training.origin import Origin
from training.report import Report
from training.together import any_of_us, leads, rank, wait_for_each_other

RECENT_LOGS = 20
"""The speed that is shown is that since so many reports ago."""
LOWER_RATE = "Launch it again with a lower learning_rate."
ROOM_FOR_NEXT = 1.1
"""The next checkpoint is about as large as the last one."""


class StoppedBetween(Exception):
    """Raised to leave a validation, or the middle of a step, when a stop is asked; the last step is not saved yet."""


class Watcher(TrainerCallback):  # type: ignore[misc]
    """One run's eyes. `stop` is asked after every micro batch and between validation batches."""

    def __init__(
        self,
        report: Report,
        stop: Callable[[], bool],
        best: BestAdapter | None,
        early_stopping: int | None,
        *,
        origin: Origin | None = None,
        numbers: NumberWatch | None = None,
        cap: Cap | None = None,
        save_minutes: float | None = None,
        seed: int = 0,
    ) -> None:
        self._report = report
        self._stop = stop
        self._best = best
        self._early_stopping = early_stopping
        self._origin = origin
        self._numbers = numbers
        self._cap = cap
        self._save_seconds = save_minutes * 60 if save_minutes is not None else math.inf
        self._seed = seed
        self._recent: deque[tuple[float, float]] = deque([(0.0, 0.0)], maxlen=RECENT_LOGS + 1)
        self._began = self._step_began = self._saved_at = 0.0
        self._first_step = 0
        self._checkpoint_bytes = 0
        self.step_seconds = 0.0
        """Time in steps alone: no validation, no saving. Of this worker, as are the tokens."""
        self.tokens = 0.0
        """Tokens of the rows in those steps, without padding."""
        self.stopped_early = False
        self.cap_reached = ""
        """Which cap on spending ended the training; empty where none did."""

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """The clock starts."""
        self._began = self._saved_at = time.monotonic()
        self._first_step = state.global_step

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """A step starts. What is random in it follows from seed and step alone, so a resumed run drops the same."""
        torch.manual_seed(hash((self._seed, state.global_step, rank())) % 2**63)
        self._step_began = time.monotonic()

    def on_substep_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """A long step is not waited for: its micro batches are done again when the run goes on."""
        if any_of_us(self._stop()):
            raise StoppedBetween

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """The last moment before the weights change."""
        if self._numbers is not None:
            self._numbers.before_the_weights_change(state.global_step + 1)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> TrainerControl:
        """Ask for what is due after this step, and whether to stop."""
        if torch.cuda.is_initialized():
            torch.cuda.synchronize()  # else the step's work would be waited for outside of its time
        self.step_seconds += time.monotonic() - self._step_began
        last = state.global_step >= state.max_steps
        if self._best is not None and last:
            control.should_evaluate = True  # the last weights compete for the best too
        if any_of_us(time.monotonic() - self._saved_at >= self._save_seconds):
            control.should_save = True
        if self._cap is not None and not last:
            reached = self._cap.reached()
            if any_of_us(bool(reached)):
                self.cap_reached = reached or "the budget is used up"
                control.should_save = control.should_training_stop = True
                control.should_evaluate = self._best is not None  # its last weights compete too
        if any_of_us(self._stop()):
            control.should_save = control.should_training_stop = True
            control.should_evaluate = False
        if self._numbers is not None and (control.should_log or control.should_save or control.should_evaluate):
            self._numbers.look(state.global_step)
        if control.should_save:
            self._require_room(Path(str(args.output_dir)))
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
        self._report.step(state.global_step, state.max_steps, values | preference_figures(logs))

    def on_prediction_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Leave a validation that nobody waits for."""
        if any_of_us(self._stop()):
            raise StoppedBetween

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
        self._report.validation(state.global_step, state.max_steps, loss, preference_figures(metrics or {}, "eval_"))
        if self._best is not None and leads():
            self._best.offer(model, state.global_step, loss)
        if self._early_stopping is not None and validations_since_best(state.log_history) >= self._early_stopping:
            self.stopped_early = state.global_step < state.max_steps
            control.should_training_stop = control.should_save = True
        return control

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Seal the checkpoint, once each process has written its part."""
        wait_for_each_other()
        self._saved_at = time.monotonic()
        if not leads():
            return
        name = f"{PREFIX}{state.global_step}"
        checkpoint = Path(str(args.output_dir)) / name
        if self._origin is not None:
            seal(checkpoint, self._origin)
        self._checkpoint_bytes = bytes_in(checkpoint)
        self._report.checkpoint(state.global_step, state.max_steps, name)

    def _require_room(self, checkpoints: Path) -> None:
        """Better to end with a whole checkpoint of some steps ago than with a torn one of now."""
        if leads() and self._checkpoint_bytes:
            require_free_bytes(checkpoints, int(self._checkpoint_bytes * ROOM_FOR_NEXT), "TUNEWORTHY_HOME")

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


def preference_figures(logs: dict[str, float], before: str = "") -> dict[str, float]:
    """Of preference tuning: by how much the chosen answer's reward is higher, and how often it is."""
    names = {"reward_margin": "rewards/margins", "pair_accuracy": "rewards/accuracies"}
    return {name: float(logs[before + told]) for name, told in names.items() if before + told in logs}


def _number(value: float, otherwise: str) -> float:
    if not math.isfinite(value):
        raise EngineError(otherwise, LOWER_RATE)
    return float(value)
