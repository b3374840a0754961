"""The shape of a model: from our list, from its folder, or one clear error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import BadInput, TuneworthyError
from cost_models.shape_config import shape_from_config
from cost_models.shapes import ModelShape, known_models, shape_of

MODELS = known_models().values()
LLAMA = {"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
         "intermediate_size": 128, "vocab_size": 100}  # fmt: skip
GPT2 = {"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "n_positions": 1024, "vocab_size": 50257}
FALCON = {"model_type": "falcon", "hidden_size": 4544, "num_hidden_layers": 32, "num_attention_heads": 71,
          "vocab_size": 65024, "multi_query": True, "tie_word_embeddings": True}  # fmt: skip
MIXTRAL = LLAMA | {"model_type": "mixtral", "num_local_experts": 8, "num_experts_per_tok": 2, "num_key_value_heads": 2}
SEES_TOO = {"model_type": "gemma3", "text_config": LLAMA | {"model_type": "gemma3_text"}, "vision_config": {}}


def read(folder: Path, config: object) -> ModelShape:
    path = folder / "config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    return shape_from_config(path)


def test_more_than_60_open_models_are_listed_with_licence_languages_and_where_their_sizes_stand() -> None:
    assert len(MODELS) >= 60
    assert all(shape.licence and shape.languages and shape.checked and shape.context >= 1024 for shape in MODELS)
    families = ("Llama-3", "Qwen2.5", "Qwen3", "gemma-2", "gemma-3", "Mistral", "Ministral", "Phi-3", "phi-4",
                "SmolLM", "OLMo", "Olmo-3", "granite", "Falcon3", "Yi", "gpt-oss", "R1-Distill", "Mixtral", "stablelm",
                "TinyLlama", "pythia", "gpt2")  # fmt: skip
    assert [name for name in families if not any(name in shape.id for shape in MODELS)] == []


def test_the_shape_of_every_listed_model_adds_up_to_its_published_size() -> None:
    counted = [shape for shape in MODELS if shape.params]
    assert len(counted) >= 60
    wrong = [shape.id for shape in counted if shape.total_params != pytest.approx(shape.params, rel=0.01)]
    assert wrong == []


def test_a_mixture_works_with_a_few_of_its_experts_and_holds_them_all() -> None:
    shape = shape_of("Qwen/Qwen3-30B-A3B")
    assert shape.total_params == pytest.approx(30.5e9, rel=0.01)
    assert shape.working_params == pytest.approx(3.0e9, rel=0.05)  # 3.3 billion, less the looked-up embedding
    assert set(shape.linears()) == {"q_proj", "k_proj", "v_proj", "o_proj"}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (LLAMA, {"head_dim": 16, "kv_heads": 4, "gated": True, "tied": False}),
        (LLAMA | {"model_type": "qwen3", "head_dim": 32}, {"head_dim": 32, "qk_norm": True}),
        (LLAMA | {"model_type": "phi3"}, {"fused": True, "gated": True}),
        (LLAMA | {"model_type": "gemma2"}, {"norms": 4, "eager": True, "tied": True}),
        (GPT2, {"gated": False, "ffn": 3072, "positions": 1024, "tied": True, "params": 0}),
        (FALCON, {"kv_heads": 1, "gated": False}),
        (MIXTRAL, {"experts": 8, "experts_per_token": 2, "expert_ffn": 128}),
        (SEES_TOO, {"hidden": 64, "norms": 4}),
    ],
)
def test_the_config_of_each_usual_family_is_read(
    config: dict[str, object], expected: dict[str, object], tmp_path: Path
) -> None:
    shape = read(tmp_path, config)
    assert {name: getattr(shape, name) for name in expected} == expected


def test_the_small_gpt_2_is_counted_to_the_last_thousand(tmp_path: Path) -> None:
    assert read(tmp_path, GPT2).total_params == pytest.approx(124_439_808, rel=0.001)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"model_type": "llama"}, "hidden_size"),
        (LLAMA | {"vocab_size": "many"}, "vocab_size"),
        (LLAMA | {"num_hidden_layers": -4}, "num_hidden_layers"),
        (LLAMA | {"hidden_size": 10**30}, "hidden_size"),
        (LLAMA | {"kv_lora_rank": 512}, "latent"),
        (LLAMA | {"layer_types": ["linear_attention"]}, "without attention"),
        ({"model_type": "t5", "d_model": 512}, "no plain decoder"),
        ([1, 2], "does not hold an object"),
    ],
)
def test_a_config_that_is_not_of_a_plain_decoder_is_refused_by_name(config: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=said):
        read(tmp_path, config)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from([*LLAMA, *MIXTRAL, *GPT2, "text_config", "head_dim", "tie_word_embeddings", "layer_types",
                         "first_k_dense_replace", "attention_bias", "moe_intermediate_size", "is_encoder_decoder"]),
        st.one_of(st.none(), st.booleans(), st.integers(-2, 10**12), st.floats(), st.text(max_size=5),
                  st.lists(st.text(max_size=3), max_size=2), st.just(LLAMA), st.just({})),
        max_size=12,
    )
)  # fmt: skip
def test_whatever_stands_in_a_config_gives_a_shape_or_an_error_of_ours(tmp_path: Path, config: object) -> None:
    try:
        assert read(tmp_path, config).total_params > 0
    except TuneworthyError as error:
        assert error.message or error.problems()


@pytest.mark.parametrize("text", ["", "{", "null", '"x"', "[" * 5000, "\ud800"])
def test_a_config_that_is_no_json_is_said(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(BadInput, match="config"):
        shape_from_config(path)


@pytest.mark.parametrize("model", ["/" + "a" * 300, "~nobody-of-this-name/model"])
def test_a_path_that_cannot_be_looked_at_is_said(model: str) -> None:
    with pytest.raises(BadInput, match="cannot be used"):
        shape_of(model)
