"""What this machine can hold: refused before it starts, or let through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backends import hub_config
from backends.estimates import estimate_local
from backends.local import LocalEngine
from backends.room import room_problems
from core.base_models import locate
from core.errors import BaseModelUnavailable
from core.jobspec import JobSpec
from core.machine import Machine


@pytest.fixture
def rows(tmp_path: Path) -> str:
    path = tmp_path / "rows.jsonl"
    row = '{"messages": [{"role": "user", "content": "%s"}, {"role": "assistant", "content": "Yes."}]}'
    path.write_text("\n".join(row % ("Is it so? " * 40) for _ in range(40)))
    return str(path)


@pytest.fixture
def small_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Machine(cores=2, memory_gib=6, gpus=["Tesla T4"], gpu_memory_gib=[15.0])
    for module in ("core.machine", "cost_models.run_estimate"):
        monkeypatch.setattr(f"{module}.machine", lambda: here)


def test_a_training_that_cannot_fit_is_refused_with_the_change_that_helps(small_machine: None, rows: str) -> None:
    spec = JobSpec(dataset=rows, base_model="Qwen/Qwen3-14B", device="cuda")
    (problem,) = room_problems(spec)
    assert problem.where == "memory" and "cuda:0 has 15.0" in problem.what
    assert "method.bits: '4'" in problem.hint or "gpu" in problem.hint
    assert problem in LocalEngine().check(spec)


def test_a_training_that_fits_or_might_is_let_through(small_machine: None, rows: str) -> None:
    assert room_problems(JobSpec(dataset=rows, base_model="Qwen/Qwen3-0.6B", device="cuda")) == []
    assert room_problems(JobSpec(dataset=rows, base_model="Qwen/Qwen3-14B", device="cuda", gpu="B200")) != []
    assert room_problems(JobSpec(dataset=rows, base_model="nobody/nothing", device="cuda", allow_network=False)) == []


def test_a_card_that_is_not_here_is_estimated_from_its_sheet_and_priced_by_the_hour(rows: str) -> None:
    found = estimate_local(JobSpec(dataset=rows, base_model="Qwen/Qwen3-4B", gpu="L4"))
    assert found.fits is True and found.usd.likely and "USD an hour" in found.usd.because[0]
    dear = estimate_local(JobSpec(dataset=rows, base_model="Qwen/Qwen3-4B", gpu="L4", usd_per_hour=100))
    assert dear.usd.likely and dear.usd.likely > 10 * found.usd.likely
    unknown = estimate_local(JobSpec(dataset=rows, base_model="Qwen/Qwen3-4B", gpu="Abacus"))
    assert unknown.fits is None and unknown.usd.likely is None


def test_the_config_of_a_model_that_is_not_here_comes_from_the_hub_once(
    rows: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []
    config = b'{"model_type": "llama", "hidden_size": 2048, "num_hidden_layers": 16, "num_attention_heads": 32,'
    config += b'"intermediate_size": 8192, "vocab_size": 128256, "tie_word_embeddings": true}'

    def answer(address: str) -> bytes:
        asked.append(address)
        return config

    monkeypatch.setenv("TUNEWORTHY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(hub_config, "_ask", answer)
    spec = JobSpec(dataset=rows, base_model="somebody/new-model", device="cpu")
    assert estimate_local(spec).memory_gib.likely == estimate_local(spec).memory_gib.likely is not None
    assert asked == ["https://huggingface.co/somebody/new-model/resolve/main/config.json"]
    offline = estimate_local(spec.model_copy(update={"base_model": "somebody/other", "allow_network": False}))
    assert offline.memory_gib.likely is None and len(asked) == 1


def test_a_hub_that_gives_nothing_is_said_in_one_line_and_not_asked_at_once_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[Any] = []
    monkeypatch.setenv("TUNEWORTHY_CACHE", str(tmp_path))
    monkeypatch.setattr(hub_config, "_ask", lambda address: asked.append(address) or "no such model")
    for _ in range(2):
        with pytest.raises(BaseModelUnavailable, match=r"huggingface\.co gave none: no such model"):
            hub_config.config_folder("somebody/missing-model")
    assert len(asked) == 1
    assert locate("somebody/missing-model").place == "hub"
