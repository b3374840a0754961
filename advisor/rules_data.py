"""Rules about examples: how many, how good, and whether any are set aside."""

from __future__ import annotations

from advisor.rule import Rule
from cost_models.encoder import encoder_minimum

FULL_TUNING_ROWS = 100_000
FULL_TUNING_TOKENS = 1e9

RULES = (
    Rule(
        id="no_data",
        when=lambda f: f.labelled_examples < 10,
        because="{labelled_examples:,} examples: no host and no trainer takes fewer than 10.",
        uses=("labelled_examples",),
        threshold="labelled_examples < 10, answered",
        source="label_minimum",
        veto=("ft_managed", "ft_self", "rag_plus_ft"),
    ),
    Rule(
        id="under_100_examples",
        when=lambda f: f.labelled_examples < 100,
        because="{labelled_examples:,} examples are under 100: too few to tune on.",
        uses=("labelled_examples",),
        threshold="labelled_examples < 100",
        source="lecture",
        points={"ft_managed": -60, "ft_self": -60, "rag_plus_ft": -60, "from_scratch": -10},
    ),
    Rule(
        id="enough_examples",
        when=lambda f: f.labelled_examples >= 300,
        because="{labelled_examples:,} examples are enough to tune on and to judge it.",
        uses=("labelled_examples",),
        threshold="labelled_examples >= 300",
        source="lecture",
        points={"ft_managed": 10, "ft_self": 10, "rag_plus_ft": 10},
    ),
    Rule(
        id="thousand_examples",
        when=lambda f: f.labelled_examples >= 1_000,
        because="{labelled_examples:,} examples: a thousand careful ones are what good tunes are made of.",
        uses=("labelled_examples",),
        threshold="labelled_examples >= 1,000",
        source="quality",
        points={"ft_managed": 10, "ft_self": 10, "rag_plus_ft": 10},
    ),
    Rule(
        id="noisy_labels",
        when=lambda f: f.label_quality == "noisy",
        because="The examples are noisy: a tune repeats their mistakes. Clean them first.",
        uses=("label_quality",),
        threshold="label_quality is noisy",
        source="lecture",
        points={"ft_managed": -20, "ft_self": -20, "rag_plus_ft": -20},
        note="Read 50 of your examples and mend what you would not want repeated.",
    ),
    Rule(
        id="checked_labels",
        when=lambda f: f.label_quality == "checked" and f.labelled_examples >= 100,
        because="{labelled_examples:,} checked examples: quality counts for more than quantity.",
        uses=("label_quality", "labelled_examples"),
        threshold="label_quality is checked, at least 100 examples",
        source="quality",
        points={"ft_managed": 10, "ft_self": 10, "rag_plus_ft": 10},
    ),
    Rule(
        id="read_the_examples",
        when=lambda f: f.label_quality == "unknown" and f.labelled_examples >= 10,
        because="Nobody has said how good the {labelled_examples:,} examples are, and a tune shows what they show.",
        uses=("label_quality", "labelled_examples"),
        threshold="label_quality is unknown, at least 10 examples",
        source="audit",
        note="Read 50 to 100 of your examples before anything is trained: the tune will answer as they do.",
    ),
    Rule(
        id="lora_is_enough",
        when=lambda f: 100 <= f.labelled_examples < FULL_TUNING_ROWS,
        because="{labelled_examples:,} examples: LoRA on all layers learns as much from them as full tuning does.",
        uses=("labelled_examples",),
        threshold="100 to 100,000 examples",
        source="lora",
        note="LoRA on all linear layers is enough at your number of examples, and it forgets less than full tuning.",
    ),
    Rule(
        id="full_tuning_for_new_text",
        when=lambda f: f.own_text_tokens >= FULL_TUNING_TOKENS or f.labelled_examples >= FULL_TUNING_ROWS,
        because="{own_text_tokens:,.0f} tokens of your own text and {labelled_examples:,} examples: at that size full "
        "tuning learns more than LoRA, and forgets more.",
        uses=("own_text_tokens", "labelled_examples"),
        threshold="own text of a billion tokens or more, or 100,000 examples or more",
        source="full_tuning",
        note="At your amount of text compare full tuning with LoRA: it learns more and forgets more.",
    ),
    Rule(
        id="no_test_set",
        when=lambda f: not f.has_eval_set,
        because="Nothing is set aside to test with: build an evaluation set first, or nobody will know what helped.",
        uses=("has_eval_set",),
        threshold="has_eval_set is not yes",
        source="evals_first",
        points={"ft_managed": -10, "ft_self": -10, "rag_plus_ft": -10},
        note="Build an evaluation set first: 100 to 200 inputs with the right answer, never used for anything else.",
    ),
    Rule(
        id="small_encoder",
        when=lambda f: f.task_kind == "classify" and f.labelled_examples >= encoder_minimum(f.classes),
        because="Classification with {labelled_examples:,} labels: a small encoder beats a prompted large "
        "model and runs on any machine.",
        uses=("task_kind", "labelled_examples", "classes"),
        threshold="classify, at least 200 labels and 20 for each class (10 classes where none were named)",
        source="small_encoder",
        points={"ft_self": 20},
        variant=("ft_self", "small_encoder"),
    ),
    Rule(
        id="classic_baseline",
        when=lambda f: f.task_kind == "classify" and f.labelled_examples >= 100,
        because="Classification with {labelled_examples:,} labels: TF-IDF with logistic regression takes a second "
        "and is often as good.",
        uses=("task_kind", "labelled_examples"),
        threshold="classify, at least 100 labels",
        source="label_break_even",
        points={"zero_shot": -10},
        note="Measure a classic classifier on your labels before you tune a language model; the judge does it for you.",
    ),
    Rule(
        id="test_safety_again",
        when=lambda f: f.labelled_examples >= 10,
        because="Every tune wears down what the base was taught to refuse: test it again before it is used.",
        uses=("labelled_examples",),
        threshold="labelled_examples >= 10: a tune is possible",
        source="safety",
        note="After a tune, test refusals and bias again: ten bad rows among your examples are enough to undo them.",
    ),
)  # fmt: skip
