"""The shape of a language model: what its memory and its arithmetic follow from."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import BadInput, NotFound, ProblemsFound, problems_of
from core.paths import is_file, typed_path
from cost_models.facts import FACTS_FOLDER
from cost_models.prices import require_file


class ModelShape(BaseModel):
    """A decoder with gated feed-forward layers, as all current small models are. Sizes are counts of numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    params: int = Field(default=0, ge=0)
    """Published parameter count; 0 where none is known."""
    layers: int = Field(ge=1)
    hidden: int = Field(ge=1)
    heads: int = Field(ge=1)
    kv_heads: int = Field(ge=1)
    head_dim: int = Field(ge=1)
    ffn: int = Field(ge=1)
    vocab: int = Field(ge=1)
    tied: bool
    """True when input and output embedding are one matrix."""
    context: int = Field(default=2048, ge=1)
    """Longest text in tokens."""
    licence: str = ""
    languages: list[str] = []

    @property
    def query(self) -> int:
        """Width of the queries."""
        return self.heads * self.head_dim

    @property
    def kv(self) -> int:
        """Width of the keys, and of the values."""
        return self.kv_heads * self.head_dim

    def linears(self) -> dict[str, tuple[int, int]]:
        """The linear layers of one block: name to (inputs, outputs)."""
        h, q, kv, f = self.hidden, self.query, self.kv, self.ffn
        return {
            "q_proj": (h, q),
            "k_proj": (h, kv),
            "v_proj": (h, kv),
            "o_proj": (q, h),
            "gate_proj": (h, f),
            "up_proj": (h, f),
            "down_proj": (f, h),
        }

    @property
    def linear_params(self) -> int:
        """Weights of all blocks' linear layers: what quantisation shrinks."""
        return self.layers * sum(inputs * outputs for inputs, outputs in self.linears().values())

    @property
    def embedding_params(self) -> int:
        """Input embedding and, where it is a matrix of its own, the output head."""
        return self.vocab * self.hidden * (1 if self.tied else 2)

    @property
    def total_params(self) -> int:
        """All weights: linears, embeddings, two norms a block and the last one."""
        return self.linear_params + self.embedding_params + self.hidden * (2 * self.layers + 1)

    @property
    def working_params(self) -> int:
        """Weights that every token is multiplied with: looking up an embedding is free, the output head is not."""
        return self.linear_params + self.vocab * self.hidden


@lru_cache(maxsize=1)
def known_models() -> dict[str, ModelShape]:
    """Our dated list of open models by hub id. Raises `ProblemsFound` naming file and field."""
    path = FACTS_FOLDER / "models.toml"
    try:
        tables = require_file(path)["model"]
        assert isinstance(tables, list)
        shapes = [ModelShape.model_validate(table) for table in tables]
    except ValidationError as error:
        raise ProblemsFound(problems_of(error, str(path))) from error
    return {shape.id: shape for shape in shapes}


def shape_of(model: str, folder: Path | None = None) -> ModelShape:
    """The shape of a model: from `config.json` in its folder, else from our list.

    Raises `NotFound` when neither knows it, `BadInput` for a config that lacks a size or a path that cannot be used.
    """
    place = folder or typed_path(model)
    if is_file(place / "config.json"):
        return shape_from_config(place / "config.json")
    try:
        return known_models()[model]
    except KeyError:
        raise NotFound(
            f"the shape of `{model}` is not known here.", "Fetch the model first, or give its folder."
        ) from None


def shape_from_config(path: Path) -> ModelShape:
    """The shape from a model's `config.json`, whose names differ by family. Raises `BadInput`."""
    try:
        config = json.loads(path.read_bytes())
    except ValueError as error:
        raise BadInput("is not JSON.", "Fetch the model again.", file=str(path)) from error
    if not isinstance(config, dict):
        raise BadInput("does not hold an object.", "Fetch the model again.", file=str(path))
    config = config.get("text_config", config)

    def size(*names: str, default: int | None = None) -> int:
        for name in names:
            if isinstance(config.get(name), int):
                return int(config[name])
        if default is None:
            raise BadInput(f"has no `{names[0]}`.", "Give a model of a usual decoder family.", file=str(path))
        return default

    hidden = size("hidden_size", "n_embd", "d_model")
    heads = size("num_attention_heads", "n_head")
    try:
        return ModelShape(
            id=str(config.get("_name_or_path") or path.parent.name),
            layers=size("num_hidden_layers", "n_layer"),
            hidden=hidden,
            heads=heads,
            kv_heads=size("num_key_value_heads", default=heads),
            head_dim=size("head_dim", default=max(1, hidden // max(1, heads))),
            ffn=size("intermediate_size", "n_inner", default=4 * hidden),
            vocab=size("vocab_size"),
            tied=bool(config.get("tie_word_embeddings", False)),
            context=size("max_position_embeddings", "n_positions", default=2048),
        )
    except ValidationError as error:
        raise ProblemsFound(problems_of(error, str(path))) from error
