"""Two answers to the same row side by side, who is who unknown: what a person picks, and what the picks say.

Kept as `picks.json` in the job's folder. Nothing is counted out loud before the end: who looks at the tally and goes on
until it pleases will always win.
"""

from __future__ import annotations

import hashlib
import json
import random
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import BadInput
from core.run_folder import RunFolder, write_atomically
from evaluation.report import EvaluationReport, ModelName
from evaluation.stats import SIGNIFICANT, luck, mcnemar_exact

Pick = Literal["left", "right", "same"]
FEWEST = 10
"""Picks before the end may be called: of fewer than 6 that differ not even all on one side would be beyond luck."""
MOST = 40
RIVALS: tuple[ModelName, ...] = ("best_prompt", "base")
"""Whom the tuned model is shown against: the first of these that was judged."""
_writing = threading.Lock()


@dataclass(frozen=True)
class BlindPair:
    """One row with two answers. Pages show neither name before the end."""

    key: str
    line: int
    asked: str
    left: str
    right: str
    left_model: str
    right_model: str

    def model_of(self, pick: Pick) -> str:
        """The name behind a pick, or same."""
        return {"left": self.left_model, "right": self.right_model, "same": "same"}[pick]


class Picks(BaseModel):
    """What was picked, by the key of the pair, and when the end was called."""

    model_config = ConfigDict(extra="ignore")
    version: int = 1
    picks: dict[str, Pick] = {}
    ended_at: datetime | None = None


@dataclass(frozen=True)
class PickCount:
    """The picks, names known."""

    rival: str
    tuned: int
    """Picks of the tuned model."""
    other: int
    same: int
    who: str = "You prefer"

    @property
    def p_value(self) -> float:
        """Exact two-sided binomial test: could a fair coin have picked like this? `same` decides nothing."""
        return mcnemar_exact(self.tuned, self.other)

    @property
    def sentence(self) -> str:
        """`the tuned model was picked 14 times, the base with its best prompt 3 times, ...`."""
        rival = {"best_prompt": "the base with its best prompt", "base": "the base"}[self.rival]
        counts = f"The tuned model was picked {_times(self.tuned)}, {rival} {_times(self.other)}"
        counts += f", and {_times(self.same)} there was no difference"
        if self.tuned + self.other == 0:
            return f"{counts}: they cannot be told apart."
        return f"{counts}; {luck(self.p_value)}. {self._verdict(rival)}"

    def _verdict(self, rival: str) -> str:
        if self.p_value >= SIGNIFICANT:
            return "Neither is shown to be the better one."
        return f"{self.who} {'the tuned model' if self.tuned > self.other else rival}."


def rival_of(report: EvaluationReport) -> ModelName | None:
    """Whom the tuned model is shown against; None without two models to show."""
    return rival_among(report.models)


def rival_among(models: Collection[str]) -> ModelName | None:
    """The rival among these; None where it or the tuned model is missing."""
    return next((name for name in RIVALS if name in models), None) if "tuned" in models else None


def pairs(report: EvaluationReport, most: int = MOST) -> list[BlindPair]:
    """Rows on which both say something different, shuffled by the judgement's seed, each side drawn by lot."""
    rival = rival_of(report)
    if rival is None:
        return []
    found = []
    for row in report.answers:
        tuned, other = row.answers.get("tuned", ""), row.answers.get(rival, "")
        if row.in_training or " ".join(tuned.split()) == " ".join(other.split()):
            continue
        key = hashlib.sha256(json.dumps([row.line, row.input, tuned, other]).encode()).hexdigest()[:24]
        # By the seed and the pair alone, so that it stays where it was when other rows come or go.
        first = random.Random(f"{report.seed} {key}").random() < 0.5
        sides = (("tuned", tuned), (rival, other)) if first else ((rival, other), ("tuned", tuned))
        (left_model, left), (right_model, right) = sides
        found.append(BlindPair(key, row.line, row.input, left, right, left_model, right_model))
    found.sort(key=lambda each: each.key)
    random.Random(report.seed).shuffle(found)
    return found[:most]


def count(asked: Sequence[BlindPair], picks: Mapping[str, Pick]) -> PickCount:
    """What was picked of these pairs. Needs at least one pair."""
    by_model = {"tuned": 0, "same": 0}
    rival = next(name for name in (asked[0].left_model, asked[0].right_model) if name != "tuned")
    by_model[rival] = 0
    for pair in asked:
        pick = picks.get(pair.key)
        if pick is not None:
            by_model[pair.model_of(pick)] += 1
    return PickCount(rival, by_model["tuned"], by_model[rival], by_model["same"])


def picks_file(folder: RunFolder) -> Path:
    """Where the picks of a judgement are."""
    return folder.path / "picks.json"


def read_picks(folder: RunFolder) -> Picks:
    """The picks so far, none before the first. Raises `BadInput` for a file that is not ours."""
    path = picks_file(folder)
    try:
        return Picks.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Picks()
    except ValidationError as error:
        raise BadInput("holds no picks.", "Move it away and compare again.", file=str(path)) from error


def keep_pick(folder: RunFolder, key: str, pick: Pick | None) -> Picks:
    """Keep one pick at once, None to take it back. Raises `BadInput` after the end, `StoreError` where it fails."""
    with _writing:
        found = read_picks(folder)
        if found.ended_at is not None:
            raise BadInput("this comparison has ended: who is who was shown.", "Judge anew to compare again.")
        found.picks.pop(key, None)
        if pick is not None:
            found.picks[key] = pick
        write_atomically(picks_file(folder), found.model_dump_json(indent=1))
    return found


def end(folder: RunFolder) -> Picks:
    """Call the end: from now on names are shown and nothing can be picked. Safe twice."""
    with _writing:
        found = read_picks(folder)
        if found.ended_at is None:
            found.ended_at = datetime.now(UTC)
            write_atomically(picks_file(folder), found.model_dump_json(indent=1))
    return found


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
