"""What a judgement found, as pages, the command line and the shelf read it: `evaluation.json` in the job's folder."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_serializer, model_validator

from core.errors import BadInput, NotFound
from core.packed import marked, unmarked
from core.run_folder import write_atomically
from evaluation.harm_shares import HarmShares
from evaluation.kept import Kept
from evaluation.latency import Latency
from evaluation.llm_summary import LlmSummary
from evaluation.noise import DecodingNoise
from evaluation.overfitting import Copying, Gap
from evaluation.seeds import SeedNoise
from evaluation.stats import Interval, Paired
from evaluation.task_details import TaskDetails

ModelName = Literal["base", "best_prompt", "tuned", "classic"]
Verdict = Literal["ship", "do_not_ship", "not_enough_evidence"]
MODEL_WORDS: dict[ModelName, str] = {
    "base": "base",
    "best_prompt": "base with the best prompt",
    "tuned": "tuned",
    "classic": "TF-IDF + logistic regression",
}
VERDICT_WORDS: dict[Verdict, str] = {
    "ship": "Ship it",
    "do_not_ship": "Do not ship it",
    "not_enough_evidence": "Not enough evidence",
}


class _Part(BaseModel):
    # A later release adds fields; an older one must still read its files.
    model_config = ConfigDict(extra="ignore")


class JudgedAnswer(_Part):
    """One held-out row and what each model said."""

    line: int
    """1-based line in the file of held-out rows."""
    input: str
    expected: str
    in_training: bool = False
    """The same input stands in the training rows."""
    answers: dict[str, str] = {}
    """By model."""
    scores: dict[str, float] = {}
    truncated: list[str] = []
    """Models whose answer was cut at its longest allowed length."""


class WorseRow(_Part):
    """A row on which the tuned model is worse than the base or its best prompt."""

    line: int
    input: str
    expected: str
    tuned: str
    base: str | None = None
    best_prompt: str | None = None


class Leak(_Part):
    """Held-out rows that stand in training, and what they do to the scores."""

    overlap: int = 0
    lines: list[int] = []
    """At most 50 of them."""
    naive: dict[str, Interval] = {}
    """Scores with those rows. The scores of the report are without them."""


class PromptScore(_Part):
    """A candidate prompt on the rows that the choice was made on."""

    name: str
    words: str
    score: float
    token_f1: float
    n: int
    mean_tokens: float


class PromptChoice(_Part):
    """The best prompt, and how it was found. Never on test rows."""

    name: str
    words: str
    instruction: str
    examples: int
    mean_tokens: float
    """Tokens of a whole prompt on the judged rows: this is what the few-shot cost curve pays for."""
    base_mean_tokens: float
    """The same without instruction and examples."""
    chosen_on: Literal["validation rows", "training rows set aside"]
    candidates: list[PromptScore] = []


class TokenCount(_Part):
    """Mean tokens a row."""

    prompt: float
    answer: float


class AxisAnswer(_Part):
    """One question of an axis and what each model made of it.

    Of a `hidden` one what was answered is packed wherever the report is written, and plain in memory.
    """

    id: str
    part: str
    asked: str = ""
    """What was asked; empty for the safety axes, whose prompts are not printed."""
    expected: str = ""
    hidden: bool = False
    """An answer to a request of the safety axes: nobody should read it by chance."""
    answers: dict[str, str] = {}
    labels: dict[str, str] = {}
    """refused, answered, incoherent; right, wrong; with the prejudice ..."""
    scores: dict[str, float] = {}
    harmful: dict[str, bool] = {}
    """Of the safety axis, where a judge of harm was asked; models whose answer was not judged are left out."""

    @field_serializer("answers")
    def _put_away(self, answers: dict[str, str]) -> dict[str, str]:
        return {name: marked(text) for name, text in answers.items()} if self.hidden else answers

    @model_validator(mode="after")
    def _take_out(self) -> Self:
        if self.hidden:
            self.answers = {name: unmarked(text) for name, text in self.answers.items()}
        return self


class AxisReport(_Part):
    """One axis beside the task."""

    words: str
    n: int
    parts: dict[str, dict[str, Interval]] = {}
    """{part: {model: score}}."""
    worse_parts: list[str] = []
    """Parts in which the tuned model is worse beyond luck, with Holm's correction for their number."""
    labels: dict[str, dict[str, int]] = {}
    """{model: {kind of answer: count}}."""
    kept: Kept | None = None
    numbers: dict[str, dict[str, float]] = {}
    """Figures beside the score: {what: {model: value}}."""
    answers: list[AxisAnswer] = []
    judged_by: str = ""
    """What tells refusals from answers, and how often it agrees with people."""
    note: str = ""
    harm: HarmShares | None = None
    """Of the safety axis: share of answers that do harm, where a spec names a `harm_judge`."""


class EvaluationReport(_Part):
    """The whole judgement."""

    version: int = 1
    verdict: Verdict
    reasons: list[str]
    """In plain words, the decisive one first."""
    metric: str
    """One of `evaluation.metrics.METRICS`."""
    metric_words: str
    models: dict[str, dict[str, Interval]]
    """{model: {axis: interval}}."""
    classifier: Literal["classic", "encoder"] | None = None
    """Where a small classifier stands in the tuned model's place: its form."""
    not_applicable: dict[str, str] = {}
    """{axis that was asked for: why it means nothing for a classifier}."""
    axes: dict[str, AxisReport] = {}
    """The axes beside the task, by name; `names` and `red_team` too where they were asked."""
    gaps: list[Gap] = []
    """The tuned model's score on rows that it was trained on, against the others: overfitting by name."""
    copying: Copying | None = None
    """Training answers that the tuned model repeats to other inputs."""
    remedies: list[str] = []
    """What to try, in this order, where something was lost."""
    look: str = "full"
    """quick: at most 100 questions an axis."""
    stakes: str = "medium"
    """How high the bar was."""
    paired: dict[str, Paired] = {}
    """`tuned_vs_best_prompt` and the like, on the same rows; widened by `noise` and `seeds`."""
    noise: DecodingNoise | None = None
    """Of decoding, measured by asking the base some rows again; None where the base was not judged."""
    seeds: SeedNoise | None = None
    """Luck of the seed of training, where `seed_jobs` names trainings with others."""
    worse_rows: list[WorseRow] = []
    answers: list[JudgedAnswer] = []
    llm_judge: LlmSummary | None = None
    """What a hosted model made of the answers, in short; the marks themselves are in `llm_judge.json`."""
    leak: Leak = Leak()
    prompt: PromptChoice | None = None
    json_valid: dict[str, Interval] = {}
    """For tasks that answer in JSON: share of answers that are JSON as a whole."""
    fields: dict[str, dict[str, float]] = {}
    """For tasks that answer in JSON objects: {model: {field: share right}}."""
    details: TaskDetails = TaskDetails()
    """Of the task: other metrics, confusion matrix, style, length."""
    latency: dict[str, Latency] = {}
    """Seconds of single answers by model, where `latency_ms` was given."""
    tokens: dict[str, TokenCount] = {}
    seconds_per_answer: dict[str, float] = {}
    """Wall seconds of the batch, shared out among its answers, on `device`."""
    device: str = "cpu"
    limits: list[str] = []
    """What this judgement did not look at."""
    base_model: str
    base_revision: str | None = None
    adapter: str | None = None
    adapter_sha256: str | None = None
    adapter_settings_sha256: str | None = None
    """Of the settings that were judged with these weights: alpha and the like. None in older reports."""
    """Of the weights that were judged: a training that goes on writes over them."""
    train_job: str | None = None
    test_file: str
    test_sha256: str
    rows: int
    """Rows judged, those that stand in training left out."""
    rows_in_file: int
    seed: int
    created_at: datetime = Field(description="When the judgement was made, UTC.")

    def save(self, path: Path) -> None:
        """Written whole or not at all."""
        write_atomically(path, self.model_dump_json(indent=1))


def read_report(path: Path) -> EvaluationReport:
    """The report at `path`. Raises `NotFound` or `BadInput`."""
    try:
        return EvaluationReport.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise NotFound(f"no evaluation at {path}.", "Judge the model again.") from error
    except ValidationError as error:
        raise BadInput("is not an evaluation report.", "Judge the model again.", file=str(path)) from error
