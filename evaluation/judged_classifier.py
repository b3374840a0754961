"""A small classifier in the place of the tuned model: found, asked, timed; and what cannot be asked of it, and why."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.adapter_files import is_classifier
from core.jobspec import JobSpec
from core.machine import resolve_device
from core.paths import typed_path
from core.run_folder import RunFolder
from dataset.row import Message
from evaluation.axes.question import Axis
from evaluation.latency import MAX_SECONDS, REQUESTS, Latency, summarise
from serving.classifier import Classifier, load_classifier

if TYPE_CHECKING:
    from evaluation.answering import Progress
    from evaluation.findings import Asked
    from evaluation.metrics import Metric
    from evaluation.report import ModelName
    from evaluation.rows import JudgedRows

WRITES_NOTHING = "Not applicable: a classifier gives one of its labels and writes no text"
WHY_NOT: dict[Axis, str] = {
    "knowledge": f"{WRITES_NOTHING}, so there is no general knowledge that it could lose.",
    "safety": f"{WRITES_NOTHING}, so it can neither refuse a request nor give in to one.",
    "over_refusal": f"{WRITES_NOTHING}, so it can refuse nothing.",
    "bias": f"{WRITES_NOTHING}, so no stereotype can stand in it. Whether a name changes its label is asked.",
    "red_team": f"{WRITES_NOTHING}, so there is nothing that an attack could make it say.",
}
"""Axes of free text. What remains is asked: the task, new inputs, and the same inputs with other names."""


@dataclass(frozen=True)
class JudgedClassifier:
    """A classifier that a judgement has opened."""

    folder: Path
    classifier: Classifier
    device: str

    def stands_beside(self, models: Sequence[ModelName]) -> list[ModelName]:
        """Whom to judge it beside: for the classic form the row `classic` would be the same one again."""
        return [name for name in models if name != "classic" or self.classifier.form != "classic"]

    def say(self, conversations: Sequence[tuple[Message, ...]]) -> list[str]:
        """The label of each conversation: it reads the user turns, as in its training."""
        return [said.label for said in self.classifier.sort([text_of(turns) for turns in conversations])]

    def time_single(self, texts: Sequence[str], limit_ms: int | None) -> Latency:
        """Seconds of single answers, one after the other, evenly from the shortest text to the longest."""
        ordered = sorted(texts, key=len)
        chosen = ordered[:: max(1, len(ordered) // REQUESTS)][:REQUESTS]
        self.classifier.sort(chosen[:1])  # the first answer pays for what the libraries load late
        began, seconds = time.perf_counter(), []
        for text in chosen:
            before = time.perf_counter()
            self.classifier.sort([text])
            seconds.append(time.perf_counter() - before)
            if time.perf_counter() - began > MAX_SECONDS:
                break
        return summarise(seconds, mean_prompt_tokens=0.0, mean_answer_tokens=0.0, device=self.device, limit_ms=limit_ms)


def open_classifier(spec: JobSpec) -> JudgedClassifier | None:
    """The classifier that a spec names by `adapter` or `job`, opened; None where that is an adapter.

    Raises `NotFound` where its training left none, and `BadInput` for files that are not as they should be.
    """
    folder = typed_path(spec.adapter) if spec.adapter else None
    if folder is None and spec.job:
        run = RunFolder.of(spec.job)
        folder = run.classifier if run.spec().learner != "llm" else None
    elif folder is not None and not is_classifier(folder):
        folder = None
    if folder is None:
        return None
    classifier = load_classifier(folder, resolve_device(spec.device))
    return JudgedClassifier(folder, classifier, resolve_device(spec.device) if classifier.form == "encoder" else "cpu")


def ask_classifier(
    judged: JudgedClassifier, found: Asked, spec: JobSpec, rows: JudgedRows, metric: Metric, progress: Progress
) -> None:
    """Its answers to everything that can be asked of it, into `found`, as those of the tuned model."""
    from core.adapter_settings import settings_sha256
    from evaluation.findings import Said
    from evaluation.judged_model import adapter_sha256
    from evaluation.measure import Axes, Measured

    progress.stage("asking the classifier")
    found.classifier = judged.classifier.form
    found.adapter_sha256, found.adapter_settings_sha256 = adapter_sha256(judged.folder), settings_sha256(judged.folder)
    began = time.monotonic()
    sorted_ = judged.classifier.sort([row.user_text for row in rows.test])
    each = (time.monotonic() - began) / max(1, len(rows.test))
    found.said["tuned"] = [Said(said.label, 0, 0, each, said.cut) for said in sorted_]
    found.latency["tuned"] = judged.time_single([row.user_text for row in rows.test], spec.latency_ms)
    axes = Axes(spec, rows, metric, WHY_NOT)
    for axis, questions in axes.questions.items():
        progress.stage(f"asking the classifier: {axis.replace('_', ' ')}")
        measured = found.axes.setdefault(axis, Measured(axis, questions))
        if measured.questions:
            axes.mark(measured, "tuned", judged.say(axes.conversations(measured)))


def text_of(messages: Sequence[Message]) -> str:
    """What a classifier reads of a conversation: its user turns."""
    return "\n".join(message.content for message in messages if message.role == "user")
