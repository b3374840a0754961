"""What a careful person would write above the examples: the labels by name, or the keys of the wanted JSON object.

Derived from the training rows alone, so that the base is told what the tuned model has learned.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from evaluation.classic import is_label_task, labels_of
from evaluation.metrics import read_json

MAX_LABELS = 200
MAX_FIELD_VALUES = 12
_SHORT_ANSWER_CHARACTERS = 200


def instruction(answers: Sequence[str], examples: bool) -> str:
    """The instruction for rows that are answered like `answers`, with examples below it or without.

    Empty where there is nothing to say: free text, and no examples to follow.
    """
    objects = [value for value in map(read_json, answers) if isinstance(value, dict)]
    if answers and len(objects) >= 0.9 * len(answers):
        return _about_objects(objects)
    if is_label_task(answers):
        labels = labels_of(answers)
        if len(labels) <= MAX_LABELS:
            return f"Answer with exactly one of these labels and nothing else: {', '.join(labels)}."
    if not examples:
        return ""
    if answers and max(len(answer) for answer in answers) <= _SHORT_ANSWER_CHARACTERS:
        return "Answer as briefly as in the examples, with nothing else."
    return "Answer in the same form and manner as in the examples."


def _about_objects(objects: list[dict[str, object]]) -> str:
    names = list(dict.fromkeys(name for value in objects for name in value))
    parts = [f"Answer with one JSON object and nothing else. Its keys, in this order: {', '.join(names)}."]
    for name in names:
        values = [json.dumps(value[name], ensure_ascii=False) for value in objects if name in value]
        common = Counter(values)
        # A field with few values that repeat is a list to choose from; with many it is copied from the input.
        if len(common) <= MAX_FIELD_VALUES and len(values) >= 3 * len(common):
            parts.append(f"`{name}` is one of {', '.join(sorted(common))}.")
        elif common["null"]:
            parts.append(f"`{name}` is null where the input does not say.")
    return " ".join(parts)
