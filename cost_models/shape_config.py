"""A model's shape from its `config.json`, whose names differ by family.

Read: Llama, Mistral, Mixtral, Qwen, Gemma, Phi, OLMo, Granite, Falcon, GPT-NeoX, GPT-2, GPT-OSS, StableLM, Cohere,
DeepSeek without latent attention, and whatever else uses these names. What a config leaves out takes the default of
its family.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from core.errors import BadInput, ProblemsFound, problems_of
from cost_models.shapes import ModelShape

MAX_CONFIG_BYTES = 4 << 20
MOST = 10**9
"""No size of a model is larger; a larger one is a mistake."""
UNGATED = frozenset(
    {"gpt2", "gpt_neox", "gpt_neo", "gptj", "phi", "falcon", "bloom", "mpt", "opt", "nemotron", "apertus", "starcoder2",
     "gpt_bigcode", "codegen"}
)  # fmt: skip
"""Families whose feed-forward has no gate."""
FUSED = frozenset({"phi3", "gpt_neox", "gpt2", "falcon", "bloom", "mpt", "gpt_bigcode", "internlm2", "glm", "glm4"})
EAGER = frozenset({"gemma2", "gpt_oss", "gpt2"})
"""Families whose attention transformers computes without a fused kernel (soft caps, sinks, dropout)."""
QK_NORM = frozenset({"qwen3", "qwen3_moe", "olmo2", "olmo3", "olmoe", "gemma3", "gemma3_text", "apertus"})
FOUR_NORMS = frozenset({"gemma2", "gemma3", "gemma3_text"})
TIED = frozenset({"gemma", "gemma2", "gemma3", "gemma3_text", "gpt2", "falcon", "bloom", "smollm3", "cohere", "mpt"})
"""Families that share input and output embedding where the config does not say."""
BIASED = frozenset({"qwen2", "qwen2_moe", "gpt2", "gpt_neox"})
LATENT = ("kv_lora_rank", "q_lora_rank")
"""Names of latent attention, whose shape ours is not."""
MIXERS = frozenset({"linear_attention", "mamba", "conv", "recurrent"})


class _Config:
    """The fields of a config that we read; a field of a wrong kind counts as left out."""

    def __init__(self, path: Path, fields: dict[str, object]) -> None:
        self.path, self.fields = path, fields
        family = fields.get("model_type")
        self.family = family if isinstance(family, str) else ""

    def size(self, *names: str, default: int | None = None) -> int:
        """The first of these names that holds a count. Raises `BadInput` where none does and there is no default."""
        for name in names:
            value = self.fields.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST:
                return value
        if default is None:
            raise BadInput(
                f"has no usable `{names[0]}`.", "Give a model of a usual decoder family.", file=str(self.path)
            )
        return default

    def flag(self, name: str, default: bool) -> bool:
        """A yes or no, where it is one."""
        value = self.fields.get(name)
        return value if isinstance(value, bool) else default


def shape_from_config(path: Path) -> ModelShape:
    """The shape from a model's `config.json`. Raises `BadInput` for one that is not of a usual decoder."""
    config = _read(path)
    if config.family.startswith(("t5", "bart", "mamba", "rwkv")) or config.flag("is_encoder_decoder", False):
        raise BadInput(f"is of the family `{config.family[:40]}`, which is no plain decoder.", file=str(path))
    if any(isinstance(config.fields.get(name), int) for name in LATENT):
        raise BadInput("has latent attention, which we do not estimate.", "Choose another model.", file=str(path))
    kinds = config.fields.get("layer_types")
    if isinstance(kinds, list) and MIXERS & {kind for kind in kinds if isinstance(kind, str)}:
        raise BadInput("has layers without attention, which we do not estimate.", file=str(path))
    hidden = config.size("hidden_size", "n_embd", "d_model")
    heads = config.size("num_attention_heads", "n_head", "n_heads", "num_heads")
    family = config.family
    try:
        return ModelShape(
            id=str(config.fields.get("_name_or_path") or path.parent.name)[:200],
            layers=config.size("num_hidden_layers", "n_layer", "n_layers", "num_layers"),
            hidden=hidden,
            heads=heads,
            kv_heads=_kv_heads(config, heads),
            head_dim=config.size("head_dim", default=max(1, hidden // heads)),
            ffn=config.size("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size", default=4 * hidden),
            vocab=config.size("vocab_size", "padded_vocab_size"),
            tied=config.flag("tie_word_embeddings", family in TIED),
            context=config.size(
                "max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "n_ctx", default=2048
            ),
            gated=family not in UNGATED,
            fused=family in FUSED,
            attention_bias=config.flag("attention_bias", family in BIASED),
            norms=4 if family in FOUR_NORMS else 2,
            qk_norm=family in QK_NORM,
            eager=family in EAGER,
            positions=config.size("n_positions", default=1024) if family == "gpt2" else 0,
            checked="Its own config.json",
            **_experts(config),
        )
    except ValidationError as error:
        raise ProblemsFound(problems_of(error, str(path))) from error


def _read(path: Path) -> _Config:
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise BadInput("is too large for a config.", "Fetch the model again.", file=str(path))
        config = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise BadInput("is not JSON.", "Fetch the model again.", file=str(path)) from error
    except OSError as error:
        raise BadInput(f"cannot be read ({error.strerror}).", "Check its permissions.", file=str(path)) from error
    if not isinstance(config, dict):
        raise BadInput("does not hold an object.", "Fetch the model again.", file=str(path))
    # Models that also see keep the decoder's sizes one level down.
    text = config.get("text_config")
    return _Config(path, config | text if isinstance(text, dict) else config)


def _kv_heads(config: _Config, heads: int) -> int:
    """Falcon's first models share one head of keys unless the config says otherwise."""
    shared = config.family == "falcon" and config.flag("multi_query", True)
    if shared and not config.flag("new_decoder_architecture", False):
        return 1
    return min(heads, config.size("num_key_value_heads", "num_kv_heads", "n_head_kv", default=heads))


def _experts(config: _Config) -> dict[str, int]:
    experts = config.size("num_local_experts", "num_experts", "n_routed_experts", default=0)
    if experts < 2:
        return {}
    width = config.size("moe_intermediate_size", "intermediate_size")
    shared = config.size("shared_expert_intermediate_size", "shared_intermediate_size", default=0)
    shared = shared or width * config.size("n_shared_experts", default=0)
    layers = config.size("num_hidden_layers", "n_layer", "n_layers", "num_layers")
    return {
        "experts": experts,
        "experts_per_token": min(experts, config.size("num_experts_per_tok", "num_experts_per_token", default=2)),
        "expert_ffn": width,
        "shared_ffn": shared,
        "dense_layers": min(layers, config.size("first_k_dense_replace", default=0)),
    }
