"""A small classifier as a folder: what it is, how it is opened, and what it says of a text.

<folder>/
    classifier.json      the form, the labels, and what reads a text
    model.safetensors    numbers only
    config.json, tokenizer.json    of an encoder

Nothing in such a folder is ever run: no pickle, no code, no pattern comes from it. A file that is not as it should be
is refused with a reason.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.adapter_files import CLASSIFIER, WHOLE_WEIGHTS
from core.errors import BadInput, NotFound, problems_of
from core.run_folder import write_atomically

FILE, WEIGHTS = CLASSIFIER, WHOLE_WEIGHTS
VERSION = 1
"""Of the files and of what reads a text; another one is refused, never guessed at."""
MOST_CARD_BYTES = 64 << 20
MOST_LABELS = 10_000
Form = Literal["classic", "encoder"]
FORM_WORDS: dict[Form, str] = {"classic": "TF-IDF + logistic regression", "encoder": "a fine-tuned encoder"}
AGAIN = "Train it again, or put the files back."


class ClassifierCard(BaseModel):
    """`classifier.json`."""

    model_config = ConfigDict(extra="forbid")
    version: Literal[1]
    form: Form
    labels: Annotated[list[str], Field(min_length=2, max_length=MOST_LABELS)]
    """In the order of the model's outputs."""
    words: list[str] = []
    """Of a classic one: words and pairs that it knows, in the order of its weights."""
    pieces: list[str] = []
    """Of a classic one: pieces of two to four letters, behind the words."""
    max_tokens: int = Field(default=512, ge=1, le=1_000_000)
    """Of an encoder: what comes after so many tokens of a text is not read."""

    @model_validator(mode="after")
    def _each_once(self) -> ClassifierCard:
        for name, texts in (("labels", self.labels), ("words", self.words), ("pieces", self.pieces)):
            if len(set(texts)) < len(texts):
                raise ValueError(f"{name} has one twice")
        if self.form == "classic" and not (self.words or self.pieces):
            raise ValueError("a classic one knows words or pieces")
        return self

    def save(self, folder: Path) -> None:
        """Into `folder`, whole or not at all."""
        write_atomically(folder / FILE, self.model_dump_json(exclude_defaults=True))


@dataclass(frozen=True)
class Sorted:
    """What a classifier says of one text."""

    label: str
    share: float
    """How likely it holds the label to be, 0 to 1. Not calibrated: an order, no promise."""
    cut: bool = False
    """True where the end of the text was not read."""


class Classifier(Protocol):
    """A classifier that is ready to be asked."""

    form: Form
    labels: list[str]

    def sort(self, texts: Sequence[str]) -> list[Sorted]:
        """A label for each text."""
        ...


def read_card(folder: Path) -> ClassifierCard:
    """The card of a folder. Raises `NotFound` or `BadInput`."""
    path = folder / FILE
    try:
        if path.stat().st_size > MOST_CARD_BYTES:
            raise BadInput("is larger than 64 MiB.", AGAIN, file=str(path))
        told = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise NotFound(f"no classifier at {folder}.", "Has its train job succeeded?") from error
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput("is not JSON.", AGAIN, file=str(path)) from error
    try:
        return ClassifierCard.model_validate(told)
    except ValidationError as error:
        raise BadInput(f"is not a classifier: {problems_of(error)[0].what}", AGAIN, file=str(path)) from error


def load_classifier(folder: Path, device: str = "cpu") -> Classifier:
    """The classifier in `folder`. Raises `NotFound`, or `BadInput` for files that are not as they should be.

    `device` is where an encoder computes; the classic form stays on the processor.
    """
    card = read_card(folder)
    if card.form == "classic":
        from serving.classic_classifier import ClassicClassifier

        return ClassicClassifier.load(folder, card)
    from serving.encoder_classifier import EncoderClassifier

    return EncoderClassifier.load(folder, card, device)
