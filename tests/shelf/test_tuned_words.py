"""An adapter of each method is called what it is, and the card says how that is loaded."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from core.adapter_files import files_of, parts_of
from core.jobspec import LEARNING_RATES, JobSpec
from shelf.tuned_words import bound_words, is_a, library_name, loading_code, opened_with, settings_words
from shelf.weights import problems_of_folder, weights_sha256

from .conftest import safetensors


def spec_of(**method: Any) -> JobSpec:
    return JobSpec.model_validate({"method": method})


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ({}, "LoRA rank 16, alpha 32"),
        ({"dora": True, "bits": "4"}, "DoRA rank 16, alpha 32, over a base in 4 bits"),
        ({"kind": "full"}, "full fine-tuning"),
        ({"kind": "prefix", "virtual_tokens": 5}, "prefix tuning, 5 places"),
        ({"kind": "bottleneck", "placement": "pfeiffer"}, "adapter layers of width 64 (pfeiffer)"),
    ],
)
def test_the_settings_that_count_are_named(method: dict[str, Any], words: str) -> None:
    assert settings_words(spec_of(**method)) == words


@pytest.mark.parametrize("kind", LEARNING_RATES)
def test_the_card_loads_each_form_with_the_library_that_can(kind: str) -> None:
    spec = spec_of(kind=kind)
    text = "\n".join(loading_code(spec, "a/base", "abc"))
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    if kind == "bottleneck":
        assert code is None and "Tuneworthy alone" in text and library_name(spec) is None
        return
    assert code is not None
    ast.parse(code[1])
    assert ("peft" in code[1]) == (kind != "full") == (library_name(spec) == "peft")
    assert opened_with(spec) in ("PEFT", "transformers")


def test_a_whole_model_is_no_adapter() -> None:
    whole, lora = spec_of(kind="full"), JobSpec()
    assert is_a(whole, "a/base").startswith("A whole model") and is_a(lora, "a/base") == "A LoRA adapter for `a/base`"
    assert "needs no base" in bound_words(whole) and "only beside the base" in bound_words(lora)
    assert is_a(spec_of(kind="ia3"), "b") == "An (IA)3 adapter for `b`"


def test_a_whole_model_is_kept_with_its_tokenizer_and_checked_like_an_adapter(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    (tmp_path / "tokenizer.json").write_text("{}")
    assert [problem.what for problem in problems_of_folder(tmp_path)] == ["model.safetensors is missing."]
    (tmp_path / "model.safetensors").write_bytes(safetensors())
    assert problems_of_folder(tmp_path) == [] and weights_sha256(tmp_path) is not None
    assert [part.name for part in parts_of(tmp_path)] == ["config.json", "model.safetensors", "tokenizer.json"]
    (tmp_path / "model.safetensors").write_bytes(safetensors()[:-3])
    assert "cut off" in problems_of_folder(tmp_path)[0].what
    (tmp_path / "adapter_config.json").write_text("{}")
    assert files_of(tmp_path)[1].name == "adapter_model.safetensors"
