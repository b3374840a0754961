from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.adapter_files import CONFIG
from core.adapter_settings import settings_of, settings_sha256

USUAL: dict[str, Any] = {
    "peft_type": "LORA", "r": 16, "lora_alpha": 32, "target_modules": ["q_proj", "v_proj"], "use_rslora": False,
    "modules_to_save": None, "rank_pattern": {}, "peft_version": "0.21.2",
}  # fmt: skip


def folder(place: Path, **changes: Any) -> Path:
    place.mkdir(exist_ok=True)
    (place / CONFIG).write_text(json.dumps(USUAL | changes))
    return place


@pytest.mark.parametrize(
    "change",
    [
        {"lora_alpha": 64}, {"lora_alpha": 0}, {"r": 8}, {"use_rslora": True}, {"use_dora": True},
        {"fan_in_fan_out": True}, {"modules_to_save": ["lm_head"]}, {"peft_type": "IA3"},
        {"rank_pattern": {"q_proj": 4}}, {"alpha_pattern": {"q_proj": 4}}, {"not_known_today": 1},
    ],
)  # fmt: skip
def test_what_changes_answers_changes_the_hash(tmp_path: Path, change: dict[str, Any]) -> None:
    assert settings_sha256(folder(tmp_path / "a")) != settings_sha256(folder(tmp_path / "b", **change))


@pytest.mark.parametrize(
    "change",
    [
        {"peft_version": "0.30"}, {"base_model_name_or_path": "/elsewhere"}, {"lora_dropout": 0.1},
        {"target_modules": ["v_proj", "q_proj"]}, {"use_dora": False, "new_and_off": None}, {"inference_mode": True},
    ],
)  # fmt: skip
def test_what_changes_no_answer_leaves_the_hash(tmp_path: Path, change: dict[str, Any]) -> None:
    assert settings_sha256(folder(tmp_path / "a")) == settings_sha256(folder(tmp_path / "b", **change))


def test_settings_that_are_no_json_count_as_they_stand_and_none_have_no_hash(tmp_path: Path) -> None:
    (tmp_path / CONFIG).write_text("{")
    assert settings_of(tmp_path) == "{"
    assert settings_sha256(tmp_path / "gone") is None
