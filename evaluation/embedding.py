"""Do two texts mean the same? Cosine similarity of sentence embeddings, where a team names a model that it has.

Only an addition: it says nothing of facts (a wrong date is as near as a right one), so no verdict rests on it.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from core.errors import BadInput, Refused
from evaluation.stats import Interval, interval

MAX_CHARACTERS = 5000
PACKAGE = "sentence_transformers"


class Similarity(BaseModel):
    """Nearness in meaning of every model's answers to the expected ones."""

    # A later release adds fields; an older one must still read its files.
    model_config = ConfigDict(extra="ignore")
    encoder: str
    """Model that the embeddings come from."""
    models: dict[str, Interval]
    """{model: mean cosine, those below zero as zero}."""
    unrelated: float
    """The same of answers to other rows: where the scale of this encoder begins."""


def similarity(encoder: str, expected: Sequence[str], said: Mapping[str, Sequence[str]], seed: int) -> Similarity:
    """Embed and compare. `encoder`: a folder or hub id of a sentence-transformers model that is on this machine.

    Raises `Refused` without the library, `BadInput` for two rows too few or a model that cannot be loaded.
    """
    if len(expected) < 2:
        raise BadInput(f"{len(expected)} rows are too few to compare meanings.", "Give two rows or more.")
    model = _load(encoder)
    wanted = _embed(model, expected)
    found = {
        name: interval([_cosine(one, other) for one, other in zip(wanted, _embed(model, answers), strict=True)], seed)
        for name, answers in said.items()
    }
    others = [_cosine(one, other) for one, other in zip(wanted, [*wanted[1:], wanted[0]], strict=True)]
    return Similarity(encoder=encoder, models=found, unrelated=sum(others) / len(others))


def has_encoder_library() -> bool:
    """True where sentence-transformers is installed."""
    return importlib.util.find_spec(PACKAGE) is not None


def _load(encoder: str) -> Any:
    if not has_encoder_library():
        raise Refused("Meanings cannot be compared without sentence-transformers.", f"Install it to use {encoder}.")
    library = importlib.import_module(PACKAGE)
    try:
        # Nothing is fetched and none of the model's own code is run.
        return library.SentenceTransformer(encoder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise BadInput(f"the encoder {encoder} cannot be loaded from this machine.", "Name its folder.") from error


def _embed(model: Any, texts: Sequence[str]) -> list[list[float]]:
    return [[float(value) for value in row] for row in model.encode([text[:MAX_CHARACTERS] for text in texts])]


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """0 to 1; 0 where a vector has no length, as for an empty answer, or the meanings point apart."""
    lengths = math.sqrt(sum(value * value for value in one) * sum(value * value for value in other))
    if lengths == 0:
        return 0.0
    return min(1.0, max(0.0, sum(a * b for a, b in zip(one, other, strict=True)) / lengths))
