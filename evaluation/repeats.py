"""What is asked more than once: the base again, other seeds of the tune, and sampled answers for their consistency."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from core.jobspec import JobSpec
from evaluation.answering import Answerer
from evaluation.consistency import KINDS, MOST_ROWS, TEMPERATURE, TIMES
from evaluation.findings import FREE_TEXT, Asked
from evaluation.judged_model import Model
from evaluation.metrics import Metric
from evaluation.noise import rows_again
from evaluation.report import ModelName
from evaluation.rows import JudgedRows
from evaluation.seed_runs import SeedRun, ask_seeds

Sample = Callable[[Model, float, int], Model | None]
"""`(model, temperature, seed)` -> the model that answers by chance; None for one that cannot."""


class Repeats:
    """Everything to be asked again, known before the first question, so that the whole length is."""

    def __init__(
        self, spec: JobSpec, rows: JudgedRows, metric: Metric, models: Sequence[ModelName], runs: Sequence[SeedRun]
    ) -> None:
        self.spec = spec
        self.rows = rows
        self.runs = runs if "tuned" in models else []
        self.again = rows_again(rows.honest, spec.look, spec.seed) if "base" in models else []
        sampled = spec.task_kind in KINDS and metric in FREE_TEXT
        self.sampled: list[ModelName] = [name for name in models if name in ("base", "tuned")] if sampled else []
        most = min(MOST_ROWS[spec.look], len(rows.honest))
        self.varied = sorted(random.Random(spec.seed).sample(rows.honest, most))

    @property
    def total(self) -> int:
        """Questions that will be put."""
        varied = TIMES * len(self.varied) * len(self.sampled)
        return len(self.again) + len(self.runs[1:]) * len(self.rows.test) + varied

    def ask(self, found: Asked, answerer: Answerer, questions: list[list[int]], sample: Sample) -> None:
        """Everything, into `found`. The adapter in memory is another one afterwards. Raises `Stopped`."""
        if self.again:
            answerer.progress.stage("asking the base again")
            answers = answerer.answers([questions[at] for at in self.again], repeat=1)
            found.again = {at: answer.text for at, answer in zip(self.again, answers, strict=True)}
        for name in self.sampled:
            if rows := self._varied(name, answerer, [questions[at] for at in self.varied], sample):
                found.varied[name] = rows
        if len(self.runs) > 1:
            found.judged_seed = (self.runs[0].job, self.runs[0].seed)
            found.seeds = ask_seeds(self.runs, answerer, questions)

    def _varied(self, name: ModelName, answerer: Answerer, prompts: list[list[int]], sample: Sample) -> list[list[str]]:
        """Sampled answers, `(rows, times)`; no rows where the model cannot be sampled."""
        answerer.progress.stage(f"asking {TIMES} times with chance: {name}")
        times = []
        for number in range(TIMES):
            seed = self.spec.seed * TIMES + number
            model = sample(answerer.model, TEMPERATURE, seed)
            if model is None:
                answerer.progress.known(TIMES * len(prompts))
                return []
            chance = answerer.with_model(model, {"temperature": str(TEMPERATURE), "sample_seed": seed})
            times.append([answer.text for answer in chance.answers(prompts, tuned=name == "tuned")])
        return [list(answers) for answers in zip(*times, strict=True)]


def sampled(model: Model, temperature: float, seed: int) -> Model | None:
    """A model of this process that answers by chance; None for any other."""
    from serving.model import ChatModel
    from serving.sampled import SampledModel

    return SampledModel(model, temperature, seed) if isinstance(model, ChatModel) else None
