"""What to do next: a job made from the advice, or a checklist where there is nothing to train."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from advisor.advice import Advice
from core.answers import Answers
from core.jobspec import DEFAULT_BASE_MODEL, JobSpec, MethodSpec
from core.plan import DataRef

TUNES = ("ft_managed", "ft_self", "rag_plus_ft")
CHECKLISTS: dict[str, tuple[str, ...]] = {
    "rag": (
        "Collect the documents that hold the facts, and name an owner for each.",
        "Split them by heading or rule, index them, and write 30 questions whose answers you know.",
        "Measure finding alone first, then the answers, with questions among them that the documents cannot answer.",
    ),
    "constrain": (
        "Write the form down as a JSON schema or grammar, with a value for unknown.",
        "Turn on structured output in the runtime, then measure the content on held-out rows.",
    ),
    "from_scratch": (
        "Measure what a tuned open model reaches on your rows first.",
        "Write down what it lacks that only a model of your own could have.",
    ),
}
LONG_ROW_TOKENS = 450


class Launch(BaseModel):
    """The next step: a button with a job behind it, a checklist, or both."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["tune", "measure", "checklist"]
    button: str
    spec: JobSpec | None = None
    """None for a checklist. Paths are filled in once rows are chosen."""
    checklist: list[str] = []
    because: list[str] = []
    """Why these settings."""


def suggest_launch(answers: Answers, advice: Advice, data: DataRef | None = None) -> Launch:
    """The next step for an advice; `data` fills the paths in and sets the number of rows."""
    best = advice.recommendation
    rows = data.train_rows if data else answers.labelled_examples
    strict = any(reason.rule == "constrain_decoding_first" for row in advice.ranking for reason in row.reasons)
    checklist = list(CHECKLISTS["constrain"]) if strict else []
    if best in TUNES:
        spec, because = tune_spec(answers, rows)
        extra = CHECKLISTS["rag"] if best == "rag_plus_ft" else ()
        return Launch(
            kind="tune",
            button="Tune and judge",
            spec=_with_data(spec, data),
            checklist=[*extra, *checklist],
            because=because,
        )
    if best in ("rag", "from_scratch"):
        return Launch(kind="checklist", button="Keep this decision", checklist=[*CHECKLISTS[best], *checklist])
    spec = JobSpec(
        kind="evaluate",
        models=["base", "best_prompt"],
        max_tokens=_max_tokens(answers),
        task_kind=answers.task_kind,
        latency_ms=answers.latency_ms,
    )
    because = ["Nothing is trained: the base, and the base with the best prompt, on rows set aside."]
    return Launch(
        kind="measure",
        button="Measure it on your rows",
        spec=_with_data(spec, data),
        checklist=checklist,
        because=because,
    )


def tune_spec(answers: Answers, rows: int | None) -> tuple[JobSpec, list[str]]:
    """A LoRA job for the embedded small model, its settings by the number of rows, and why."""
    count = rows or 0
    rank = 8 if count < 200 else 16 if count < 5_000 else 32
    epochs = 5.0 if count < 200 else 3.0 if count < 5_000 else 1.0
    spec = JobSpec(
        kind="train",
        base_model=DEFAULT_BASE_MODEL,
        method=MethodSpec(kind="lora", rank=rank, alpha=2 * rank, dropout=0.0),
        epochs=epochs,
        learning_rate=1e-3,
        max_tokens=_max_tokens(answers),
        early_stopping=3,
        look="quick",
        stakes=answers.stakes,
        domain=answers.domain,
        task_kind=answers.task_kind,
        latency_ms=answers.latency_ms,
    )
    said = f"{count:,} rows" if rows is not None else "An unknown number of rows"
    return spec, [
        f"{said}: rank {rank} and {epochs:g} passes; more rows need fewer passes and can fill a higher rank.",
        "The small model that runs anywhere comes first: it shows in minutes whether tuning helps at all.",
        "LoRA on all linear layers, with ten times the learning rate of full tuning.",
    ]


def _max_tokens(answers: Answers) -> int:
    length = (answers.input_tokens or 0) + (answers.output_tokens or 0)
    return 2048 if length > LONG_ROW_TOKENS else 512


def _with_data(spec: JobSpec, data: DataRef | None) -> JobSpec:
    if data is None:
        return spec
    return spec.model_copy(update={"dataset": data.train, "validation": data.validation, "test": data.test})
