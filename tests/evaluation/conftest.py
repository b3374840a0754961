"""A stand-in that answers by a rule and enters by the judge's own door, and a task of tickets to judge it on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from core.home import new_id
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from dataset.row import Message
from evaluation.judged_model import Opened
from serving.completion import Completion

Rule = Callable[[str, bool], str]
"""(the whole prompt, is it the tuned model) -> answer"""


class RuleModel:
    """Answers by a rule. Prompts are code points, so that the rule can read them."""

    context = 100_000

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.asked = 0

    def completions(
        self,
        prompt_ids: list[list[int]],
        *,
        adapter: str | None = None,
        max_new_tokens: int,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[tuple[int, Completion]]:
        for index, ids in enumerate(prompt_ids):
            if stop is not None and stop():
                return
            self.asked += 1
            text = self.rule("".join(map(chr, ids)), adapter is not None)
            cut = text[:max_new_tokens]
            yield index, Completion(text=cut, tokens=len(cut), truncated=cut != text, seconds=0.01)

    def likelihoods(
        self,
        questions: list[tuple[list[int], list[list[int]]]],
        *,
        adapter: str | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[tuple[int, list[float]]]:
        """The rule answers with the text of a choice, which then is the likeliest."""
        for index, (context, choices) in enumerate(questions):
            if stop is not None and stop():
                return
            self.asked += 1
            picked = self.rule("".join(map(chr, context)), adapter is not None)
            texts = ["".join(map(chr, choice)) for choice in choices]
            yield index, [0.0 if text.strip() == picked.strip() else -float(len(text)) for text in texts]


class RuleRenderer:
    def encode_prompt(self, messages: Sequence[Message]) -> list[int]:
        return [ord(letter) for message in messages for letter in f"{message.role}: {message.content}\n"]

    def encode_text(self, text: str, *, start: bool = False) -> list[int]:
        return [ord(letter) for letter in text]

    def count(self, text: str) -> int:
        return len(text)


def ticket(number: int) -> str:
    return json.dumps({"queue": ["rooms", "fees", "exams"][number % 3], "course": f"MAT-{number}"})


def question(prompt: str) -> str:
    """The last user turn of a prompt."""
    return prompt.rsplit("user: ", 1)[1].strip()


def right_answer(prompt: str) -> str:
    return ticket(int(question(prompt).split("MAT-")[1].split()[0].rstrip(".")))


def write_tickets(path: Path, numbers: Sequence[int]) -> Path:
    queues = ["the room is locked", "the bill is wrong", "the exam clashes"]
    lines = []
    for number in numbers:
        user = f"Hello, {queues[number % 3]} in MAT-{number} again."
        turns = [{"role": "user", "content": user}, {"role": "assistant", "content": ticket(number)}]
        lines.append(json.dumps({"messages": turns}))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def tickets(tmp_path: Path) -> JobSpec:
    """An evaluate spec of the task alone: 60 training, 12 validation and 40 held-out tickets, with an adapter named."""
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}")
    (adapter / "adapter_model.safetensors").write_bytes(b"weights")
    return JobSpec(
        kind="evaluate",
        axes=["task"],
        stakes="low",
        device="cpu",
        dataset=str(write_tickets(tmp_path / "train.jsonl", range(100, 160))),
        validation=str(write_tickets(tmp_path / "validation.jsonl", range(200, 212))),
        test=str(write_tickets(tmp_path / "test.jsonl", range(300, 340))),
        adapter=str(adapter),
    )


@pytest.fixture
def open_rule(tmp_path: Path) -> Callable[[RuleModel], Callable[[JobSpec, Path | None], Opened]]:
    base = tmp_path / "base"
    base.mkdir()
    (base / "model.safetensors").write_bytes(b"base")
    return lambda model: lambda spec, adapter: Opened(model, RuleRenderer(), base)


@pytest.fixture
def run() -> Callable[[JobSpec], RunFolder]:
    return lambda spec: RunFolder.create(new_id("job"), spec)
