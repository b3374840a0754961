"""What a tournament before tuning found: `tournament.json` in the job's folder."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import BadInput, NotFound
from core.run_folder import RunFolder, write_atomically
from evaluation.noise import DecodingNoise
from evaluation.report import JudgedAnswer
from evaluation.rungs import RungName
from evaluation.stats import Interval, Paired

FILE = "tournament.json"


class _Part(BaseModel):
    # A later release adds fields; an older one must still read its files.
    model_config = ConfigDict(extra="ignore")


class RungReport(_Part):
    """One rung on the held-out rows."""

    name: RungName
    words: str
    score: Interval
    shots: int
    """Examples in the prompt."""
    instruction: str
    prompt_tokens: float
    """Mean of a whole prompt: what the cost curves pay for."""
    answer_tokens: float
    seconds_per_answer: float
    """On this machine an equal share of the batch; of a host from request to answer."""
    usd_per_1000_calls: float | None = None
    """At list price; None where the model has none in the price book."""
    truncated: int = 0
    """Answers cut at the longest allowed length."""
    schema_valid: Interval | None = None
    """For tasks that answer in JSON: share of answers that are valid by the schema."""


class ShotsTried(_Part):
    """A number of examples on the rows that the choice was made on."""

    shots: int
    score: float
    token_f1: float
    n: int


class TournamentReport(_Part):
    """The whole tournament."""

    version: int = 1
    best: RungName
    beats_others: bool
    """True where the best rung is better than each other one beyond noise."""
    sentence: str
    """The result in plain words."""
    metric: str
    metric_words: str
    rungs: list[RungReport]
    """In the order in which they were asked."""
    classic: Interval | None = None
    """For label tasks: TF-IDF and logistic regression on the same rows. No rung, and it wins nothing."""
    left_out: dict[str, str] = {}
    """{rung: why it was not asked}."""
    tried: list[ShotsTried] = []
    chosen_on: str = ""
    paired: dict[str, Paired] = {}
    """`few_shot_vs_zero_shot` and the like: the best rung against each other one, on the same rows."""
    noise: DecodingNoise | None = None
    """Of decoding: 20 rows are asked zero-shot a second time, and every comparison is widened by it."""
    answers: list[JudgedAnswer] = []
    question_tokens: float | None = None
    """Mean tokens of a question with nothing before it; None of a host, which counts only whole prompts."""
    usd_of_asking: float | None = None
    """List price of all that was asked on the held-out rows, those that were asked again with it."""
    prices: list[dict[str, object]] = []
    """Rows of the price book that the dollars rest on."""
    limits: list[str] = []
    base_model: str
    base_revision: str | None = None
    device: str
    """cpu, cuda, or the name of the host."""
    test_file: str
    test_sha256: str
    rows: int
    """Rows asked; those that stand in training are left out."""
    rows_in_file: int
    leaked: int = 0
    seed: int
    created_at: datetime

    def save(self, path: Path) -> None:
        """Written whole or not at all."""
        write_atomically(path, self.model_dump_json(indent=1))

    def rung(self, name: RungName) -> RungReport | None:
        """One rung, if it was asked."""
        return next((rung for rung in self.rungs if rung.name == name), None)

    @property
    def winner(self) -> RungReport:
        """The rung with the highest score."""
        return next(rung for rung in self.rungs if rung.name == self.best)


def tournament_file(job_id: str) -> Path:
    """Where a job's report is. Raises `NotFound` for no such job."""
    return RunFolder.of(job_id).path / FILE


def read_tournament(path: Path) -> TournamentReport:
    """The report at `path`. Raises `NotFound` or `BadInput`."""
    try:
        return TournamentReport.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise NotFound(f"no tournament at {path}.", "Run it again.") from error
    except ValidationError as error:
        raise BadInput("is not the report of a tournament.", "Run it again.", file=str(path)) from error
