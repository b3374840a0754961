"""One quick, one slow and one failing job for each engine, on a model of two small layers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.job import Engine, EngineRef, JobState
from core.jobspec import JobSpec
from tests.training.conftest import build_base, chat, colour_rows, quietly, write_rows

PATIENCE_SECONDS = 90.0


@dataclass(frozen=True)
class Case:
    """An engine and the jobs that show what it does."""

    engine: Engine
    quick: JobSpec
    slow: JobSpec
    failing: JobSpec
    broken: JobSpec
    """With two mistakes that `check` must find."""


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with quietly():
        return build_base(tmp_path_factory.mktemp("backends") / "tiny")


@pytest.fixture
def training(tiny_base: Path, tmp_path: Path) -> JobSpec:
    """A local training of 15 quick steps."""
    return JobSpec(
        name="Colours",
        base_model=str(tiny_base),
        dataset=write_rows(tmp_path / "train.jsonl", colour_rows()[:40]),
        epochs=3,
        micro_batch=8,
        learning_rate=2e-2,
        precision="float32",
        device="cpu",
        max_tokens=128,
        save_steps=2,
        allow_network=False,
    )


@pytest.fixture
def untrainable(training: JobSpec, tmp_path: Path) -> JobSpec:
    """No row has an answer, which only the worker finds out."""
    rows = [chat(f"question {place}", "") for place in range(20)]
    return training.model_copy(update={"dataset": write_rows(tmp_path / "empty.jsonl", rows)})


def wait_until(engine: Engine, ref: EngineRef, holds: Callable[[JobState], bool]) -> JobState:
    """Poll until the state is as wanted. Fails with the last state after a long while."""
    end = time.monotonic() + PATIENCE_SECONDS
    state = engine.poll(ref)
    while not holds(state):
        assert time.monotonic() < end, f"still {state}"
        assert not state.done, f"ended meanwhile: {state}"
        time.sleep(0.02)
        state = engine.poll(ref)
    return state
