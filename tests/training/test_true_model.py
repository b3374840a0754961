"""The trainer with the true SmolLM2: a few steps, real words."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.jobspec import DEFAULT_BASE_MODEL, JobSpec

from .conftest import Train, adapter_weights, chat, losses_of, write_rows


@pytest.mark.slow
def test_the_true_model_learns_in_a_few_steps(true_base: Path, train: Train, tmp_path: Path) -> None:
    rows = [chat(f"Ticket for room {100 + n}: the lamp is broken.", f"repair/lamp/{100 + n}") for n in range(16)]
    spec = JobSpec(
        base_model=DEFAULT_BASE_MODEL,
        dataset=write_rows(tmp_path / "train.jsonl", rows),
        epochs=4,
        micro_batch=4,
        learning_rate=1e-3,
        device="cpu",
        allow_network=False,
    )
    result, folder = train(spec)
    losses = losses_of(folder)
    assert len(losses) == 16
    # The end of sequence and the form of the answer are learned first.
    assert losses[16] < losses[1] / 3
    assert result.measured.tokens_per_second and result.measured.memory_gib
    assert len(adapter_weights(folder.adapter)) == 30 * 7 * 2, "two matrices for seven layers in each of 30 blocks"
