"""How the memo words things: fields and answers, dollars, days, approaches."""

from __future__ import annotations

from datetime import date

from core.answers import APPROACHES
from core.source import Source

LABELS = {
    "task": "Task",
    "task_kind": "Kind of work",
    "knowledge_need": "Need for facts the model cannot know",
    "knowledge_freshness": "Change of those facts",
    "volume_per_month": "Calls per month",
    "labelled_examples": "Examples with the right answer",
    "classes": "Number of labels",
    "format_strictness": "Strictness of form or voice",
    "privacy": "Privacy of the data",
    "latency_ms": "Longest wait (ms)",
    "budget": "Budget, first year",
    "has_eval_set": "Test examples set aside",
    "prompt_tried": "Prompting tried so far",
    "prompt_quality": "Good answers with the best prompt",
    "input_tokens": "Tokens of one input",
    "output_tokens": "Tokens of one answer",
    "tenants": "Variants with their own behaviour",
    "own_text_tokens": "Tokens of own text",
    "team_ml_fte": "People who can run models",
    "stakes": "Cost of a wrong answer",
    "domain": "Field",
    "languages": "Languages",
    "target_quality": "Good answers needed",
    "portability": "Must run without constrained decoding",
    "citations": "Answers must name their source",
    "task_stability": "Task",
    "label_quality": "Quality of the examples",
    "switch_gap": "What is wrong today",
}
SHARES = ("prompt_quality", "target_quality")
VALUES = {
    ("budget", "none"): "none",
    ("budget", "small"): "up to $2,000",
    ("budget", "medium"): "up to $25,000",
    ("budget", "large"): "up to $250,000",
    ("budget", "very_large"): "above $250,000",
    ("knowledge_freshness", "static"): "never",
    ("knowledge_freshness", "slow"): "yearly",
    ("task_kind", "qa"): "answer questions",
    ("task_kind", "sql"): "write SQL",
    ("task_stability", "changing"): "still changes",
    ("privacy", "strict"): "strict: the data stays here",
    ("prompt_tried", "none"): "nothing yet",
    ("prompt_tried", "zero_shot"): "an instruction",
    ("prompt_tried", "few_shot"): "a few examples",
    ("prompt_tried", "long_few_shot"): "30 examples or more",
    ("prompt_tried", "rag"): "retrieval",
    ("switch_gap", "none"): "nothing",
}
VARIANTS = {
    "small_encoder": "as a small classifier",
    "multi_lora": "with one base and an adapter for each customer",
    "open_model": "with an open model on machines of your own",
}
VERIFIED = {
    "abstract": "abstract only",
    "memory": "from memory",
    "measured": "measured by us",
    "judgement": "our judgement",
}
LARGE = ((1e9, "billion"), (1e6, "million"))


def label_of(field: str) -> str:
    """A field of the answers for people."""
    return LABELS.get(field, field.replace("_", " ").capitalize())


def value_of(field: str, value: object) -> str:
    """An answer for people."""
    if value is None:
        return "not answered"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value * 100:.3g} %" if field in SHARES else number(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    # The words of a choice are ours; what a person wrote stays as it is.
    return VALUES.get((field, str(value)), str(value) if field == "domain" else str(value).replace("_", " "))


def name_of(approach: object) -> str:
    """An approach for people; an id that is no longer known as it is."""
    return next((name for key, name in APPROACHES.items() if key == approach), str(approach).replace("_", " "))


def in_sentence(approach: object) -> str:
    """An approach inside a sentence: a small first letter, but for RAG."""
    name = name_of(approach)
    return name if name[:2].isupper() else name[:1].lower() + name[1:]


def recommended(approach: object, variant: str | None) -> str:
    """An approach with the form that is meant."""
    return f"{name_of(approach)}, {VARIANTS[variant]}" if variant in VARIANTS else name_of(approach)


def usd(amount: float | None) -> str:
    """Dollars with three digits that count: `$12,300`, `$1.25 million`, `$0.0021`; `unknown` for None."""
    if amount is None:
        return "unknown"
    sign, size = "-" if amount < 0 else "", abs(amount)
    for large, word in LARGE:
        if size >= large:
            return f"{sign}${size / large:,.3g} {word}"
    if size >= 1000:
        digits = len(str(int(size))) - 3
        return f"{sign}${round(size, -digits):,.0f}"
    return f"{sign}${size:,.0f}" if size >= 10 or not size else f"{sign}${size:.3g}"


def price(amount: float, unit: str) -> str:
    """An amount of the price book with every digit of it: `$0.4 per 1M tokens`, `1,460,000 GPU-hours`."""
    money, of = unit.startswith("USD"), unit.removeprefix("USD").strip()
    return f"{'$' if money else ''}{amount:,.10g} {of}".strip()


def number(value: float) -> str:
    """A number with the digits that count: `12,345`, `0.042`."""
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"


def day(when: date | str | object) -> str:
    """`6 Jan 2027`; text that is no date stays as it is."""
    if not isinstance(when, date):
        try:
            when = date.fromisoformat(str(when)[:10])
        except ValueError:
            return str(when)
    return f"{when.day} {when:%b %Y}"


def source_of(source: Source) -> str:
    """A source in one line, with the day on which it was checked and how well we know it."""
    known = VERIFIED.get(source.verified, "")
    known = f", {known}" if known and known not in source.title.lower() else ""
    return f"{source.title}; checked {day(source.checked)}{known}"


def listed(names: list[str], most: int = 4) -> str:
    """`a, b and 3 more`."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
