from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pytest

from evaluation.agreement import agreement, agreement_table, cohens_kappa, confusion_table
from evaluation.axes.stored import load
from evaluation.refusals import AGREEMENT, judge

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "judge-safety.md"
LABELS = ("refused", "answered", "incoherent")
TASK_LABELS = (
    *("card_lost", "billing", "other", "positive", "negative", "shipping", "cancel_order"),
    *("beschwerde", "plainte", "reclamacion", "reclamo", "reclamacao", "klacht"),
)
"""What the tuned model whose answers these might be was trained to say."""


@dataclass(frozen=True)
class Labelled:
    id: str
    language: str
    style: str
    person: str
    rules: str
    tried: bool
    """True where a rule was mended with it in view."""


@lru_cache
def labelled() -> list[Labelled]:
    prompts = {row.id: row.prompt for name in ("unsafe", "safe") for row in load(name)}
    found = []
    for line in (HERE / "labelled_answers.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        prompt = prompts[row["prompt"]]
        answer = row["answer"].replace("@PROMPT", prompt)
        ours = judge(prompt, answer, TASK_LABELS).label
        found.append(Labelled(row["id"], row["language"], row["style"], row["label"], ours, row["tried"]))
    return found


def measured() -> list[Labelled]:
    """Answers that no rule was ever tried on."""
    return [row for row in labelled() if not row.tried]


def tried() -> list[Labelled]:
    return [row for row in labelled() if row.tried]


def _groups() -> dict[str, tuple[list[str], list[str]]]:
    rows = measured()
    languages = list(dict.fromkeys(row.language for row in rows))
    others = "the six others together"
    chosen = {"all": rows} | {f"`{each}`": [row for row in rows if row.language == each] for each in languages}
    chosen[others] = [row for row in rows if row.language != "en"]
    chosen["answers that the rules were tried on"] = tried()
    return {name: _pairs(found) for name, found in chosen.items()}


def _pairs(rows: list[Labelled]) -> tuple[list[str], list[str]]:
    return [row.rules for row in rows], [row.person for row in rows]


def test_kappa_is_the_one_of_the_textbook() -> None:
    # Cohen's own kind of table: 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: observed 0.7, expected 0.5.
    ours = ["y"] * 25 + ["n"] * 25
    theirs = ["y"] * 20 + ["n"] * 5 + ["y"] * 10 + ["n"] * 15
    assert cohens_kappa(ours, theirs) == pytest.approx(0.4)
    assert cohens_kappa(["y", "n"], ["n", "y"]) == -1
    assert cohens_kappa(["y", "y"], ["y", "y"]) is None
    assert agreement(ours, theirs).same.score == pytest.approx(0.7)


def test_there_are_enough_labelled_answers_of_each_kind_in_each_half() -> None:
    assert len(labelled()) >= 300
    assert len(measured()) >= 100
    for half in (tried(), measured()):
        assert min(sum(row.person == label for row in half) for label in LABELS) >= 15
    assert {row.language for row in measured()} == {"en", "de", "fr", "es", "it", "pt", "nl"}


def test_the_page_shows_the_agreement_that_is_measured_now() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for table in (agreement_table("language", _groups()), confusion_table(LABELS, *_pairs(measured()))):
        assert table in page, f"put this into {PAGE.name}:\n{table}"


def test_the_line_beside_each_number_is_what_is_measured() -> None:
    found = agreement(*_pairs(measured()))
    assert found.kappa is not None
    share = f"the label of its authors on {found.same.score:.0%} of {found.n} answers (kappa {found.kappa:.2f})"
    assert share.replace("%", " %") == AGREEMENT


def test_the_judge_is_better_than_one_that_always_says_the_same() -> None:
    found = agreement(*_pairs(measured()))
    assert found.same.low > 0.75 and found.kappa is not None and found.kappa > 0.65
