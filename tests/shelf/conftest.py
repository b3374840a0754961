"""Ended trainings and evaluations as their workers leave them."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.job import Outcome, Result
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.store import Store, open_store

DAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
Train = Callable[..., RunFolder]
Judge = Callable[..., RunFolder]


def safetensors(numbers: int = 256, fill: float = 1.0) -> bytes:
    """One tensor of float32, in the format's own form."""
    header = json.dumps({"lora": {"dtype": "F32", "shape": [numbers], "data_offsets": [0, 4 * numbers]}}).encode()
    return len(header).to_bytes(8, "little") + header + struct.pack(f"<{numbers}f", *[fill] * numbers)


def write_adapter(folder: Path, numbers: int = 256, fill: float = 1.0) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    (folder / "adapter_model.safetensors").write_bytes(safetensors(numbers, fill))


@pytest.fixture
def store() -> Store:
    return open_store()


@pytest.fixture
def train(store: Store) -> Train:
    def made(name: str = "Tickets", *, state: str = "succeeded", lineage: Any = None, **spec: Any) -> RunFolder:
        asked = JobSpec(name=name, **spec)
        folder = RunFolder.create(store.add_job(asked, plan_id=None).id, asked)
        write_adapter(folder.adapter)
        if lineage is not None:
            (folder.path / "lineage.json").write_text(lineage if isinstance(lineage, str) else json.dumps(lineage))
        result = Result(adapter=str(folder.adapter))
        folder.finish(Outcome.model_validate({"state": state, "result": result.model_dump(), "at": DAY}))
        return folder

    return made


@pytest.fixture
def judge(store: Store) -> Judge:
    def made(train_job: str | None, *, day: int = 1, verdict: str = "ship", **fields: Any) -> RunFolder:
        asked = JobSpec(kind="evaluate", job=train_job)
        folder = RunFolder.create(store.add_job(asked, plan_id=None).id, asked)
        score = {"score": 0.9, "low": 0.8, "high": 0.95, "n": 100}
        report = {
            "verdict": verdict,
            "reasons": ["It is better."],
            "metric_words": "exact match",
            "models": {"base": {"task": score | {"score": 0.1}}, "tuned": {"task": score}},
            "rows": 100,
            "created_at": (DAY + timedelta(days=day)).isoformat(),
            "answers": [{"line": 1}],
        }
        folder.evaluation_file.write_text(json.dumps(report | fields))
        return folder

    return made
