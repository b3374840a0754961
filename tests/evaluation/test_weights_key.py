"""What decides an answer is in the key under which it is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.base_models import READY
from evaluation.cache import weights_key


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "lora_alpha": 32, "r": 16}))
    return folder


def test_another_alpha_or_other_weights_ask_an_adapter_anew(adapter: Path) -> None:
    keys = [weights_key(adapter)]
    (adapter / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "lora_alpha": 64, "r": 16}))
    keys.append(weights_key(adapter))
    (adapter / "adapter_model.safetensors").write_bytes(b"others")
    assert len({*keys, weights_key(adapter)}) == 3


def test_the_same_adapter_saved_by_another_release_is_known(adapter: Path) -> None:
    before = weights_key(adapter)
    told = {"r": 16, "peft_type": "LORA", "lora_alpha": 32, "peft_version": "1.0", "use_dora": False}
    (adapter / "adapter_config.json").write_text(json.dumps(told, indent=4))
    assert weights_key(adapter) == before


@pytest.mark.parametrize("name", ["config.json", "generation_config.json", "tokenizer.json"])
def test_a_base_in_a_folder_is_asked_anew_when_its_config_changes(tmp_path: Path, name: str) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"base")
    (tmp_path / name).write_text('{"rope_theta": 10000}')
    before = weights_key(tmp_path)
    assert weights_key(tmp_path) == before
    (tmp_path / name).write_text('{"rope_theta": 20000}')
    assert weights_key(tmp_path) != before


def test_a_prepared_base_goes_by_its_own_card(tmp_path: Path) -> None:
    (tmp_path / READY).write_text("{}")
    before = weights_key(tmp_path)
    (tmp_path / READY).write_text('{"sha256": {}}')
    assert weights_key(tmp_path) != before
