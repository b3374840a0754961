"""What the shelf says of a small classifier where it is no adapter: its method, its use, and how it is opened."""

from __future__ import annotations

from typing import Literal

from core.jobspec import JobSpec

Form = Literal["adapter", "classic", "encoder"]
FORM_WORDS: dict[Form, str] = {
    "adapter": "Adapter",
    "classic": "Classifier (TF-IDF + logistic regression)",
    "encoder": "Classifier (fine-tuned encoder)",
}
LOADING = """from pathlib import Path

from serving.classifier import load_classifier

classifier = load_classifier(Path("."))  # this folder
print(classifier.sort(["a text of yours"]))"""


def form_of(spec: JobSpec) -> Form:
    """What a training of this spec leaves."""
    return "adapter" if spec.learner == "llm" else spec.learner


def method_words(spec: JobSpec) -> str:
    """`TF-IDF + logistic regression, seed 7`."""
    if spec.learner == "classic":
        return f"TF-IDF + logistic regression, seed {spec.seed}"
    epochs = f"at most {spec.epochs:g} epoch{'s' if spec.epochs != 1 else ''}"
    return f"encoder, all weights, {epochs}, learning rate {spec.learning_rate:g}, seed {spec.seed}"


def use_words(spec: JobSpec, base: str) -> str:
    """The first sentences of a card."""
    what = "TF-IDF with logistic regression" if spec.learner == "classic" else f"a fine-tuned encoder, from `{base}`"
    return f"A small classifier: {what}. It gives a text one of its labels and writes nothing."


def loading_words(spec: JobSpec) -> list[str]:
    """How it is opened: by our own reader; the encoder by transformers too."""
    found = [f"```python\n{LOADING}\n```"]
    if spec.learner == "encoder":
        found.append("`AutoModelForSequenceClassification` of transformers opens this folder too.")
    else:
        found.append("Numbers lie in `model.safetensors`, words and labels in `classifier.json`: no pickle, no code.")
    return found
