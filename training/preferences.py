"""TRL's DPOTrainer on pairs that come ready as token ids (Rafailov et al. 2023, arXiv:2305.18290).

What it is held to (the reference) is where it began: the base, with the adapter off, or the adapter that it started
from, a frozen copy of which stays beside it in memory.
"""

from __future__ import annotations

from typing import Any

import datasets
from trl import DPOConfig, DPOTrainer

from core.errors import BadInput
from core.jobspec import JobSpec
from training.methods import attach
from training.pairs import sides, start_folder
from training.rows import Part

REFERENCE = "ref"
"""The library's name for the copy of the adapter that it starts from."""


class ReadyPairs(DPOTrainer):  # type: ignore[misc]
    """The library's trainer, which would render rows with a template of its own."""

    def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
        return dataset


def start_from(model: Any, spec: JobSpec) -> Any:
    """The model with the adapter that it starts from, or a fresh one. Raises `NotFound`, or `BadInput` for a misfit."""
    folder = start_folder(spec)
    if folder is None:
        return attach(model, spec)
    from peft import PeftModel

    from serving.adapter_files import check_adapter

    if check_adapter(folder) != "LORA":
        raise BadInput("is no LoRA adapter.", "Preference tuning starts from one, or from the base.", file=str(folder))
    try:
        return PeftModel.from_pretrained(model, str(folder), is_trainable=True)
    except (RuntimeError, ValueError, KeyError) as error:
        hint = "Was it trained on another base?"
        raise BadInput(f"the adapter {folder} does not fit this base model.", hint, file=str(folder)) from error


def preference_trainer(
    model: Any,
    settings: dict[str, Any],
    spec: JobSpec,
    train: Part,
    validation: Part | None,
    tokenizer: Any,
    watcher: Any,
) -> DPOTrainer:
    """A trainer that has not begun."""
    trainer = ReadyPairs(
        model=model,
        args=DPOConfig(**settings, beta=spec.dpo_beta, max_length=None),
        train_dataset=pairs_dataset(train),
        eval_dataset=pairs_dataset(validation, by_length=True) if validation else None,
        processing_class=tokenizer,
        callbacks=[watcher],
    )
    if start_folder(spec) is None and REFERENCE in trainer.model.peft_config:
        # A fresh adapter changes nothing yet: the base with it off is the same reference, and takes no memory.
        trainer.model.delete_adapter(REFERENCE)
    return trainer


def pairs_dataset(part: Part, *, by_length: bool = False) -> datasets.Dataset:
    """Prompt, chosen and rejected ids of the pairs; sorted by length where the order does not matter."""
    pairs = list(zip(part.rows, part.rejected, strict=True))
    if by_length:
        pairs.sort(key=lambda pair: max(len(side.input_ids) for side in pair))
    told = [sides(chosen, other) for chosen, other in pairs]
    names = ("prompt_ids", "chosen_ids", "rejected_ids")
    return datasets.Dataset.from_dict({name: [row[at] for row in told] for at, name in enumerate(names)})
