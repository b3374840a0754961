"""The same journey on 8 of the intents of Banking77: a task on which tuning an LLM is the wrong answer.

    python -m benchmarks.banking77 PATH/TO/banking77

The folder holds train.csv and test.csv (columns text, category), as published by PolyAI. 25 training rows an intent and
10 held-out rows an intent, drawn with a fixed seed; nothing is copied into the project.
"""

from __future__ import annotations

import csv
import random
import sys
import tempfile
from pathlib import Path

from backends.chain import judge_spec
from backends.launch import launch
from benchmarks.here import here
from commands.jobs import follow
from commands.judged import print_report
from commands.results import report_of
from core.jobspec import JobSpec
from core.store import open_store

INTENTS = (
    "card_arrival",
    "card_not_working",
    "cash_withdrawal_charge",
    "exchange_rate",
    "lost_or_stolen_card",
    "pending_transfer",
    "request_refund",
    "top_up_failed",
)
ROWS_EACH = {"train": 25, "test": 10}
SEED = 7


def draw(source: Path, out: Path) -> dict[str, str]:
    """The two parts as CSV files in `out`."""
    shuffle = random.Random(SEED)
    files = {}
    for part, count in ROWS_EACH.items():
        with (source / f"{part}.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        chosen = [
            row for intent in INTENTS for row in shuffle.sample([r for r in rows if r["category"] == intent], count)
        ]
        shuffle.shuffle(chosen)
        files[part] = str(out / f"{part}.csv")
        with open(files[part], "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, ["text", "category"])
            writer.writeheader()
            writer.writerows(chosen)
    return files


def main() -> None:
    """Tune, judge, print the table."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    with tempfile.TemporaryDirectory() as out:
        files = draw(Path(sys.argv[1]), Path(out))
        spec = JobSpec(
            name="Banking77, 8 intents",
            dataset=files["train"],
            test=files["test"],
            inputs=["text"],
            output="category",
            learning_rate=1e-3,
        )
        store = open_store()
        train = launch(store, spec)
        follow(train.id, as_json=False)
        judge = launch(store, judge_spec(spec).model_copy(update={"job": train.id, "axes": ["task"]}))
        follow(judge.id, as_json=False, quiet=True)
        print(here("torch", "transformers", "peft", "trl", "scikit-learn"))
        print_report(report_of(judge.id))


if __name__ == "__main__":
    main()
