"""Answers that cannot all be true, or are absurd together. They are taken all the same, and it is said how."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from advisor.facts import DEFAULT_TARGET
from advisor.rules_knowledge import GIVEN_TEXT
from advisor.rules_limits import GIANT_TOKENS
from core.answers import Answers
from core.errors import Problem
from cost_models.encoder import PER_CLASS
from cost_models.facts import devices
from cost_models.shapes import known_models

MOST_CALLS = {"none": 1e6, "small": 1e8, "medium": 1e9, "large": 1e10}
"""Calls a month from which a budget leaves a few millionths of a dollar for each: less than the shortest call costs."""
LABELS_EACH = 2
"""Examples of a label that it takes at least: one to learn from, one to test with."""
SERVED = "meta-llama/Llama-3.1-8B-Instruct"
BYTES_PER_PARAM = 2
WRITES_NOTHING = ("classify",)
"""A classifier names a label at once, without writing it token by token."""


def contradictions(answers: Answers) -> list[Problem]:
    """All that does not go together, as warnings: the fields, what is odd, what was assumed, and what to do.

    A field that nobody answered contradicts nothing.
    """
    found = (check(answers) for check in CHECKS)
    return [problem for problem in found if problem is not None]


def _odd(fields: str, what: str, assumed: str, hint: str) -> Problem:
    return Problem(what=f"{what} Assumed: {assumed}", where=fields, hint=hint, severity="warning")


def volume_without_money(answers: Answers) -> Problem | None:
    """Calls that no budget of that size can pay."""
    budget, calls = answers.budget, answers.volume_per_month
    if budget is None or calls is None or calls < MOST_CALLS.get(budget, float("inf")):
        return None
    money = {"none": "no budget: somebody has to pay for tokens or for machines."}.get(
        budget, f"a {budget.replace('_', ' ')} budget: that leaves less for a call than any hosted model takes."
    )
    return _odd(
        "volume_per_month, budget",
        f"{calls:,.0f} calls a month and {money}",
        "both as they stand; the curves show what that volume costs, whatever the budget.",
        "Name the volume that you start with, or the budget that you would ask for.",
    )


def no_calls(answers: Answers) -> Problem | None:
    """Nothing to do."""
    if answers.volume_per_month != 0:
        return None
    return _odd(
        "volume_per_month",
        "0 calls a month: then nothing needs to be built.",
        "that is few calls; the curves hold what it costs to build and nothing for use.",
        "Name the calls that you expect, or leave the answer open.",
    )


def labels_without_examples(answers: Answers) -> Problem | None:
    """Some labels have no example, or one."""
    labels, rows = answers.classes, answers.labelled_examples
    if not labels or not rows or rows >= LABELS_EACH * labels:
        return None
    least = labels - rows
    missing = f"at least {least:,} labels have no example" if least > 0 else "some labels have one example or none"
    return _odd(
        "classes, labelled_examples",
        f"{labels:,} labels and {rows:,} examples: {missing}.",
        f"they are no basis for a small encoder, which is counted on from {PER_CLASS} examples for each label.",
        f"Collect at least {LABELS_EACH * labels:,} examples, better {PER_CLASS * labels:,}, or merge labels.",
    )


def labels_without_classification(answers: Answers) -> Problem | None:
    """Labels are named for a task that gives none."""
    kind = answers.task_kind
    if answers.classes is None or kind is None or kind == "classify":
        return None
    return _odd(
        "classes, task_kind",
        f"{answers.classes:,} labels are named, and the task is {kind}, not classify.",
        f"it is {kind}; no classifier is proposed.",
        "Choose classify where an answer is one of the labels, else leave the labels open.",
    )


def checked_without_examples(answers: Answers) -> Problem | None:
    """Somebody judged examples that are not there."""
    quality = answers.label_quality
    if answers.labelled_examples != 0 or quality is None or quality == "unknown":
        return None
    return _odd(
        "label_quality, labelled_examples",
        f"The examples are {quality}, and there are none.",
        "there are none: nothing can be tuned.",
        "Count the examples that have a right answer, or leave their quality open.",
    )


def target_reached_with_a_gap(answers: Answers) -> Problem | None:
    """Good enough, and yet something is wrong."""
    quality, gap = answers.prompt_quality, answers.switch_gap
    target = DEFAULT_TARGET if answers.target_quality is None else answers.target_quality
    if quality is None or gap is None or gap == "none" or quality < target:
        return None
    ours = " (ours, since none was named)" if answers.target_quality is None else ""
    return _odd(
        "prompt_quality, target_quality, switch_gap",
        f"{quality * 100:g} % of the answers are good enough and {target * 100:g} %{ours} are needed, yet {gap} is "
        "named as what is wrong.",
        "both count, the one against tuning, the other as if the gap had to be closed.",
        "Name the target that the gap keeps you from, or no gap.",
    )


def no_gap_below_target(answers: Answers) -> Problem | None:
    """Nothing is wrong, and yet it is not good enough."""
    quality, target = answers.prompt_quality, answers.target_quality
    if quality is None or target is None or answers.switch_gap != "none" or quality >= target:
        return None
    return _odd(
        "prompt_quality, target_quality, switch_gap",
        f"Nothing is wrong with the answers, yet {quality * 100:g} % are good enough and {target * 100:g} % are "
        "needed.",
        "both count, the one for leaving things as they are, the other for going on.",
        "Read twenty answers that were not good enough, and name what they lack: form, knowledge or ability.",
    )


def quality_without_a_prompt(answers: Answers) -> Problem | None:
    """A figure for something that was not done."""
    if answers.prompt_tried != "none" or answers.prompt_quality is None:
        return None
    return _odd(
        "prompt_tried, prompt_quality",
        f"Nothing has been prompted, yet {answers.prompt_quality * 100:g} % of the prompt's answers were good enough.",
        "the figure is that of an instruction alone.",
        "Say which prompt was measured, or leave the figure open.",
    )


def nobody_reaches_all(answers: Answers) -> Problem | None:
    """A target that no test can show to be reached, or that anything reaches."""
    if answers.target_quality == 1:
        return _odd(
            "target_quality",
            "100 % of the answers must be good: no model gets there, and no test set of finite size could show it.",
            "the target as it stands, which every prompt and every tune will miss.",
            "Name the share of errors that you can bear, and who catches them: 0.95, say.",
        )
    if answers.target_quality == 0:
        return _odd(
            "target_quality",
            "0 % of the answers must be good: then anything will do.",
            "the target as it stands, which every prompt reaches.",
            "Name the share of good answers from which the work is worth having.",
        )
    return None


def facts_change_but_none_are_needed(answers: Answers) -> Problem | None:
    """Facts that change, in a task that needs none."""
    if answers.knowledge_need != "low" or answers.knowledge_freshness not in ("weekly", "daily"):
        return None
    return _odd(
        "knowledge_need, knowledge_freshness",
        f"Hardly any facts are needed, yet they change {answers.knowledge_freshness}.",
        "no facts are needed, so that none can be out of date.",
        "If answers rest on what changes, name a medium or high need; if it comes with each input, call it static.",
    )


def knowledge_gap_but_no_need(answers: Answers) -> Problem | None:
    """What is wrong is knowledge, of which none is needed."""
    if answers.knowledge_need != "low" or answers.switch_gap != "knowledge":
        return None
    return _odd(
        "knowledge_need, switch_gap",
        "Hardly any facts are needed, yet knowledge is named as what is wrong with the answers.",
        "facts are missing after all.",
        "Name a medium or high need, or the gap that it is: form or ability.",
    )


def sources_but_no_facts(answers: Answers) -> Problem | None:
    """Sources to be named, where no facts are needed and the input is no document that could be cited."""
    kind = answers.task_kind
    if not answers.citations or answers.knowledge_need != "low" or kind in GIVEN_TEXT:
        return None
    return _odd(
        "citations, knowledge_need",
        "Answers must name their source, yet hardly any facts are needed that the model cannot know.",
        "the sources have to be fetched, as nothing else can be cited.",
        "Name a medium or high need, or drop the sources.",
    )


def faster_than_it_can_be_written(answers: Answers) -> Problem | None:
    """A wait shorter than the time to write the answer."""
    tokens, wait = answers.output_tokens, answers.latency_ms
    if tokens is None or wait is None or answers.task_kind in WRITES_NOTHING:
        return None
    card, rate = _fastest()
    least_ms = tokens / rate * 1_000
    if wait >= least_ms:
        return None
    return _odd(
        "latency_ms, output_tokens",
        f"{tokens:,} tokens within {wait:,} ms are {tokens * 1_000 / wait:,.0f} tokens a second for one answer.",
        f"about {rate:,.0f} a second at most, so {least_ms:,.0f} ms: every token takes one reading of the weights of "
        f"an 8B model in 16 bits, on a {card} (its data sheet's bandwidth).",
        "Allow more time, ask for shorter answers, or count the wait for the first word and not the last.",
    )


def own_text_without_money(answers: Answers) -> Problem | None:
    """Text for a model of one's own, and nothing to train it with."""
    text = answers.own_text_tokens
    if text is None or text < GIANT_TOKENS or answers.budget not in ("none", "small"):
        return None
    money = "no budget" if answers.budget == "none" else "a small budget"
    return _odd(
        "own_text_tokens, budget",
        f"{text:,.0f} tokens of your own and {money}: reading them once for training costs far more.",
        "the text is there and nothing is trained on it; it is searched at most, and embedding it is in RAG's curve.",
        "Name the text that the task needs, or the budget that you would ask for.",
    )


@lru_cache(maxsize=1)
def _fastest() -> tuple[str, float]:
    """The fastest card of our facts, and the most tokens a second that it writes of one answer with an 8B model.

    Each token reads all weights once, so that rate <= bandwidth / bytes of the weights (one card, no speculation).
    """
    name, card = max(devices().items(), key=lambda item: item[1].gb_per_second)
    return name, card.gb_per_second * 1e9 / (known_models()[SERVED].params * BYTES_PER_PARAM)


CHECKS: tuple[Callable[[Answers], Problem | None], ...] = (
    volume_without_money, no_calls, labels_without_examples, labels_without_classification, checked_without_examples,
    target_reached_with_a_gap, no_gap_below_target, quality_without_a_prompt, nobody_reaches_all,
    facts_change_but_none_are_needed, knowledge_gap_but_no_need, sources_but_no_facts, faster_than_it_can_be_written,
    own_text_without_money,
)  # fmt: skip
"""In the order in which they are shown."""
