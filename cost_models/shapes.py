"""The shape of a language model: what its memory and its arithmetic follow from."""

from __future__ import annotations

from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import NotFound, ProblemsFound, problems_of
from core.paths import is_file, typed_path
from cost_models.facts import FACTS_FOLDER
from cost_models.prices import require_file


class ModelShape(BaseModel):
    """A decoder: attention and feed-forward in every layer. Sizes are counts of numbers."""

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
    """Width of the feed-forward; of the dense layers where there are experts."""
    vocab: int = Field(ge=1)
    tied: bool
    """True when input and output embedding are one matrix."""
    context: int = Field(default=2048, ge=1)
    """Longest text in tokens."""
    gated: bool = True
    """True where the feed-forward has a gate beside the way up (SwiGLU); False for plain GELU."""
    fused: bool = False
    """True where queries, keys and values are one matrix, and gate and up one."""
    attention_bias: bool = False
    """True where queries, keys and values have biases."""
    norms: int = Field(default=2, ge=0)
    """Norms over the hidden size in a layer."""
    qk_norm: bool = False
    """True where queries and keys are normalised too."""
    eager: bool = False
    """True where transformers keeps the attention scores, because no fused kernel computes this attention."""
    experts: int = Field(default=0, ge=0)
    """Experts in a layer; 0 for a dense model."""
    experts_per_token: int = Field(default=0, ge=0)
    expert_ffn: int = Field(default=0, ge=0)
    """Width of one expert."""
    shared_ffn: int = Field(default=0, ge=0)
    """Width of the expert that sees every token."""
    dense_layers: int = Field(default=0, ge=0)
    """Layers that have no experts though the others do."""
    positions: int = Field(default=0, ge=0)
    """Learned position embeddings; 0 where positions are rotated."""
    beside: int = Field(default=0, ge=0)
    """Numbers beside the text decoder, such as a vision tower: frozen, and in memory."""
    chat: bool = True
    """False for a base that was never taught to answer in turns."""
    licence: str = ""
    languages: list[str] = []
    checked: str = ""
    """Where the sizes were read."""

    @cached_property
    def query(self) -> int:
        """Width of the queries."""
        return self.heads * self.head_dim

    @cached_property
    def kv(self) -> int:
        """Width of the keys, and of the values."""
        return self.kv_heads * self.head_dim

    @property
    def mixture(self) -> bool:
        """True for a mixture of experts."""
        return self.experts > 0

    @property
    def expert_layers(self) -> int:
        """Layers with experts."""
        return max(0, self.layers - self.dense_layers) if self.mixture else 0

    @property
    def working_ffn(self) -> int:
        """Width of the feed-forward that one token goes through, over all of its experts."""
        if not self.mixture:
            return self.ffn
        return self.experts_per_token * self.expert_ffn + self.shared_ffn

    def linears(self) -> dict[str, tuple[int, int]]:
        """The linear layers of one block that can be adapted: name to (inputs, outputs).

        Experts are not among them: transformers keeps them as one block of numbers, which PEFT's `all-linear` and
        bitsandbytes both pass over.
        """
        h, q, kv = self.hidden, self.query, self.kv
        f = self.shared_ffn if self.mixture else self.ffn
        if self.fused:
            found = {"qkv_proj": (h, q + 2 * kv), "o_proj": (q, h)}
            rest = {"gate_up_proj" if self.gated else "up_proj": (h, 2 * f if self.gated else f), "down_proj": (f, h)}
        else:
            found = {"q_proj": (h, q), "k_proj": (h, kv), "v_proj": (h, kv), "o_proj": (q, h)}
            rest = ({"gate_proj": (h, f)} if self.gated else {}) | {"up_proj": (h, f), "down_proj": (f, h)}
        return found | (rest if f else {})

    @cached_property
    def linear_params(self) -> int:
        """Weights of all blocks' linear layers: what quantisation shrinks."""
        return self.layers * sum(inputs * outputs for inputs, outputs in self.linears().values())

    @cached_property
    def expert_params(self) -> int:
        """Weights of all experts and of the routers that choose among them; of dense layers beside them, too."""
        ways = 3 if self.gated else 2
        each = ways * self.hidden * self.expert_ffn + self.hidden
        return self.expert_layers * self.experts * each + (
            ways * self.dense_layers * self.hidden * self.ffn if self.mixture else 0
        )

    @property
    def embedding_params(self) -> int:
        """Input embedding and, where it is a matrix of its own, the output head; learned positions."""
        return self.vocab * self.hidden * (1 if self.tied else 2) + self.positions * self.hidden

    @cached_property
    def total_params(self) -> int:
        """All weights: linears, experts, embeddings, norms, biases, and what stands beside the decoder."""
        norms = self.hidden * (self.norms * self.layers + 1)
        biases = self.layers * (self.query + 2 * self.kv) if self.attention_bias else 0
        return self.linear_params + self.expert_params + self.embedding_params + norms + biases + self.beside

    @cached_property
    def working_params(self) -> int:
        """Weights that a token is multiplied with: looking up an embedding is free, the output head is not."""
        ways = 3 if self.gated else 2
        experts = ways * self.hidden * self.expert_ffn * self.experts_per_token + self.hidden * self.experts
        dense = ways * self.dense_layers * self.hidden * self.ffn if self.mixture else 0
        return self.linear_params + self.expert_layers * experts + dense + self.vocab * self.hidden


class _Models(BaseModel):
    """`facts/models.toml`: `languages` and `checked` of a model name a row of the tables."""

    model_config = ConfigDict(extra="forbid")
    checked: date
    source: str
    model: list[dict[str, object]]
    sources: dict[str, str]
    languages: dict[str, list[str]]


@lru_cache(maxsize=1)
def known_models() -> dict[str, ModelShape]:
    """Our dated list of open models by hub id. Raises `ProblemsFound` naming file and field."""
    path = FACTS_FOLDER / "models.toml"
    try:
        book = _Models.model_validate(require_file(path))
        shapes = [
            ModelShape.model_validate(
                row | {"languages": book.languages[str(row["languages"])], "checked": book.sources[str(row["checked"])]}
            )
            for row in book.model
        ]
    except ValidationError as error:
        raise ProblemsFound(problems_of(error, str(path))) from error
    return {shape.id: shape for shape in shapes}


def shape_of(model: str, folder: Path | None = None) -> ModelShape:
    """The shape of a model: from `config.json` in its folder, else from our list.

    Raises `NotFound` when neither knows it, `BadInput` for a config that lacks a size or a path that cannot be used.
    """
    from cost_models.shape_config import shape_from_config  # it makes shapes, so it stands on this file

    place = folder or typed_path(model)
    if is_file(place / "config.json"):
        return shape_from_config(place / "config.json")
    try:
        return known_models()[model]
    except KeyError:
        raise NotFound(
            f"the shape of `{model}` is not known here.", "Fetch the model first, or give its folder."
        ) from None
