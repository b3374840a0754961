"""Ask the questions of every axis beside the task, of every model, and mark the answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.jobspec import JobSpec
from core.paths import typed_path
from dataset.row import Message, Row
from evaluation.answering import Answerer
from evaluation.axes import bias, knowledge, new_inputs, red_team, safety
from evaluation.axes.general_set import general_set
from evaluation.axes.question import Axis, Mark, Question
from evaluation.axes.swaps import Swaps, swaps
from evaluation.axes.swaps import mark as mark_swap
from evaluation.harm_shares import HarmShares
from evaluation.judged_model import PromptRenderer
from evaluation.metrics import Metric, score
from evaluation.report import ModelName
from evaluation.rows import JudgedRows

QUICK = 100
"""Questions an axis of a quick look."""
MOST_NEW_INPUTS = 400
SAFETY_TOKENS = 64
"""Whether a request is refused stands in the first words of the answer."""
SAFETY: tuple[Axis, ...] = ("safety", "over_refusal", "red_team")
"""Their requests are shown nowhere, and what was answered is stored packed."""
SWAPPED = "\n\nWith the name swapped: "
WEIGHED: tuple[Axis, ...] = ("knowledge", "bias")
"""Choices of plain text: no prompt stands before them, so the base with its best prompt is the base."""
Prompts = Callable[[Sequence[tuple[Message, ...]]], list[list[int]]]
"""Conversations as token ids, as one model is asked."""


@dataclass
class Measured:
    """One axis: what was asked, and what each model made of it."""

    axis: Axis
    questions: list[Question]
    marks: dict[ModelName, list[Mark]] = field(default_factory=dict)
    answers: dict[ModelName, list[str]] = field(default_factory=dict)
    numbers: dict[str, dict[str, float]] = field(default_factory=dict)
    """Figures beside the score: {what: {model: value}}."""
    note: str = ""
    harmful: dict[ModelName, list[bool | None]] = field(default_factory=dict)
    """Does each answer do harm? Empty where nobody was asked; None for an answer that was not judged."""
    harm: HarmShares | None = None


def axis_count(spec: JobSpec) -> int | None:
    """Most questions an axis; None for all."""
    return spec.n if spec.n is not None else QUICK if spec.look == "quick" else None


class Axes:
    """The axes that a spec names, with their questions ready, so that the whole length is known before the first."""

    def __init__(self, spec: JobSpec, rows: JudgedRows, metric: Metric, without: Collection[Axis] = ()) -> None:
        """Axes `without` are left out; the swapped names that come with `bias` are not."""
        self.spec = spec
        self.rows = rows
        self.metric = metric
        self.task_answers = [row.answer for row in rows.train]
        self.house_prompt = spec.system_prompt or common_system_prompt(rows.train or rows.test)
        n = axis_count(spec)
        asked = [axis for axis in spec.axes if axis != "task"]
        self.questions: dict[Axis, list[Question]] = {}
        self.attacks: list[red_team.Attack] = []
        self.pairs = Swaps([], 0, 0)
        self.left_out = 0
        self.too_long: dict[Axis, int] = {}
        """Questions that the model's context cannot hold."""
        honest = [rows.test[at] for at in rows.honest]
        for axis in asked:
            if axis == "knowledge":
                self.questions[axis] = self._knowledge(n)
            elif axis == "bias":
                self.questions[axis] = list(bias.questions(n, spec.seed))
                self.pairs = swaps(honest, n, spec.seed)
                self.questions["names"] = [pair.original for pair in self.pairs.pairs]
            elif axis == "new_inputs":
                self.questions[axis] = new_inputs.questions(
                    honest,
                    min(n or MOST_NEW_INPUTS, MOST_NEW_INPUTS),
                    spec.seed,
                    shifted=rows.shifted,
                    train=rows.train,
                )
            elif axis == "red_team":
                self.attacks = self._attacks(n, honest)
                self.questions[axis] = [attack.question for attack in self.attacks]
            else:
                self.questions[axis] = safety.questions(axis, system_prompt=self.house_prompt, n=n)
        for absent in without:
            self.questions.pop(absent, None)

    def total(self, models: Sequence[ModelName]) -> int:
        """Questions that will be put, of all models together."""
        put = 0
        for axis, questions in self.questions.items():
            asked = [name for name in models if axis not in WEIGHED or name != "best_prompt"]
            texts = len(knowledge.general_texts()) if axis == "knowledge" else 0
            put += (len(questions) * (2 if axis == "names" else 1) + texts) * len(asked)
        return put

    def ask(
        self,
        models: Sequence[ModelName],
        answerer: Answerer,
        renderer: PromptRenderer,
        prompts: dict[ModelName, Prompts],
    ) -> dict[Axis, Measured]:
        """Every axis of every model. Raises `Stopped`."""
        found: dict[Axis, Measured] = {}
        for axis, questions in self.questions.items():
            asked = self._that_fit(axis, models, answerer, renderer) if axis in WEIGHED else questions
            measured = found[axis] = Measured(axis, asked)
            for name in models if asked else ():
                if axis in WEIGHED:
                    if name != "best_prompt":
                        answerer.progress.stage(f"weighing choices ({AXIS_STAGES[axis]}): {name}")
                        self._weigh(measured, name, answerer, renderer)
                else:
                    answerer.progress.stage(f"{AXIS_STAGES[axis]}: {name}")
                    self._write(measured, name, answerer, prompts[name])
            if axis in WEIGHED and "best_prompt" in models and "base" in measured.marks:
                measured.marks["best_prompt"] = measured.marks["base"]
                measured.answers["best_prompt"] = measured.answers["base"]
        self._notes(found)
        return found

    def _that_fit(
        self, axis: Axis, models: Sequence[ModelName], answerer: Answerer, renderer: PromptRenderer
    ) -> list[Question]:
        """The questions of an axis but those of which a choice alone fills the model's context: these are counted."""
        most = answerer.model.context
        fit = [question for question in self.questions[axis] if _fits(question, renderer, most)]
        self.too_long[axis] = len(self.questions[axis]) - len(fit)
        answerer.progress.total -= self.too_long[axis] * sum(name != "best_prompt" for name in models)
        return fit

    def _weigh(self, measured: Measured, name: ModelName, answerer: Answerer, renderer: PromptRenderer) -> None:
        tuned = name == "tuned"
        asked = [knowledge.encoded(question, renderer) for question in measured.questions]
        weighed = answerer.likelihoods(asked, tuned=tuned)
        marks: list[Mark] = []
        picks: list[int] = []
        for question, likely in zip(measured.questions, weighed, strict=True):
            if isinstance(question, bias.BiasQuestion):
                # Choices of very unlike length: by the byte, or "unknown" in many words would never be picked.
                lengths = [len(choice.encode()) for choice in question.choices]
                picked = knowledge.pick([value / size for value, size in zip(likely, lengths, strict=True)])
                marks.append(bias.mark(question, picked))
            else:
                picked = knowledge.pick(likely)
                marks.append(knowledge.mark(question, picked))
            picks.append(picked)
        measured.marks[name] = marks
        measured.answers[name] = [
            question.choices[picked].strip() for question, picked in zip(measured.questions, picks, strict=True)
        ]
        if measured.axis == "knowledge":
            ids = {text: renderer.encode_text(text, start=True) for text in knowledge.general_texts()}
            texts = [text for text in ids if len(ids[text]) <= answerer.model.context]
            read = answerer.likelihoods([(ids[text][:1], [ids[text][1:]]) for text in texts], tuned=tuned)
            if texts:
                bits = knowledge.bits_per_byte([value for (value,) in read], texts)
                measured.numbers.setdefault("bits_per_byte", {})[name] = bits
        else:
            asked_of = [question for question in measured.questions if isinstance(question, bias.BiasQuestion)]
            scores = bias.bias_scores(asked_of, picks)
            for what, value in (
                ("accuracy_ambiguous", scores.accuracy_ambiguous.score),
                ("accuracy_clear", scores.accuracy_clear.score),
                ("lean_ambiguous", scores.bias_ambiguous),
                ("lean_clear", scores.bias_clear),
            ):
                if value is not None:
                    measured.numbers.setdefault(what, {})[name] = value

    def _write(self, measured: Measured, name: ModelName, answerer: Answerer, prompts: Prompts) -> None:
        limited = answerer
        if measured.axis in SAFETY:
            limited = answerer.limited(min(SAFETY_TOKENS, answerer.model.context - 1)).hidden()
        asked = prompts(self.conversations(measured))
        self.mark(measured, name, [answer.text for answer in limited.answers(asked, tuned=name == "tuned")])

    def conversations(self, measured: Measured) -> list[tuple[Message, ...]]:
        """What is put to a model that writes its answers: rows with a name in them twice, the second time swapped."""
        swapped = [pair.swapped.messages for pair in self.pairs.pairs] if measured.axis == "names" else []
        return [*(question.messages for question in measured.questions), *swapped]

    def mark(self, measured: Measured, name: ModelName, texts: list[str]) -> None:
        """Take down what a model wrote to these conversations, and what it is worth."""
        measured.answers[name] = texts
        if measured.axis == "new_inputs":
            measured.marks[name] = [
                Mark(score(self.metric, question.expected, text, self.spec.sqlite))
                for question, text in zip(measured.questions, texts, strict=True)
            ]
        elif measured.axis == "red_team":
            measured.marks[name] = red_team.marks(self.attacks, texts, self.task_answers)
        elif measured.axis == "names":
            pairs = list(zip(texts[: len(self.pairs.pairs)], texts[len(self.pairs.pairs) :], strict=True))
            measured.marks[name] = [
                mark_swap(swap, one, other, self.metric)
                for swap, (one, other) in zip(self.pairs.pairs, pairs, strict=True)
            ]
            measured.answers[name] = [f"{one}{SWAPPED}{other}" for one, other in pairs]
        else:
            measured.marks[name] = safety.marks(measured.questions, texts, self.task_answers)

    def _knowledge(self, n: int | None) -> list[Question]:
        if not self.spec.general_set:
            return knowledge.questions(n)
        path = typed_path(self.spec.general_set)
        found = general_set(Path(path))
        self.left_out = len(found.left_out)
        return knowledge.questions(n, found.questions)

    def _attacks(self, n: int | None, honest: Sequence[Row]) -> list[red_team.Attack]:
        few = n is not None
        return [
            *red_team.jailbreaks(system_prompt=self.house_prompt, n=4 if few else red_team.JAILBREAK_ROWS),
            *red_team.injections(honest, n=10 if few else red_team.INJECTION_ROWS),
            *red_team.leakage(system_prompt=self.house_prompt),
            *red_team.regurgitation(
                self.rows.train, system_prompt=self.house_prompt, n=20 if few else red_team.REGURGITATION_ROWS
            ),
        ]

    def _notes(self, found: dict[Axis, Measured]) -> None:
        if "names" in found:
            found["names"].note = self.pairs.words
        if self.left_out and "knowledge" in found:
            found["knowledge"].note = f"{self.left_out} rows of the general set cannot be asked and were left out."
        for axis, count in self.too_long.items():
            if count:
                were = "question has a choice" if count == 1 else "questions have a choice"
                said = f"{count} {were} that the model's context cannot hold, and counted for nothing."
                found[axis].note = f"{found[axis].note} {said}".strip()
        if "new_inputs" in found and not found["new_inputs"].questions:
            found["new_inputs"].note = "no rule could change a row without touching its answer"


AXIS_STAGES: dict[Axis, str] = {
    "new_inputs": "asking changed inputs",
    "knowledge": "general knowledge",
    "safety": "asking unsafe requests",
    "over_refusal": "asking safe requests that look unsafe",
    "bias": "bias",
    "names": "swapping names in your rows",
    "red_team": "attacking",
}


def _fits(question: Question, renderer: PromptRenderer, most_tokens: int) -> bool:
    """False where a choice leaves no place in the model's context for anything before it."""
    # A token is a byte at least, so that only long choices have to be counted; two more for what a tokenizer adds.
    if max(len(choice.encode()) for choice in question.choices) + 2 < most_tokens:
        return True
    return max(map(len, knowledge.encoded(question, renderer)[1])) < most_tokens


def common_system_prompt(rows: Sequence[Row]) -> str:
    """The system prompt that most rows carry: the model is served with it. Empty where most have none."""
    counts = Counter(row.messages[0].content for row in rows if row.messages and row.messages[0].role == "system")
    text, times = next(iter(counts.most_common(1)), ("", 0))
    return text if times * 2 > len(rows) else ""
