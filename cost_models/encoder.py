"""A small encoder instead of a language model, where a task sorts texts and has the labels: smaller and cheaper."""

from __future__ import annotations

import numpy as np

from core.answers import Answers
from cost_models.draws import Array
from cost_models.facts import device
from cost_models.terms import HOURS_PER_MONTH, Setting, Term, Terms, tuning

PER_CLASS = 20
CLASSES_ASSUMED = 10
READING_FLOPS_PER_PARAMETER = 2.0
"""A forward pass: a multiplication and an addition a weight for every token."""
TRAINING_FLOPS_PER_PARAMETER = 6.0
"""Forward 2 N, gradients of inputs and weights 4 N: all of a small encoder is trained (Kaplan et al. 2020, 2.1)."""
ENCODER_COUNTED = "Self-hosted tuning is counted as a small classifier on a small card, as you sort texts with labels"
INPUTS = ("encoder_parameters_million", "encoder_mfu", "hours.encoder.build", "hours.encoder.month")
"""Assumptions that only an encoder needs."""


def encoder_minimum(classes: int | None) -> int:
    """Labels from which a small encoder is worth it: 200, and 20 for each class (10 classes where none are named)."""
    return max(200, PER_CLASS * (classes or CLASSES_ASSUMED))


def encoder_fits(answers: Answers) -> bool:
    """True where a tune of one's own would be a small encoder: the rule `small_encoder` of the advice."""
    return answers.task_kind == "classify" and (answers.labelled_examples or 0) >= encoder_minimum(answers.classes)


def encoder_tuning(s: Setting) -> Terms:
    """The bill of a small encoder on a small card that runs day and night. It writes nothing: it only reads.

    A processor would carry it too at low volume; the price book has none, so the card is the dearer assumption.
    """
    return {
        **tuning(s, _training_usd(s, s.x["training_runs"]), _training_usd(s, s.x["retrain_runs"])),
        "hosting": Term(monthly=_hosting_usd(s), follows="cards"),
        "engineer_time": Term(upfront=s.hours("tune", "encoder")),
        "monitoring": Term(monthly=s.hours("tune", "encoder", every="month")),
    }


def _parameters(s: Setting) -> Array:
    return s.x["encoder_parameters_million"] * 1e6


def _tokens_per_second(s: Setting, flops_per_parameter: float) -> Array:
    """Tokens that one card reads or learns from in a second."""
    tflops = device(s.book.row(s.defaults.encoder_gpu).gpu).tflops
    return tflops * 1e12 * s.x["encoder_mfu"] / (flops_per_parameter * _parameters(s))


def _hosting_usd(s: Setting) -> Array:
    """USD a month, shape (draws,), or (draws, months + 1) where the calls grow."""
    row = s.book.row(s.defaults.encoder_gpu)
    speed = _tokens_per_second(s, READING_FLOPS_PER_PARAMETER) * s.x["gpu_utilisation"]
    needed = s.volume * s.x["input_tokens"] / (HOURS_PER_MONTH * 3600) / speed
    least = s.x["replicas"]
    if s.volume_growth:
        needed, least = needed[:, None] * s.growth, least[:, None]
    cards = np.ceil(np.maximum(np.ceil(needed), least) / row.gpus) * row.gpus
    return np.asarray(cards * HOURS_PER_MONTH * s.usd(s.defaults.encoder_gpu))


def _training_usd(s: Setting, runs: Array) -> Array:
    """Training runs on the same card, and the time around each run."""
    tokens = s.examples * s.x["input_tokens"] * s.x["epochs"]
    hours = tokens / _tokens_per_second(s, TRAINING_FLOPS_PER_PARAMETER) / 3600
    return runs * (hours + s.x["run_overhead_hours"]) * s.usd(s.defaults.encoder_gpu)
