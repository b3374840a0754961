"""Rules about facts: whether they are missing, how fast they change, and whether an answer must name its source."""

from __future__ import annotations

from advisor.facts import Facts
from advisor.rule import Rule

SPECIALISED = (
    "legal", "law", "medic", "clinic", "health", "pharma", "financ", "bank", "tax", "insur", "engineer", "scien",
    "chemi", "biolog", "patent",
)  # fmt: skip
"""Beginnings of words for fields with a language of their own."""
GIVEN_TEXT = ("extract", "summarise", "translate", "classify")
"""Work on a text that comes with the input: what is cited stands in it, nothing has to be fetched."""
VOICE_KINDS = ("style", "generate", "chat", "summarise", "translate", "qa", "other")


def specialised(facts: Facts) -> bool:
    """True for a field with a language of its own."""
    return bool(facts.domain) and any(word in (facts.domain or "").lower() for word in SPECIALISED)


def form_gap(facts: Facts) -> bool:
    """True when the form must change in a way that constrained decoding cannot bring about."""
    voice = facts.strict_form and (facts.task_kind in VOICE_KINDS or facts.portability)
    return voice or facts.switch_gap == "form"


def cites_what_is_fetched(facts: Facts) -> bool:
    """Sources are asked for, and the input is not itself the source."""
    return facts.citations and facts.task_kind not in GIVEN_TEXT


RULES = (
    Rule(
        id="facts_are_missing",
        when=lambda f: f.knowledge >= 2,
        because="Good answers need facts that the model cannot know ({knowledge_need}): fetch them.",
        uses=("knowledge_need",),
        threshold="knowledge_need high or very_high",
        source="facts_to_retrieval",
        points={"rag": 30, "rag_plus_ft": 20, "zero_shot": -20, "few_shot": -10},
    ),
    Rule(
        id="no_facts_into_weights",
        when=lambda f: f.knowledge >= 2,
        because="Tuning teaches how to answer, not what is true: new facts are learned slowly and make a model invent.",
        uses=("knowledge_need",),
        threshold="knowledge_need high or very_high",
        source="facts_not_in_weights",
        points={"ft_managed": -20, "ft_self": -20},
    ),
    Rule(
        id="facts_change_seasonally",
        when=lambda f: f.freshness >= 2,
        because="The facts change ({knowledge_freshness}): an index is renewed in minutes.",
        uses=("knowledge_freshness", "knowledge_need"),
        threshold="knowledge_freshness seasonal or faster, knowledge_need not low",
        source="lecture",
        points={"rag": 10, "rag_plus_ft": 10},
    ),
    Rule(
        id="facts_change_monthly",
        when=lambda f: f.freshness >= 3,
        because="The facts change {knowledge_freshness}: weights would be out of date before they are shipped.",
        uses=("knowledge_freshness", "knowledge_need"),
        threshold="knowledge_freshness monthly or faster, knowledge_need not low",
        source="lecture",
        points={"rag": 20, "rag_plus_ft": 10, "ft_managed": -10, "ft_self": -10, "from_scratch": -10},
    ),
    Rule(
        id="facts_change_weekly",
        when=lambda f: f.freshness >= 4,
        because="The facts change {knowledge_freshness}: that is what retrieval is for.",
        uses=("knowledge_freshness", "knowledge_need"),
        threshold="knowledge_freshness weekly or daily, knowledge_need not low",
        source="facts_to_retrieval",
        points={
            "rag": 20, "rag_plus_ft": 20, "ft_managed": -20, "ft_self": -20, "from_scratch": -20, "zero_shot": -10,
            "few_shot": -10,
        },
    ),
    Rule(
        id="answers_name_their_source",
        when=cites_what_is_fetched,
        because="Answers must name their source: only what was fetched can be cited.",
        uses=("citations", "task_kind"),
        threshold="citations is yes, and the input is not itself the source (extract, summarise, translate, classify)",
        source="facts_to_retrieval",
        points={"rag": 30, "rag_plus_ft": 20, "ft_managed": -10, "ft_self": -10, "zero_shot": -20, "few_shot": -10},
    ),
    Rule(
        id="nothing_to_fetch",
        when=lambda f: f.knowledge == 0 and f.switch_gap != "knowledge" and not cites_what_is_fetched(f),
        because="The model knows what it needs to know: there is nothing to fetch.",
        uses=("knowledge_need", "switch_gap", "citations", "task_kind"),
        threshold="knowledge_need low, no gap in knowledge, no citations but of the input itself",
        source="judgement",
        points={"rag": -60, "rag_plus_ft": -60},
    ),
    Rule(
        id="field_with_its_own_language",
        when=lambda f: specialised(f) and f.freshness <= 1,
        because="The field ({domain}) has a language of its own, and it changes slowly: a base model may not speak it.",
        uses=("domain", "knowledge_freshness", "knowledge_need"),
        threshold="domain is legal, medical, financial or scientific; facts static or slow",
        source="lecture",
        points={"ft_managed": 10, "ft_self": 10, "rag_plus_ft": 10},
    ),
    Rule(
        id="both_gaps",
        when=lambda f: (f.knowledge >= 2 or f.freshness >= 4) and form_gap(f),
        because="Facts are missing and the form must change: retrieval brings the first, tuning the second.",
        uses=(
            "knowledge_need", "knowledge_freshness", "format_strictness", "switch_gap", "task_kind", "portability",
        ),
        threshold="facts missing or changing weekly, and a strict voice or a gap in form",
        source="both",
        points={"rag_plus_ft": 30},
    ),
    Rule(
        id="retrieval_first",
        when=lambda f: (
            f.prompt_tried != "rag" and (f.knowledge >= 2 or f.switch_gap == "knowledge" or cites_what_is_fetched(f))
        ),
        because="Retrieval alone has not been tried: measure it before a tune is put on top.",
        uses=("prompt_tried", "knowledge_need", "switch_gap", "citations", "task_kind"),
        threshold="prompt_tried is not rag, and facts are missing or have to be cited",
        source="prompt_first",
        points={"rag_plus_ft": -20},
    ),
    Rule(
        id="gap_is_knowledge",
        when=lambda f: f.switch_gap == "knowledge",
        because="What is wrong today is what the model does not know: fetch it.",
        uses=("switch_gap",),
        threshold="switch_gap is knowledge",
        source="facts_to_retrieval",
        points={"rag": 30, "rag_plus_ft": 20, "ft_managed": -20, "ft_self": -20},
    ),
)  # fmt: skip
