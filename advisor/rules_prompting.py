"""Rules about what prompting has shown so far."""

from __future__ import annotations

from advisor.rule import Rule

RULES = (
    Rule(
        id="prompt_first",
        when=lambda f: f.prompt_tried == "none",
        because="Nothing has been prompted yet: try that first; it costs an afternoon and all else is measured by it.",
        uses=("prompt_tried",),
        threshold="prompt_tried is none",
        source="lecture",
        points={
            "zero_shot": 20, "few_shot": 20, "ft_managed": -10, "ft_self": -10, "rag_plus_ft": -10, "from_scratch": -10,
        },
    ),
    Rule(
        id="examples_next",
        when=lambda f: f.prompt_tried == "zero_shot" and not f.good_enough,
        because="An instruction alone was tried; examples in the prompt come next and need no training.",
        uses=("prompt_tried", "prompt_quality", "target_quality"),
        threshold="prompt_tried is zero_shot, target not reached",
        source="prompt_first",
        points={"few_shot": 30, "ft_managed": -10, "ft_self": -10, "rag_plus_ft": -10},
    ),
    Rule(
        id="base_works_well",
        when=lambda f: f.good_enough is True,
        because="{prompt_percent:.0f} % of answers are good already and you need {target_percent:.0f} %: do not tune.",
        uses=("prompt_quality", "target_quality"),
        threshold="prompt_quality >= target_quality (0.9 where none was named)",
        source="lecture",
        points={"zero_shot": 10, "few_shot": 10, "ft_managed": -30, "ft_self": -30, "rag_plus_ft": -30},
    ),
    Rule(
        id="zero_shot_is_enough",
        when=lambda f: f.good_enough is True and f.prompt_tried in ("none", "zero_shot"),
        because="The instruction alone reaches {prompt_percent:.0f} %: stay with it.",
        uses=("prompt_tried", "prompt_quality"),
        threshold="target reached with an instruction alone",
        source="lecture",
        points={"zero_shot": 30},
    ),
    Rule(
        id="few_shot_is_enough",
        when=lambda f: f.good_enough is True and f.prompt_tried in ("few_shot", "long_few_shot"),
        because="Your examples in the prompt reach {prompt_percent:.0f} %: stay with them.",
        uses=("prompt_tried", "prompt_quality"),
        threshold="target reached with examples in the prompt",
        source="lecture",
        points={"few_shot": 30},
    ),
    Rule(
        id="rag_is_enough",
        when=lambda f: f.good_enough is True and f.prompt_tried == "rag",
        because="Retrieval reaches {prompt_percent:.0f} %: stay with it.",
        uses=("prompt_tried", "prompt_quality"),
        threshold="target reached with retrieval",
        source="lecture",
        points={"rag": 40},
    ),
    Rule(
        id="prompting_ran_out",
        when=lambda f: (
            f.good_enough is False
            and f.prompt_tried in ("few_shot", "long_few_shot", "rag")
            and f.switch_gap != "ability"
        ),
        because="Your best prompt reaches {prompt_percent:.0f} % and you need {target_percent:.0f} %: prompting has "
        "run out of steam.",
        uses=("prompt_tried", "prompt_quality", "target_quality", "switch_gap"),
        threshold="target not reached with examples or retrieval, and the gap is not ability",
        source="lecture",
        # An instruction alone does worse than what was tried.
        points={"ft_managed": 20, "ft_self": 20, "rag_plus_ft": 20, "zero_shot": -30, "few_shot": -20},
    ),
    Rule(
        id="long_prompt_still_weak",
        when=lambda f: f.prompt_tried == "long_few_shot" and f.good_enough is not True,
        because="Thirty and more examples fill the prompt and it still varies: tuning puts them into the weights.",
        uses=("prompt_tried", "prompt_quality"),
        threshold="prompt_tried is long_few_shot, target not known to be reached",
        source="lecture",
        points={"ft_managed": 20, "ft_self": 20, "rag_plus_ft": 10, "few_shot": -20, "zero_shot": -20},
    ),
    Rule(
        id="retrieval_is_not_enough",
        when=lambda f: f.prompt_tried == "rag" and f.good_enough is False,
        because="Retrieval alone reaches {prompt_percent:.0f} %: keep it and tune how its findings are used.",
        uses=("prompt_tried", "prompt_quality"),
        threshold="prompt_tried is rag, target not reached",
        source="both",
        points={"rag_plus_ft": 20, "rag": -10},
    ),
    Rule(
        id="task_still_changes",
        when=lambda f: f.task_stability == "changing",
        because="The task itself still changes: a prompt is changed in minutes, a tune has to be made again.",
        uses=("task_stability",),
        threshold="task_stability is changing",
        source="prompt_first",
        points={
            "zero_shot": 10, "few_shot": 10, "ft_managed": -20, "ft_self": -20, "rag_plus_ft": -20, "from_scratch": -20,
        },
    ),
    Rule(
        id="examples_for_the_prompt",
        when=lambda f: f.labelled_examples >= 3,
        because="You have {labelled_examples:,} examples: the best of them belong into the prompt.",
        uses=("labelled_examples",),
        threshold="labelled_examples >= 3",
        source="lecture",
        points={"few_shot": 10},
    ),
    Rule(
        id="many_labels_in_the_prompt",
        when=lambda f: (
            (f.classes or 0) >= 20 and f.labelled_examples >= 10 and f.volume_per_month < 100_000
        ),
        because="{classes:,} labels at {volume_per_month:,.0f} calls a month: hundreds of examples in a long prompt "
        "are worth a try.",
        uses=("classes", "labelled_examples", "volume_per_month"),
        threshold="classes >= 20, labelled_examples >= 10, under 100,000 calls a month",
        source="many_shot",
        points={"few_shot": 10},
    ),
)  # fmt: skip
