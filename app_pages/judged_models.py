"""The judged models as the pages show them: names, marks of a chart, and scores with their intervals in words."""

from __future__ import annotations

from collections.abc import Iterable

from evaluation.report import MODEL_WORDS
from evaluation.stats import Interval

SHORT = {"base": "Base", "best_prompt": "Best prompt", "tuned": "Tuned", "classic": "Classifier"}
SYMBOLS = {"base": "circle", "best_prompt": "square", "tuned": "diamond", "classic": "cross"}
ORDER = tuple(SHORT)
RUNGS = {
    "zero_shot": "zero-shot",
    "few_shot": "few-shot",
    "retrieval": "retrieval",
    "constrained": "held to a JSON schema",
}
RUNG_SYMBOLS = {
    "zero_shot": "circle",
    "few_shot": "square",
    "retrieval": "diamond",
    "constrained": "triangle-up",
    "classic": "cross",
}


def short(model: str) -> str:
    """A model, or a way to ask one, as it stands in a chart or at the head of a column."""
    if model in RUNGS:
        return RUNGS[model][:1].upper() + RUNGS[model][1:]
    return SHORT.get(model, model)


def rung_name(rung: str) -> str:
    """A way to ask as it stands in a sentence."""
    return RUNGS.get(rung, rung.replace("_", " "))


def words_of(model: str) -> str:
    """A model as it stands in a table of models."""
    words = {str(name): words for name, words in MODEL_WORDS.items()}.get(model, model)
    return words[:1].upper() + words[1:]


def in_order(models: Iterable[str]) -> list[str]:
    """The plain base first, the classifier last, and what we do not know behind them."""
    return sorted(models, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


def in_words(interval: Interval) -> str:
    """`0.93 (0.86 to 0.96)`."""
    return f"{interval.score:.2f} ({interval.low:.2f} to {interval.high:.2f})"


def in_percent(interval: Interval) -> str:
    """`93 % (86 to 96)`."""
    return f"{interval.score * 100:.0f}\u00a0% ({interval.low * 100:.0f} to {interval.high * 100:.0f})"
