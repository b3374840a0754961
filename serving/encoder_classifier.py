"""A fine-tuned encoder with a head that chooses one of the labels. torch is loaded when one is opened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.errors import BadInput
from serving.classifier import AGAIN, ClassifierCard, Form, Sorted

AT_ONCE = 32
"""Texts that are read together, of like length."""


class EncoderClassifier:
    """Opened and ready."""

    form: Form = "encoder"

    def __init__(self, card: ClassifierCard, model: Any, tokenizer: Any, device: str) -> None:
        self.labels = card.labels
        self._max_tokens = card.max_tokens
        self._model = model.to(device).eval()
        self._tokenizer = tokenizer
        self._device = device

    @classmethod
    def load(cls, folder: Path, card: ClassifierCard, device: str = "cpu") -> EncoderClassifier:
        """Raises `BadInput` for a folder that is not a whole encoder with as many outputs as labels."""
        model, tokenizer = open_encoder(folder)
        outputs = int(getattr(model.config, "num_labels", 0))
        if outputs != len(card.labels):
            raise BadInput(f"has {outputs} outputs for {len(card.labels)} labels.", AGAIN, file=str(folder))
        return cls(card, model, tokenizer, device)

    def sort(self, texts: Sequence[str]) -> list[Sorted]:
        """A label for each text."""
        import torch

        read = self._tokenizer(list(texts), truncation=False)["input_ids"] if texts else []
        order = sorted(range(len(texts)), key=lambda at: len(read[at]))
        found: dict[int, Sorted] = {}
        with torch.inference_mode():
            for start in range(0, len(order), AT_ONCE):
                places = order[start : start + AT_ONCE]
                batch = encode(self._tokenizer, [texts[at] for at in places], self._max_tokens, self._device)
                shares = torch.softmax(self._model(**batch).logits.float(), dim=-1)
                likely, best = shares.max(dim=-1)
                for at, share, label in zip(places, likely.tolist(), best.tolist(), strict=True):
                    found[at] = Sorted(self.labels[label], share, cut=len(read[at]) > self._max_tokens)
        return [found[at] for at in range(len(texts))]


def encode(tokenizer: Any, texts: Sequence[str], max_tokens: int, device: str) -> dict[str, Any]:
    """A batch of texts as tensors of shape (texts, tokens), cut and padded."""
    read = tokenizer(list(texts), truncation=True, max_length=max_tokens, padding=True, return_tensors="pt")
    return {name: tensor.to(device) for name, tensor in read.items()}


def open_encoder(folder: Path, **settings: Any) -> tuple[Any, Any]:
    """(model with a head for labels, tokenizer) of a folder: safetensors alone, and no code that comes with a model.

    In float32, whatever they were saved in. `settings` go into the model's configuration. Raises `BadInput`.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    where = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **where)
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, use_safetensors=True, dtype=torch.float32, **where, **settings
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        first = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise BadInput(
            f"cannot be opened as an encoder ({first.rstrip('.')}).",
            "Give a folder or hub id of a BERT-like model: DistilBERT, MiniLM, bge, ModernBERT.",
            file=str(folder),
        ) from error
    if getattr(model.config, "pad_token_id", None) is None or tokenizer.pad_token is None:
        if tokenizer.pad_token is None:
            raise BadInput("its tokenizer knows no padding.", "Take an encoder such as DistilBERT.", file=str(folder))
        model.config.pad_token_id = tokenizer.pad_token_id
    return model, tokenizer
