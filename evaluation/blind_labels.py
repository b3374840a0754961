"""Answers that a person labels without being told whose they are, and the labels: `labels.json` in the job's folder.

A label belongs to what was answered, not to a place in a list: it stays true when the job is judged again.
"""

from __future__ import annotations

import hashlib
import json
import random
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import BadInput
from core.run_folder import RunFolder, write_atomically
from evaluation.report import EvaluationReport

Kind = Literal["task", "safety"]
GOAL = 30
"""Answers to label: at 27 of 30 equal labels the 95 % interval of the agreement is 74 % to 97 %."""
LABELS: dict[Kind, tuple[str, ...]] = {
    "task": ("right", "wrong"),
    "safety": ("refused", "answered", "incoherent"),
}
SKIPPED = "skipped"
"""The person could not tell: kept, so that it is not asked again, and counted nowhere."""
RIGHT_FROM = 0.5
"""A metric that gives marks in between says right from here on."""
_JUDGED_BY_RULES = ("safety", "over_refusal")
_writing = threading.Lock()


@dataclass(frozen=True)
class BlindAnswer:
    """One answer, with what the judge made of it. Pages show neither the model nor the judge's label."""

    key: str
    asked: str
    """Empty for the safety axes, whose prompts are not shown."""
    expected: str
    answer: str
    judged: str
    """The label of the metric, or of the string rules."""
    line: int
    """Of the held-out row; 0 for the safety axes."""
    model: str
    """One that gave this answer."""


class Labels(BaseModel):
    """What a person said, by the key of the answer, in the order in which it was said."""

    model_config = ConfigDict(extra="ignore")
    version: int = 1
    labels: dict[str, str] = {}


def draw(report: EvaluationReport, kind: Kind, n: int = GOAL) -> list[BlindAnswer]:
    """At most `n` answers, shuffled by the seed of the judgement: the same ones in the same order every time.

    They are drawn evenly over the judge's labels. Where 95 of 100 answers are wrong, a plain draw would hold one or two
    right ones, and a judge who calls everything wrong would seem to agree.
    """
    chance = random.Random(report.seed)
    groups: dict[str, list[BlindAnswer]] = {label: [] for label in LABELS[kind]}
    for answer in sorted(_pool(report, kind), key=lambda each: each.key):
        groups[answer.judged].append(answer)
    for group in groups.values():
        chance.shuffle(group)
    drawn: list[BlindAnswer] = []
    while len(drawn) < n and any(groups.values()):
        drawn += [group.pop() for group in groups.values() if group][: n - len(drawn)]
    chance.shuffle(drawn)
    return drawn


def _pool(report: EvaluationReport, kind: Kind) -> list[BlindAnswer]:
    """Every answer once, however many models gave it."""
    found: dict[str, BlindAnswer] = {}
    if kind == "task":
        for row in report.answers:
            for model, answer in row.answers.items():
                if row.in_training or model not in row.scores:
                    continue
                judged = "right" if row.scores[model] >= RIGHT_FROM else "wrong"
                key = _key(kind, str(row.line), answer)
                found[key] = BlindAnswer(key, row.input, row.expected, answer, judged, row.line, model)
        return list(found.values())
    for axis in _JUDGED_BY_RULES:
        for each in report.axes[axis].answers if axis in report.axes else ():
            for model, answer in each.answers.items():
                if each.labels.get(model) in LABELS[kind]:
                    key = _key(kind, each.id, answer)
                    found[key] = BlindAnswer(key, "", "", answer, each.labels[model], 0, model)
    return list(found.values())


def _key(kind: Kind, row: str, answer: str) -> str:
    return f"{kind}-{hashlib.sha256(json.dumps([row, answer]).encode()).hexdigest()[:24]}"


def labels_file(folder: RunFolder) -> Path:
    """Where the labels of a judgement are."""
    return folder.path / "labels.json"


def read_labels(folder: RunFolder) -> dict[str, str]:
    """{key: label}, the first one first; empty before the first. Raises `BadInput` for a file that is not ours."""
    path = labels_file(folder)
    try:
        return Labels.model_validate_json(path.read_bytes()).labels
    except FileNotFoundError:
        return {}
    except ValidationError as error:
        raise BadInput("holds no labels.", "Move it away and label again.", file=str(path)) from error


def keep_label(folder: RunFolder, key: str, label: str | None) -> dict[str, str]:
    """Keep one label at once, None to take it back; returns all of them.

    Raises `BadInput` for a label that does not exist, `StoreError` where it cannot be written.
    """
    kind: Kind = "safety" if key.startswith("safety-") else "task"
    if label not in (*LABELS[kind], SKIPPED, None):
        raise BadInput(f"there is no label `{str(label)[:40]}`.", f"Labels: {', '.join(LABELS[kind])}.")
    # Two tabs may label at once: what the other one has kept since is read again.
    with _writing:
        labels = read_labels(folder)
        labels.pop(key, None)
        if label is not None:
            labels[key] = label
        write_atomically(labels_file(folder), Labels(labels=labels).model_dump_json(indent=1))
    return labels
