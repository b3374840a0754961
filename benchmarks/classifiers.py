"""Small classifiers on Banking77: the classic form, and an encoder where a folder or hub id of one is given.

    python -m benchmarks.classifiers PATH/TO/banking77 [ENCODER] [--intents 8|77] [--each N]
        [--learning-rate 2e-4] [--device cpu]

The folder holds train.csv and test.csv (columns text, category), as published by PolyAI; nothing is copied into the
project. With 8 intents the rows are those of `benchmarks.banking77` (25 to learn from and 10 to judge on each), with 77
all of them (10,003 and 3,080), or `--each` to learn from on each intent. No validation rows: an encoder makes all its
passes, and its last weights are judged.
"""

from __future__ import annotations

import argparse
import csv
import random
import tempfile
from pathlib import Path

from backends.chain import judge_spec
from backends.launch import launch, state_of
from benchmarks.banking77 import SEED, draw
from benchmarks.here import here
from commands.jobs import follow
from commands.results import report_of
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.store import open_store
from shelf.weights import size_bytes


def judged(spec: JobSpec) -> str:
    """Train and judge; one line of a table."""
    store = open_store()
    train = launch(store, spec)
    follow(train.id, as_json=False, quiet=True)
    folder = RunFolder.of(train.id)
    outcome = folder.outcome()
    if outcome is None or outcome.state != "succeeded":
        raise SystemExit(f"the training of {spec.name} did not end well: {state_of(train).reason}")
    asked = {"job": train.id, "axes": ["task"], "models": ["tuned"]}
    judge = launch(store, judge_spec(spec).model_copy(update=asked))
    follow(judge.id, as_json=False, quiet=True)
    report = report_of(judge.id)
    task, latency, took = report.models["tuned"]["task"], report.latency["tuned"], outcome.result.measured
    cells = [
        spec.name,
        f"{task.score:.3f} ({task.low:.3f} to {task.high:.3f})",
        f"{report.details.confusion['tuned'].macro_f1:.3f}",
        f"{took.seconds:,.0f} s",
        f"{took.memory_gib:.1f} GiB",
        f"{1000 * latency.p50_seconds:.1f} ms",
        f"{1000 * report.seconds_per_answer['tuned']:.2f} ms",
        f"{size_bytes(folder.classifier) / 2**20:.1f} MiB",
    ]
    return f"| {' | '.join(cells)} |"


def few(source: Path, each: int, out: Path) -> str:
    """`each` rows of every intent, drawn by the seed, as a CSV file in `out`."""
    by_intent: dict[str, list[dict[str, str]]] = {}
    with source.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            by_intent.setdefault(row["category"], []).append(row)
    shuffle = random.Random(SEED)
    chosen = [row for rows in by_intent.values() for row in shuffle.sample(rows, each)]
    shuffle.shuffle(chosen)
    made = out / "few.csv"
    with made.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["text", "category"])
        writer.writeheader()
        writer.writerows(chosen)
    return str(made)


def main() -> None:
    """Both learners, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("encoder", nargs="?")
    parser.add_argument("--intents", type=int, choices=(8, 77), default=8)
    parser.add_argument("--each", type=int, help="rows to learn from on each of 77 intents; all when left out")
    parser.add_argument("--learning-rate", type=float, help="of the encoder; its default when left out")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as out:
        files = {part: str((options.source / f"{part}.csv").resolve()) for part in ("train", "test")}
        if options.intents == 8:
            files = draw(options.source, Path(out))
        elif options.each:
            files["train"] = few(Path(files["train"]), options.each, Path(out))
        rows = {"dataset": files["train"], "test": files["test"], "inputs": ["text"], "output": "category"}
        size = f"{options.intents} intents" + (f", {options.each} rows each" if options.each else "")
        specs = [JobSpec(name=f"classic, {size}", learner="classic", **rows)]
        if options.encoder:
            more = {"learner": "encoder", "encoder": options.encoder, "device": options.device}
            name = f"{Path(options.encoder).name} on {options.device}, {size}"
            if options.learning_rate:
                more |= {"learning_rate": options.learning_rate}
                name += f", {options.learning_rate:g}"
            specs.append(JobSpec(name=name, **rows, **more))
        lines = [judged(spec) for spec in specs]
    print(here("torch", "transformers", "scikit-learn"))
    print("| classifier | exact match | macro F1 | training | memory | one text | in a batch | size |")
    print("|---|---|---|---|---|---|---|---|")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
