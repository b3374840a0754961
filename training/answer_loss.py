"""The loss of the answers' tokens alone, for processors without a card.

TRL's own loss goes over the whole vocabulary at every token and also computes the entropy and the best token for its
log: on two cores that is half of a step. Here only the positions that are learned reach the output matrix.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import cross_entropy

IGNORED = -100
"""The label of a token that is not learned."""


def learn_answers_only(trainer: Any) -> None:
    """Give the trainer a `compute_loss` that is equal in value to its own and reads learned positions only.

    A hook hands the output matrix `(learned, hidden)` instead of `(batch, tokens, hidden)`; what a model does to its
    logits afterwards (scaling, soft caps) is kept, since it works on each logit alone.
    """
    learned: list[torch.Tensor] = []

    def choose(_head: Any, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...] | None:
        if not learned:
            return None
        # Prompt tuning puts learned places before the row, which answer nothing.
        places = inputs[0].shape[1] - learned[-1].shape[1]
        return (inputs[0][torch.nn.functional.pad(learned[-1], (places, 0), value=False)],)

    def compute_loss(
        model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        labels = inputs["labels"][:, 1:]
        here = labels != IGNORED
        # The last token predicts nothing.
        learned.append(torch.nn.functional.pad(here, (0, 1), value=False))
        read = {name: value for name, value in inputs.items() if name != "labels"}
        try:
            logits = model(**read, use_cache=False).logits
        finally:
            learned.clear()
        total = cross_entropy(logits.float(), labels[here], reduction="sum")
        count = here.sum() if num_items_in_batch is None else torch.as_tensor(num_items_in_batch)
        loss = total / count.clamp(min=1)
        if num_items_in_batch is not None:
            # The items are those of all processes, and their gradients are averaged afterwards.
            loss = loss * trainer.accelerator.num_processes
        if trainer.model.training:  # the trainer's own log shows the tokens read so far
            here_tokens = int(inputs["attention_mask"].sum())
            trainer._total_train_tokens += here_tokens * trainer.accelerator.num_processes
            trainer._metrics["train"]["num_tokens"] = [trainer._total_train_tokens]
        return (loss, {}) if return_outputs else loss

    trainer.model.get_output_embeddings().register_forward_pre_hook(choose)
    trainer.compute_loss = compute_loss
