"""Fine-tune an encoder with a head for labels: a plain loop, all weights moved, the best validation kept.

AdamW, warm-up and then a straight line to zero, gradients clipped at 1, batches of rows of like length. Where the
validation loss gets no better for `early_stopping` validations it ends; what is kept is the best, not the last.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from core.errors import EngineError
from core.jobspec import JobSpec
from core.machine import resolve_device
from serving.encoder_classifier import AT_ONCE, encode, open_encoder
from training.labelled import Labelled
from training.report import Report

BATCH = 16
CHUNK_BATCHES = 32
"""Rows are sorted by length within so many batches: less padding, and the order stays random."""
CLIP = 1.0
HEAD_FACTOR = 10.0
"""The head is new and has everything to learn, the encoder little: its rate is so many times that of the encoder
(Howard and Ruder 2018, discriminative fine-tuning)."""
EVENTS_PER_RUN = 500
UNKNOWN = -100
"""A validation row whose label no training row has: wrong whatever is said, and without a loss."""
LOWER_RATE = "Launch it again with a lower learning_rate."


class EncoderTuning:
    """One fine-tuning, from the opened encoder to the weights that are kept."""

    def __init__(
        self, spec: JobSpec, folder: Path, train: Labelled, validation: Labelled | None, report: Report
    ) -> None:
        """Opens the encoder in `folder`. Raises `BadInput` for one that cannot be opened."""
        import torch

        torch.manual_seed(spec.seed)
        self.spec, self.train, self.validation, self._report = spec, train, validation, report
        self.device = resolve_device(spec.device)
        self.labels = train.names
        self._place_of = {label: at for at, label in enumerate(self.labels)}
        self.model, self.tokenizer = open_encoder(
            folder,
            num_labels=len(self.labels),
            id2label=dict(enumerate(self.labels)),
            label2id=self._place_of,
            ignore_mismatched_sizes=True,  # a head of another task makes room for ours
        )
        self.model.to(self.device)
        self.max_tokens = _longest(spec, self.model, self.tokenizer)
        self._lengths = [len(ids) for ids in self.tokenizer(train.texts, truncation=False)["input_ids"]]
        self.cut = sum(length > self.max_tokens for length in self._lengths)
        """Training rows whose end is not read."""
        self.batch = min(BATCH if spec.micro_batch == "auto" else spec.micro_batch, len(train.texts))
        per_epoch = math.ceil(math.ceil(len(train.texts) / self.batch) / spec.grad_accumulation)
        self.total = math.ceil(per_epoch * spec.epochs)
        self._every = spec.eval_steps or max(1, per_epoch // 2)
        self._optimizer = torch.optim.AdamW(
            parts(self.model, spec.learning_rate), lr=spec.learning_rate, weight_decay=spec.weight_decay
        )
        self._rate = torch.optim.lr_scheduler.LambdaLR(self._optimizer, self._share_of_rate)
        self.steps = 0
        """Steps that were made."""
        self.kept_step = 0
        """Step of the weights that are kept."""
        self.losses: list[float] = []
        self.kept_validation: tuple[float, float] | None = None
        """(loss, share right) of the kept weights on the validation rows."""
        self.tokens = 0
        self.step_seconds = 0.0
        self._best: dict[str, Any] | None = None
        self._since_best = 0

    @property
    def stopped_early(self) -> bool:
        """True where the validation loss got no better."""
        limit = self.spec.early_stopping
        return limit is not None and self._since_best >= limit

    def run(self, stop: Callable[[], bool]) -> bool:
        """Train to the end; False where somebody asked to stop. Raises `EngineError` for a loss that is no number."""
        began = time.monotonic()
        shuffle = random.Random(self.spec.seed)
        for batches in steps(self._lengths, self.batch, self.spec.grad_accumulation, self.total, shuffle):
            if stop():
                return False
            self._step(batches)
            last = self.steps == self.total
            if last or self.steps % max(1, self.total // EVENTS_PER_RUN) == 0:
                self._report.step(self.steps, self.total, self._values(began))
            if self.validation is not None and (last or self.steps % self._every == 0):
                found = self._validate(self.validation, stop)
                if found is None:
                    return False
                self._offer(found)
                if self.stopped_early:
                    break
        if self._best is not None:
            self.model.load_state_dict(self._best)
        else:
            self.kept_step = self.steps
        self.model.eval()
        return True

    def _step(self, batches: list[list[int]]) -> None:
        import torch

        started = time.monotonic()
        self.model.train()
        loss_sum, count = 0.0, sum(map(len, batches))
        for places in batches:
            inputs, wanted = self._tensors(self.train, places)
            with self._arithmetic():
                loss = torch.nn.functional.cross_entropy(self.model(**inputs).logits.float(), wanted)
            share = len(places) / count
            (loss * share).backward()
            loss_sum += float(loss.detach()) * share
            self.tokens += int(inputs["attention_mask"].sum())
        self.steps += 1
        if not math.isfinite(loss_sum):
            rows = ", ".join(str(at + 1) for places in batches for at in places)
            raise EngineError(
                f"The loss is no longer a number at step {self.steps} (usable rows {rows[:200]}).", LOWER_RATE
            )
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
        self._optimizer.step()
        self._rate.step()
        self._optimizer.zero_grad(set_to_none=True)
        self.losses.append(loss_sum)
        self.step_seconds += time.monotonic() - started

    def _validate(self, part: Labelled, stop: Callable[[], bool]) -> tuple[float, float] | None:
        """(mean loss, share right); None where somebody asked to stop."""
        import torch

        self.model.eval()
        order = sorted(range(len(part.texts)), key=lambda at: len(part.texts[at]))
        loss = right = counted = 0.0
        with torch.inference_mode(), self._arithmetic():
            for start in range(0, len(order), AT_ONCE):
                if stop():
                    return None
                inputs, wanted = self._tensors(part, order[start : start + AT_ONCE])
                logits = self.model(**inputs).logits.float()
                summed = torch.nn.functional.cross_entropy(logits, wanted, ignore_index=UNKNOWN, reduction="sum")
                loss += float(summed)
                right += float((logits.argmax(dim=-1) == wanted).sum())
                counted += float((wanted != UNKNOWN).sum())
        mean = loss / max(1.0, counted)
        if not math.isfinite(mean):
            raise EngineError(f"The validation loss is no longer a number at step {self.steps}.", LOWER_RATE)
        return mean, right / len(order)

    def _offer(self, found: tuple[float, float]) -> None:
        """Keep the weights if they are the best so far."""
        self._report.validation(self.steps, self.total, found[0])
        if self.kept_validation is not None and found[0] >= self.kept_validation[0]:
            self._since_best += 1
            return
        self.kept_validation, self.kept_step, self._since_best = found, self.steps, 0
        self._best = {name: tensor.detach().cpu().clone() for name, tensor in self.model.state_dict().items()}

    def _tensors(self, part: Labelled, places: Sequence[int]) -> tuple[dict[str, Any], Any]:
        """(inputs of shape (rows, tokens), labels of shape (rows,))"""
        import torch

        inputs = encode(self.tokenizer, [part.texts[at] for at in places], self.max_tokens, self.device)
        labels = [self._place_of.get(part.labels[at], UNKNOWN) for at in places]
        return inputs, torch.tensor(labels, device=self.device)

    def _arithmetic(self) -> Any:
        """float32 on a processor, bfloat16 on a card, or as asked."""
        import torch

        kind = self.device.partition(":")[0]
        half = self.spec.precision == "bfloat16" or (self.spec.precision == "auto" and kind == "cuda")
        return torch.autocast(kind, dtype=torch.bfloat16, enabled=half)

    def _share_of_rate(self, step: int) -> float:
        warm = max(1, int(self.total * self.spec.warmup_ratio))
        return min((step + 1) / warm, max(0.0, (self.total - step) / max(1, self.total - warm)))

    def _values(self, began: float) -> dict[str, float]:
        return {
            "loss": self.losses[-1],
            "learning_rate": float(self._rate.get_last_lr()[0]),
            "tokens_per_second": self.tokens / max(self.step_seconds, 1e-9),
            "eta_seconds": (time.monotonic() - began) / self.steps * (self.total - self.steps),
        }


def parts(model: Any, learning_rate: float) -> list[dict[str, Any]]:
    """Encoder and head for the optimizer, each with its rate."""
    encoder = f"{model.base_model_prefix}."
    named = list(model.named_parameters())
    return [
        {"params": [weight for name, weight in named if name.startswith(encoder)], "lr": learning_rate},
        {
            "params": [weight for name, weight in named if not name.startswith(encoder)],
            "lr": HEAD_FACTOR * learning_rate,
        },
    ]


def steps(
    lengths: Sequence[int], batch: int, accumulated: int, total: int, shuffle: random.Random
) -> Iterator[list[list[int]]]:
    """The places of the rows of each of `total` steps, in batches of like length; every row once a pass."""
    made = 0
    while made < total:
        order = list(range(len(lengths)))
        shuffle.shuffle(order)
        batches: list[list[int]] = []
        for start in range(0, len(order), batch * CHUNK_BATCHES):
            chunk = sorted(order[start : start + batch * CHUNK_BATCHES], key=lambda at: lengths[at])
            batches += [chunk[at : at + batch] for at in range(0, len(chunk), batch)]
        shuffle.shuffle(batches)
        for start in range(0, len(batches), accumulated):
            yield batches[start : start + accumulated]
            made += 1
            if made == total:
                return


def _longest(spec: JobSpec, model: Any, tokenizer: Any) -> int:
    """The longest text in tokens: as asked, and no longer than the encoder can read."""
    positions = int(getattr(model.config, "max_position_embeddings", 0) or spec.max_tokens)
    return max(8, min(spec.max_tokens, positions, int(tokenizer.model_max_length)))
