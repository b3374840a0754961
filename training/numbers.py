"""Losses and gradients that are no longer numbers: found before they reach a checkpoint, with the rows that did it."""

from __future__ import annotations

from typing import Any

import torch

from core.errors import EngineError
from training.rows import Part

HINT = "Look at these rows. If nothing is odd about them, launch it again with a lower learning_rate."
NO_ROWS_HINT = "Launch it again with a lower learning_rate."
MOST_LINES_NAMED = 20


class NumberWatch:
    """Sees the loss of every micro batch and the norm of every step's gradients.

    On a card nothing waits for them: what was seen is looked at when `look` is called, at the latest before anything
    is saved. On a processor every step is looked at before its weights change.
    """

    def __init__(self, train: Part, *, at_once: bool) -> None:
        self._train = train
        self._at_once = at_once
        self._losses: list[tuple[Any, Any, Any]] = []
        """(is it a number?, input ids, attention mask) of the micro batches since the last look."""
        self._norms: list[Any] = []

    def attach(self, trainer: Any) -> None:
        """See what the trainer computes from now on."""
        compute_loss, gradient_norm = trainer.compute_loss, trainer._get_grad_norm

        def seen_loss(model: Any, inputs: dict[str, Any], *given: Any, **named: Any) -> Any:
            ids, attended = inputs.get("input_ids"), inputs.get("attention_mask")
            found = compute_loss(model, inputs, *given, **named)
            if model.training:
                loss = found[0] if isinstance(found, tuple) else found
                self._losses.append((torch.isfinite(loss.detach()).all(), ids, attended))
            return found

        def seen_norm(*given: Any, **named: Any) -> Any:
            norm = gradient_norm(*given, **named)
            if norm is not None:
                self._norms.append(torch.isfinite(torch.as_tensor(norm)).all())
            return norm

        trainer.compute_loss, trainer._get_grad_norm = seen_loss, seen_norm

    def before_the_weights_change(self, step: int) -> None:
        """Look where that costs nothing. Raises as `look`."""
        if self._at_once:
            self.look(step)

    def look(self, step: int) -> None:
        """Raise `EngineError` with the rows of the batch if a loss or gradient since the last look was no number.

        `step` is the step that is under way, or was just made.
        """
        losses, norms = self._losses, self._norms
        self._losses, self._norms = [], []
        if losses and not bool(torch.stack([fine for fine, _, _ in losses]).all()):
            first = next(place for place, (fine, _, _) in enumerate(losses) if not bool(fine))
            self._raise("loss is", step, losses[first : first + 1])
        if norms and not bool(torch.stack(norms).all()):
            # The norm is that of a whole step: all its micro batches took part.
            self._raise("gradients are", step, losses)

    def _raise(self, what: str, step: int, batches: list[tuple[Any, Any, Any]]) -> None:
        found = {line for _, ids, attended in batches for line in self._lines_of(ids, attended)}
        lines = sorted(found - {0})
        shown = [str(line) for line in lines[:MOST_LINES_NAMED]]
        more = f" and {len(lines) - len(shown)} more" if len(lines) > len(shown) else ""
        where = f", in the batch of line{'s' if len(lines) > 1 else ''} {', '.join(shown)}{more} of {self._train.path}"
        if 0 in found:
            where = f"{where if lines else ', in a batch'} with rows mixed in"
        kind = "no longer a number" if what.endswith("is") else "no longer numbers"
        raise EngineError(f"The {what} {kind} at step {step}{where if found else ''}.", HINT if lines else NO_ROWS_HINT)

    def _lines_of(self, ids: Any, attended: Any) -> list[int]:
        """Lines of the rows with these tokens; none where the batch was not made of whole rows side by side."""
        if ids is None or attended is None or ids.shape != attended.shape:
            return []
        tokens = {tuple(row[mask.bool()].tolist()) for row, mask in zip(ids.cpu(), attended.cpu(), strict=True)}
        return [
            line
            for row, line in zip(self._train.rows, self._train.lines, strict=True)
            if tuple(row.input_ids) in tokens
        ]
