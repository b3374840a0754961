"""Counts on real data against those that somebody else took by comparing each text with each, and the page about it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dataset.check import check
from dataset.read import read

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "data-truth.md"
NEAR_TOLERANCE = 0.02
_NUMBER = re.compile(r"[\d,]+")


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    name: str
    """First cell."""
    folder: str
    train: str
    train_is: str
    """What the line of SOURCE.md that holds the truth begins with."""
    held_out: str = ""
    held_out_name: str = ""
    held_out_is: str = ""
    columns: dict[str, Any] = field(default_factory=dict)


SLOTS = {"inputs": ["userInput.text", "context.requestedSlots"], "output": "labels"}
FIRST_INSTANCE = {"inputs": ["instruction", "instances.0.input"], "output": "instances.0.output"}
SQL, GOLD = "Lamini text-to-SQL", ("gold_test.jsonl", "gold test")
CASES = [
    Case(
        *("BANKING77 train", "banking77", "train.csv", "banking77 train"),
        *("test.csv", "test", "banking77 test vs train"),
    ),
    *(
        Case(
            *("Bitext support train", "bitext_support", "train.csv", "bitext train"),
            *(f"{part}.csv", part, f"bitext {part} vs train"),
        )
        for part in ("test", "dev")
    ),
    *(
        Case(
            *(f"{SQL} {part}", "lamini_text2sql", f"{part}.jsonl", f"lamini {part}"),
            *(*GOLD, f"lamini gold_test vs {part}"),
        )
        for part in ("raw", "filtered", "cleaned")
    ),
    Case(
        *("Restaurant-8k train 3", "restaurant8k", "train_3.json", "restaurant8k train_3"),
        *("test.json", "test", "restaurant8k test vs train_3", SLOTS),
    ),
    Case(
        *("GSM8K train, part", "gsm8k", "train_part.jsonl", "gsm8k train_part"),
        *("test_part.jsonl", "test, part", "gsm8k test_part vs train_part"),
    ),
    Case("PubMedQA, part", "pubmedqa", "ori_pqal_part.json", "pubmedqa"),
    Case(
        *("Self-Instruct seed tasks", "alpaca_seed_tasks", "seed_tasks.jsonl", "alpaca_seed_tasks"),
        columns=FIRST_INSTANCE,
    ),
]
IDS = [f"{case.name} {case.held_out_name}".strip() for case in CASES]


def truth(folder: Path, case: Case) -> list[int]:
    """(rows, repeated, near, conflicts[, held-out rows, in training, equal or near]) as SOURCE.md has them."""
    text = (folder / case.folder / "SOURCE.md").read_text(encoding="utf-8")
    of_file = re.search(
        rf"^- {re.escape(case.train_is)}: (\d+) rows: repeated inputs exact \d+, normalised (\d+).*?"
        r"near \d+ pairs / (\d+) rows; conflicting inputs (\d+)",
        text,
        re.MULTILINE,
    )
    assert of_file, f"SOURCE.md has no line of {case.train_is}"
    numbers = [int(number) for number in of_file.groups()]
    if case.held_out:
        across = re.search(
            rf"^- {re.escape(case.held_out_is)}: of (\d+): exact \d+, normalised (\d+), near or same (\d+)",
            text,
            re.MULTILINE,
        )
        assert across, f"SOURCE.md has no line of {case.held_out_is}"
        numbers += [int(number) for number in across.groups()]
    return numbers


def ours(folder: Path, case: Case) -> list[int]:
    """The same numbers as `check` counts them."""
    data = read(folder / case.folder / case.train, **case.columns)
    held_out = read(folder / case.folder / case.held_out, **case.columns) if case.held_out else None
    report = check(data, validation=held_out, today=date(2026, 1, 1)).model_dump()
    return counted(report, None if held_out is None else len(held_out.rows))


def counted(report: dict[str, Any], held_out_rows: int | None) -> list[int]:
    counts = {found["check"]: found["count"] for found in report["findings"]}
    own = [counts.get(name, 0) for name in ("exact_duplicate", "near_duplicate", "conflicting_labels")]
    if held_out_rows is None:
        return [report["rows"], *own]
    same = counts.get("split_overlap", 0)
    return [report["rows"], *own, held_out_rows, same, same + counts.get("split_near_overlap", 0)]


def agree(true: list[int], found: list[int]) -> bool:
    """Rows, exact counts and conflicts exactly; near counts within 2 %."""
    near = (2, 6)
    return len(true) == len(found) and all(
        abs(a - b) <= NEAR_TOLERANCE * a if place in near else a == b
        for place, (a, b) in enumerate(zip(true, found, strict=True))
    )


def printed() -> dict[tuple[str, str], tuple[list[int], list[int]]]:
    """{(first cell, compared with): (truth, ours)} of the table on the page."""
    rows = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|") or len(cells) != 9 or not _NUMBER.fullmatch(cells[1]):
            continue
        true, found = [], []
        for cell in (*cells[1:5], *cells[6:]):
            numbers = [int(number.replace(",", "")) for number in _NUMBER.findall(cell)]
            true += numbers[:1]
            found += numbers[-1:]
        rows[cells[0], cells[5]] = (true, found)
    return rows


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_what_is_counted_is_the_truth_and_what_the_page_prints(case: Case, shared: Path) -> None:
    true, found = truth(shared / "data", case), ours(shared / "data", case)
    assert agree(true, found)
    assert printed()[case.name, case.held_out_name] == (true, found)


def test_the_page_prints_the_cases_and_no_others() -> None:
    rows = printed()
    assert list(rows) == [(case.name, case.held_out_name) for case in CASES]
    assert all(agree(true, found) for true, found in rows.values())


def test_a_near_count_may_be_off_by_a_fiftieth_and_an_exact_one_by_nothing() -> None:
    assert agree([1000, 10, 200, 1], [1000, 10, 196, 1])
    assert not agree([1000, 10, 200, 1], [1000, 10, 195, 1])
    assert not agree([1000, 10, 200, 1], [1000, 11, 200, 1])


def test_the_command_prints_the_same_counts(shared: Path) -> None:
    folder = shared / "data" / "banking77"
    command = ["tuneworthy.py", "check", str(folder / "train.csv"), "--validation", str(folder / "test.csv"), "--json"]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr  # there are errors: rows of the test stand in training
    assert counted(json.loads(done.stdout), 3080) == truth(shared / "data", CASES[0])
