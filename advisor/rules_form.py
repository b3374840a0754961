"""Rules about how an answer must look, and about what kind of work it is."""

from __future__ import annotations

from advisor.rule import Rule
from advisor.rules_knowledge import VOICE_KINDS

MACHINE_READ = ("extract", "sql", "classify")
NARROW = ("classify", "extract", "style", "sql")

RULES = (
    Rule(
        id="strict_voice",
        when=lambda f: f.strict_form and f.task_kind in VOICE_KINDS,
        because="Form and voice must hold ({format_strictness}): tuning makes them the same every time.",
        uses=("format_strictness", "task_kind"),
        threshold="format_strictness high or very_high, and people read the answer",
        source="form",
        points={"ft_managed": 30, "ft_self": 30, "rag_plus_ft": 20, "zero_shot": -10},
    ),
    Rule(
        id="constrain_decoding_first",
        when=lambda f: f.strict_form and f.task_kind in MACHINE_READ and not f.portability,
        because="Only the format must hold ({format_strictness}): a schema or grammar at decoding time guarantees it "
        "without training.",
        uses=("format_strictness", "task_kind", "portability"),
        threshold="format_strictness high or very_high, and a program reads the answer; decoding can be constrained",
        source="lecture",
        points={"zero_shot": 10, "few_shot": 20},
        note="Constrain the output first: JSON schema or grammar in the runtime, with a field for unknown.",
    ),
    Rule(
        id="portable_form",
        when=lambda f: f.strict_form and f.portability,
        because="The format must hold where decoding cannot be constrained: then it has to be in the weights.",
        uses=("format_strictness", "portability"),
        threshold="format_strictness high or very_high, portability is yes",
        source="lecture",
        points={"ft_managed": 20, "ft_self": 30, "rag_plus_ft": 20},
    ),
    Rule(
        id="gap_is_form",
        when=lambda f: f.switch_gap == "form",
        because="What is wrong today is the form of the answers: that is what tuning changes.",
        uses=("switch_gap",),
        threshold="switch_gap is form",
        source="form",
        points={"ft_managed": 30, "ft_self": 30, "rag_plus_ft": 10, "rag": -10},
    ),
    Rule(
        id="gap_is_ability",
        when=lambda f: f.switch_gap == "ability",
        because="What is wrong today is ability: a larger model helps, a tuned small one does not.",
        uses=("switch_gap",),
        threshold="switch_gap is ability",
        source="ability",
        points={"zero_shot": 20, "few_shot": 20, "ft_managed": -20, "ft_self": -20, "rag_plus_ft": -20},
        note="Try a larger model with the same prompt before anything else.",
    ),
    Rule(
        id="no_gap",
        when=lambda f: f.switch_gap == "none",
        because="Nothing is wrong with the answers today: leave them as they are.",
        uses=("switch_gap",),
        threshold="switch_gap is none",
        source="lecture",
        points={"zero_shot": 20, "few_shot": 20, "ft_managed": -30, "ft_self": -30, "rag_plus_ft": -30},
    ),
    Rule(
        id="steps_of_reasoning",
        when=lambda f: f.task_kind == "reasoning",
        because="The work is reasoning in steps: large models do it, small tuned ones imitate it.",
        uses=("task_kind",),
        threshold="task_kind is reasoning",
        source="ability",
        points={"few_shot": 10, "zero_shot": 10, "ft_self": -10, "ft_managed": -10},
    ),
    Rule(
        id="narrow_task_at_volume",
        when=lambda f: f.task_kind in NARROW and f.labelled_examples >= 300 and f.volume_per_month >= 100_000,
        because="A narrow task ({task_kind}) with {labelled_examples:,} examples and {volume_per_month:,.0f} calls a "
        "month: a small tuned model does it as well as a large one.",
        uses=("task_kind", "labelled_examples", "volume_per_month"),
        threshold="classify, extract, style or sql; 300 examples; 100,000 calls a month",
        source="narrow",
        points={"ft_self": 20},
    ),
)
