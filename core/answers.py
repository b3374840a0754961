"""What a team tells us about its task. Every answer may be missing: then we assume and say so, or ask."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

TaskKind = Literal[
    "classify", "extract", "generate", "style", "qa", "sql", "summarise", "translate", "chat", "reasoning", "other"
]
Level = Literal["low", "medium", "high", "very_high"]
ApproachId = Literal["zero_shot", "few_shot", "rag", "ft_managed", "ft_self", "rag_plus_ft", "from_scratch"]

APPROACHES: dict[ApproachId, str] = {
    "zero_shot": "Zero-shot API",
    "few_shot": "Few-shot prompting",
    "rag": "RAG",
    "ft_managed": "Managed fine-tuning",
    "ft_self": "Self-hosted fine-tuning",
    "rag_plus_ft": "RAG + fine-tuning",
    "from_scratch": "Training from scratch",
}
"""The rungs of the adaptation spectrum, cheapest to start first."""


class Answers(BaseModel):
    """The wizard's answers. `None` means: not answered."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    task: str | None = Field(default=None, max_length=4000)
    """What should the model do, in a sentence or two?"""
    task_kind: TaskKind | None = None
    """Which kind of work is it mostly?"""
    knowledge_need: Level | None = None
    """How much does a good answer need facts that the model cannot know?"""
    knowledge_freshness: Literal["static", "slow", "seasonal", "monthly", "weekly", "daily"] | None = None
    """How often do those facts change?"""
    volume_per_month: float | None = Field(default=None, ge=0, le=1e12)
    """Calls per month, at the volume you plan for."""
    labelled_examples: int | None = Field(default=None, ge=0, le=10**10)
    """Examples you already have with the right answer."""
    classes: int | None = Field(default=None, ge=2, le=10**6)
    """Number of labels, for a classification task."""
    format_strictness: Level | None = None
    """How strictly must the form or the voice of an answer hold?"""
    privacy: Literal["low", "medium", "high", "strict"] | None = None
    """May the data leave your machines? Strict means never."""
    latency_ms: int | None = Field(default=None, ge=1, le=10**7)
    """Longest acceptable wait for an answer, in milliseconds."""
    budget: Literal["none", "small", "medium", "large", "very_large"] | None = None
    """Dollars for the first year: small to 2,000, medium to 25,000, large to 250,000, very large above."""
    has_eval_set: bool | None = None
    """Do you have examples set aside to test with, never used to build?"""
    prompt_tried: Literal["none", "zero_shot", "few_shot", "long_few_shot", "rag"] | None = None
    """The furthest you have gone with prompting so far."""
    prompt_quality: float | None = Field(default=None, ge=0, le=1)
    """Share of answers that were good enough with your best prompt, 0 to 1."""
    input_tokens: int | None = Field(default=None, ge=1, le=10**7)
    """Tokens of one input, without instructions and examples."""
    output_tokens: int | None = Field(default=None, ge=1, le=10**7)
    """Tokens of one answer."""
    tenants: int | None = Field(default=None, ge=1, le=10**7)
    """Customers or variants that each need their own behaviour."""
    own_text_tokens: float | None = Field(default=None, ge=0, le=1e15)
    """Tokens of text of your own, for training from scratch."""
    team_ml_fte: float | None = Field(default=None, ge=0, le=10_000)
    """People who can run and watch models, in full-time equivalents."""
    stakes: Literal["low", "medium", "high"] | None = None
    """What does a wrong answer cost?"""
    domain: str | None = Field(default=None, max_length=200)
    """The field: legal, medical, retail ..."""
    languages: list[str] | None = None
    """Languages that must work, as ISO codes."""
    target_quality: float | None = Field(default=None, ge=0, le=1)
    """Share of good answers that you need, 0 to 1."""
    portability: bool | None = None
    """Must it run where decoding cannot be constrained?"""
    citations: bool | None = None
    """Must an answer name its source?"""
    task_stability: Literal["stable", "changing"] | None = None
    """Does the task itself still change?"""
    label_quality: Literal["unknown", "noisy", "checked"] | None = None
    """How well are the examples checked?"""
    switch_gap: Literal["none", "form", "knowledge", "ability"] | None = None
    """What is wrong with the answers today?"""
