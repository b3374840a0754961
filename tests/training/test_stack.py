"""The stack `tuneworthy` under the trainer: what it says where it cannot be used, and that it learns the same."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import training.stack
from core.jobspec import JobSpec
from training.specs import check_train_spec

from .conftest import Train, losses_of


def test_without_a_card_plain_peft_is_used_and_the_log_says_why(spec: JobSpec, train: Train) -> None:
    result, folder = train(spec.model_copy(update={"stack": "tuneworthy", "epochs": 0.2}))
    assert any("our layers need a card" in note for note in result.notes)
    assert result.adapter == str(folder.adapter)


def test_under_the_trainer_our_layers_give_the_losses_of_plain_peft(
    spec: JobSpec, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = spec.model_copy(update={"epochs": 0.5, "precision": "float32"})
    plain = losses_of(train(short)[1])
    monkeypatch.setattr(training.stack, "_reasons", lambda *_: [])
    result, folder = train(short.model_copy(update={"stack": "tuneworthy", "grad_checkpointing": "on"}))
    assert "Our layers and loss are used, 2 of 2 layers recomputed." in result.notes
    assert losses_of(folder) == pytest.approx(plain, rel=1e-3)


def test_a_base_in_fp8_asks_for_our_stack(spec: JobSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.specs._on_card", lambda _: True)
    monkeypatch.setattr("training.specs.machine", lambda: SimpleNamespace(gpus=["NVIDIA H100 80GB HBM3"]))
    eight = spec.model_copy(update={"method": spec.method.model_copy(update={"bits": "fp8"})})
    assert [problem.where for problem in check_train_spec(eight)] == ["stack"]
    assert check_train_spec(eight.model_copy(update={"stack": "tuneworthy"})) == []
    wet = eight.method.model_copy(update={"dropout": 0.1})
    found = check_train_spec(eight.model_copy(update={"stack": "tuneworthy", "method": wet}))
    assert [problem.where for problem in found] == ["method.dropout"]
