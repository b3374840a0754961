"""A small classifier in place of a language model's adapter: when to offer it, and how its job is set."""

from __future__ import annotations

from advisor.advice import Advice
from core.jobspec import ENCODER_DEFAULTS, JobSpec, Learner

ENCODERS = (
    "sentence-transformers/all-MiniLM-L6-v2",
    "BAAI/bge-small-en-v1.5",
    "distilbert/distilbert-base-uncased",
    "answerdotai/ModernBERT-base",
)
"""Small encoders with open licences, the smallest first: 23, 33, 66 and 149 million weights. Any other will do."""
PATIENCE = 4
"""Validations without a gain after which an encoder stops: two passes."""
LEARNER_WORDS: dict[Learner, str] = {
    "llm": "A language model",
    "classic": "A classic classifier",
    "encoder": "A small encoder",
}
LEARNER_WHY: dict[Learner, str] = {
    "llm": "An adapter of the base: it can write anything, and takes the most time and memory.",
    "classic": "TF-IDF with logistic regression: trained in seconds on a processor, and often as good.",
    "encoder": "A BERT-like model, fine-tuned as a whole: minutes on a processor, and reads meaning better than words.",
}


def says_classifier(advice: Advice) -> str:
    """Why the advice speaks of a small classifier, in its own words; empty where it does not."""
    told = {reason.rule: reason.because for ranked in advice.ranking for reason in ranked.reasons}
    return told.get("small_encoder") or told.get("classic_baseline", "")


def with_learner(spec: JobSpec, learner: Learner) -> JobSpec:
    """The same job, on the same rows, that trains something else. Settings that the learner has no use for go back."""
    usual = JobSpec()
    updates: dict[str, object] = {"learner": learner, "encoder": None}
    updates |= {"epochs": usual.epochs, "learning_rate": usual.learning_rate, "early_stopping": None}
    if learner == "encoder":
        updates |= {**ENCODER_DEFAULTS, "early_stopping": PATIENCE, "encoder": spec.encoder or ENCODERS[0]}
    elif learner == "llm":
        updates |= {"early_stopping": 3}
    return spec.model_copy(update=updates)
