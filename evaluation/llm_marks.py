"""Marks that a hosted model gave as a judge, as the job's folder keeps them and pages read them: `llm_judge.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import BadInput
from core.run_folder import RunFolder, write_atomically
from evaluation.stats import Interval, wilson

RUBRIC = "marks 1"
"""Name and version: stands beside every number. Other words of the prompt are a new version."""
GOOD_FROM = 4
"""Mark from which an answer counts as right, where right or wrong is asked."""


Choice = Literal["first", "second", "neither", "swayed"]
"""swayed: the judge took the other one when they changed places, so it said nothing about the answers."""


class LlmMarks(BaseModel):
    """What one judge made of one model's answers."""

    model_config = ConfigDict(extra="ignore")
    marks: dict[int, int | None] = {}
    """{line of the held-out row: mark from 1 to 5, None for a reply without one}."""

    @property
    def mean(self) -> float | None:
        """Mean mark of the replies that have one."""
        found = [mark for mark in self.marks.values() if mark is not None]
        return sum(found) / len(found) if found else None

    @property
    def good(self) -> Interval:
        """Share of marks from 4 on, with its 95 % Wilson interval; replies without a mark are left out."""
        found = [mark for mark in self.marks.values() if mark is not None]
        return wilson(sum(mark >= GOOD_FROM for mark in found), len(found))

    @property
    def unread(self) -> int:
        """Replies without a mark."""
        return sum(mark is None for mark in self.marks.values())


class LlmJudgement(BaseModel):
    """`llm_judge.json` in the job's folder: the marks, and who gave them."""

    model_config = ConfigDict(extra="ignore")
    version: int = 1
    judge: str
    """The model's name and its host: `gpt-4.1-mini at api.openai.com`."""
    rubric: str = RUBRIC
    not_greedy: bool = False
    """The host takes no temperature: asked again, it might give other marks."""
    models: dict[str, LlmMarks] = {}
    rival: str = ""
    """Whom the tuned model's answers were held against; empty where nobody was."""
    choices: dict[int, Choice | None] = {}
    """{line: the better answer}: first is the tuned model's, second the rival's; None for a reply without one."""

    def picked(self, line: int) -> str | None:
        """tuned, the rival's name, or same, as a person picks; None where it was not asked or did not say."""
        names = {"first": "tuned", "second": self.rival, "neither": "same", "swayed": "same"}
        choice = self.choices.get(line)
        return None if choice is None else names[choice]

    def label(self, model: str, line: int) -> str | None:
        """right or wrong, as a person is asked; None where there is no mark."""
        marks = self.models.get(model)
        mark = marks.marks.get(line) if marks else None
        return None if mark is None else "right" if mark >= GOOD_FROM else "wrong"


def marks_file(folder: RunFolder) -> Path:
    """Where the marks of a judgement are."""
    return folder.path / "llm_judge.json"


def keep_marks(folder: RunFolder, judgement: LlmJudgement) -> None:
    """Written whole or not at all."""
    write_atomically(marks_file(folder), judgement.model_dump_json(indent=1))


def read_marks(folder: RunFolder) -> LlmJudgement | None:
    """The marks, None where no such judge was asked. Raises `BadInput` for a file that is not ours."""
    path = marks_file(folder)
    try:
        return LlmJudgement.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise BadInput("holds no marks of a judge.", "Judge the model again.", file=str(path)) from error
