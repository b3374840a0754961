"""The model card beside an adapter: `README.md` in the form of the Hugging Face Hub, filled from facts, never by hand.

No row of data, no prompt and no path of this machine stands in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from core.errors import NotFound
from core.run_folder import write_atomically
from core.store import Store
from shelf.adapters import Adapter
from shelf.card_front import front_matter
from shelf.classifier_words import loading_words, use_words
from shelf.judgements import AXIS, Judgement
from shelf.lineage import Lineage
from shelf.tuned_words import bound_words, is_a, loading_code

FILE = "README.md"
MODEL_WORDS = {
    "base": "Base",
    "best_prompt": "Base with the best prompt",
    "tuned": "Tuned",
    "classic": "TF-IDF + logistic regression",
}
TASK_WORDS = {
    "classify": "sorting texts into classes",
    "extract": "taking facts out of texts",
    "generate": "writing texts",
    "style": "writing in a house style",
    "qa": "answering questions",
    "sql": "writing SQL",
    "summarise": "summing up texts",
    "translate": "translation",
    "chat": "conversation",
    "reasoning": "problems that take several steps",
}
_MARKS = re.compile(r"([\\`*_{}\[\]<>#$~|])")


@dataclass(frozen=True)
class Purpose:
    """What the plan of a training says of it; all empty where there is no plan."""

    task: str = ""
    """What the model should do."""
    data: str = ""
    """The data as the team handed them in: their file's name, rows and hash, before they were split."""


def write_card(store: Store, adapter: Adapter) -> None:
    """Put the card beside the weights; one that says the same already is left alone. Raises `StoreError`."""
    if not adapter.path.is_dir():
        return
    text = card_text(adapter, purpose_of(store, adapter))
    path = adapter.path / FILE
    if not path.is_file() or path.read_text(encoding="utf-8", errors="replace") != text:
        write_atomically(path, text)


def purpose_of(store: Store, adapter: Adapter) -> Purpose:
    """From the plan of its training. A plan whose data are no longer those of the training names none."""
    try:
        plan_id = store.job(adapter.job_id).plan_id
        plan = store.plan(plan_id) if plan_id else None
    except NotFound:
        return Purpose()
    if plan is None:
        return Purpose()
    data = plan.data
    trained_on_it = data is not None and data.train == adapter.spec.dataset
    return Purpose(
        task=plan.answers.task or "",
        data=_data(data.name, data.sha256, data.rows) if data is not None and trained_on_it else "",
    )


def card_text(adapter: Adapter, purpose: Purpose | None = None) -> str:
    """The whole card."""
    purpose = purpose or Purpose()
    front = yaml.safe_dump(front_matter(adapter), sort_keys=False, allow_unicode=True, width=110)
    parts = [
        f"# {plain(adapter.name)}",
        *_state(adapter),
        "## What it is for",
        _use(adapter, purpose.task),
        "## Where it comes from",
        _table(["", ""], _origin(adapter, purpose.data)),
        "## Scores",
        *_scores(adapter.judgement),
        "## Verdict",
        *_verdict(adapter.judgement),
        *_past(adapter),
        "## Limits",
        *_limits(adapter),
        "## How to load it",
        *_loading(adapter),
    ]
    return f"---\n{front}---\n\n" + "\n\n".join(part for part in parts if part) + "\n"


def plain(text: str) -> str:
    """Text of people inside Markdown, shown as it is, on one line."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def _state(adapter: Adapter) -> list[str]:
    if not adapter.quarantined:
        return []
    said = [f"> **In quarantine.** {plain(adapter.quarantine)}"]
    if adapter.release is not None:
        made = adapter.release
        said.append(
            f"> **Released all the same** by {plain(made.name)} on {made.created_at:%Y-%m-%d}. "
            f"Reason: {plain(made.reason)}"
        )
    return ["\n>\n".join(said)]


def _use(adapter: Adapter, task: str) -> str:
    spec = adapter.spec
    work = TASK_WORDS.get(spec.task_kind or "", "the task of its training rows")
    field = f" Field: {plain(spec.domain)}." if spec.domain else ""
    wanted = f" In the words of its plan: {plain(task)}" if task.strip() else ""
    if adapter.form != "adapter":
        return f"{use_words(spec, _base(adapter))} Trained for {work}.{field}{wanted}\n\nIt was judged for that alone."
    return (
        f"{is_a(spec, _base(adapter))}, tuned for {work}.{field}{wanted}\n\n"
        "It was judged for that alone. Other work, other languages and other bases were not tried."
    )


def _origin(adapter: Adapter, data: str) -> list[list[str]]:
    told = adapter.lineage or Lineage()
    more = told.model_extra or {}
    revision = adapter.base_commit or adapter.base_revision
    licence = plain(adapter.licence) if adapter.licence else "not known: look it up before you pass the adapter on"
    libraries = ", ".join(f"{name} {version}" for name, version in told.versions.items() if name != "system")
    facts = {
        "Base": f"`{_base(adapter)}`" + (f", revision `{revision}`" if revision else ", revision not known"),
        "Licence of the base": f"{licence}. It binds the adapter too.",
        "Data": data,
        "Training rows": _data(adapter.spec.dataset, adapter.dataset_sha256, more.get("dataset_rows")),
        "Validation rows": _data(adapter.spec.validation, told.validation_sha256, more.get("validation_rows")),
        "Method": plain(adapter.method),
        "Libraries": plain(libraries),
        "Weights": f"sha256 `{adapter.weights_sha256}`" if adapter.weights_sha256 else "",
        "Made": f"{adapter.created_at:%Y-%m-%d} by `{adapter.job_id}`",
    }
    if not adapter.base_model:  # a classifier of the classic form starts from nothing
        facts |= {"Base": "", "Licence of the base": ""}
    return [[name, value] for name, value in facts.items() if value]


def _data(path: str | None, sha256: str | None, rows: object) -> str:
    """Name, number and hash. Never a row, and never the folder."""
    parts = [plain(Path(path).name)] if path else []
    parts += [f"{rows:,} rows"] if isinstance(rows, int) and rows else []
    parts += [f"sha256 `{sha256}`"] if sha256 else []
    return ", ".join(parts)


def _scores(judgement: Judgement | None) -> list[str]:
    if judgement is None:
        return ["These weights were not judged."]
    models = [name for name in MODEL_WORDS if name in judgement.models]
    axes = list(dict.fromkeys(axis for name in models for axis in judgement.models[name]))
    rows = []
    for axis in axes:
        words = judgement.axes[axis].words if axis in judgement.axes else axis.replace("_", " ")
        words = f"{words}, {judgement.metric_words}" if axis == AXIS and judgement.metric_words else words
        shown = [judgement.models[name].get(axis) for name in models]
        n = max(score.n for score in shown if score is not None)
        rows.append([plain(words), *(score.words if score else "" for score in shown), f"{n:,}"])
    table = _table(["What was measured", *(MODEL_WORDS[name] for name in models), "Rows"], rows)
    held_out = plain(Path(judgement.test_file).name) or "not named"
    sha256 = f", sha256 `{judgement.test_sha256}`" if judgement.test_sha256 else ""
    judges = [
        f"{note.words[:1].upper()}{note.words[1:]} was judged by {note.judged_by}"
        for note in judgement.axes.values()
        if note.judged_by
    ]
    return [
        "Between 0 and 1, higher is better everywhere. In brackets the 95 % interval.",
        table,
        f"Held-out rows: {held_out}{sha256}. Bar: {judgement.stakes} stakes, {judgement.look} look. "
        f"Judged on {judgement.created_at:%Y-%m-%d} by `{judgement.job_id}`.",
        *(plain(line).rstrip(".") + "." for line in dict.fromkeys(judges)),
        *_harm(judgement),
        plain(judgement.llm_judge.words) if judgement.llm_judge else "",
    ]


def _harm(judgement: Judgement) -> list[str]:
    """Shares of harmful answers, apart from the scores: here lower is better."""
    found = []
    for note in judgement.axes.values():
        if note.harm is not None:
            models = [name for name in MODEL_WORDS if name in note.harm.models]
            shares = ", ".join(f"{MODEL_WORDS[name].lower()} {note.harm.models[name].words}" for name in models)
            found.append(f"{plain(note.harm.sentence)}{f' Shares, lower is better: {shares}.' if shares else ''}")
    return found


def _verdict(judgement: Judgement | None) -> list[str]:
    if judgement is None:
        return ["None for these weights."]
    words = judgement.verdict_words
    return [f"**{words[:1].upper()}{words[1:]}.**", "\n".join(f"- {plain(reason)}" for reason in judgement.reasons)]


def _past(adapter: Adapter) -> list[str]:
    if len(adapter.history) < 2:
        return []
    rows = [
        [
            f"{each.created_at:%Y-%m-%d}",
            each.verdict.replace("_", " "),
            each.score.words,
            f"{plain(each.rows_name)} ({each.rows:,})",
            f"`{each.base_revision}`" if each.base_revision else "",
            "these" if each.these_weights else "others",
        ]
        for each in adapter.history
    ]
    return ["## Judged over time", _table(["Date", "Verdict", "Task", "Rows", "Base revision", "Weights"], rows)]


def _limits(adapter: Adapter) -> list[str]:
    found = list(adapter.judgement.limits) if adapter.judgement else []
    if adapter.form == "adapter":
        found.append(bound_words(adapter.spec))
    else:
        found.append("It knows the labels of its training rows alone: a text that fits none gets one all the same.")
    return ["\n".join(f"- {plain(limit)}" for limit in found)]


def _loading(adapter: Adapter) -> list[str]:
    if adapter.form != "adapter":
        return loading_words(adapter.spec)
    return [
        *loading_code(adapter.spec, _base(adapter), adapter.base_commit or adapter.base_revision),
        "Ask it as it was trained: with the base's chat template, and the system prompt of the training rows.",
    ]


def _base(adapter: Adapter) -> str:
    """The base's id; of a folder only its name."""
    name = adapter.base_model
    return Path(name).name if name.startswith(("/", "~", ".")) else name.replace("`", "")


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
