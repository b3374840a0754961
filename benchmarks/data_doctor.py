"""How long the check of a data set takes, by part and by rows, and how many near copies it finds; others beside it.

    python -m benchmarks.data_doctor                 10,000, 100,000 and 1,000,000 rows
    python -m benchmarks.data_doctor 10000 100000

Every number comes from a fresh process; those of `datasketch` only where that is installed. What is checked: a chat
file of the wanted rows, and a validation file of a twentieth of them.
"""

from __future__ import annotations

import importlib.util
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.here import here
from benchmarks.other_doctors import (
    MAX_BRUTE_FORCE_ROWS,
    all_pairs,
    cookbook,
    datasketch,
    distinct_texts,
    planted_pairs,
    recall,
)
from benchmarks.support_rows import write_chat

ROOT = Path(__file__).resolve().parents[1]
SIZES = (10_000, 100_000, 1_000_000)
MAX_TRUTH_ROWS = 100_000
FIRST_ROWS = 5_000
PARTS = ("read", "validate", "exact and conflicts", "near", "overlap", "personal data and secrets", "the other checks")
TABLE = """
| rows | whole check | near copies | peak memory | pandas and loops | datasketch, near copies alone |
|---|---|---|---|---|---|"""
CHECK_IDS = (
    *("exact_duplicate", "near_duplicate", "conflicting_labels", "split_overlap", "split_near_overlap"),
    *("pii", "secret"),
)


def make(folder: Path, rows: int) -> dict[str, Any]:
    """Write train.jsonl, validation.jsonl (later rows of the same run) and pairs.json."""
    both = folder / "both.jsonl"
    planted = write_chat(both, rows + rows // 20)
    with both.open(encoding="utf-8") as file:
        for name, count in (("train", rows), ("validation", None)):
            with (folder / f"{name}.jsonl").open("w", encoding="utf-8") as part:
                part.writelines(islice(file, count))
    both.unlink()
    (folder / "pairs.json").write_text(json.dumps(planted.near_pairs))
    return {"mib": (folder / "train.jsonl").stat().st_size / 2**20, "planted": planted.counts}


def parts(folder: Path) -> dict[str, Any]:
    """Seconds of each part, one after the other, as `dataset.check.check` goes through them."""
    from dataset.checks.conflicts import check_conflicts
    from dataset.checks.duplicates import check_exact, check_near
    from dataset.checks.identity import check_identity
    from dataset.checks.labels import check_labels, labels_of
    from dataset.checks.language import check_languages
    from dataset.checks.overlap import check_overlap
    from dataset.checks.privacy import check_privacy
    from dataset.checks.shape import check_shape
    from dataset.checks.spelling import check_spelling
    from dataset.checks.split_classes import check_split_classes
    from dataset.checks.stale import check_stale
    from dataset.checks.tokens import check_tokens
    from dataset.checks.toxicity import check_toxicity
    from dataset.normalise import keys_of
    from dataset.read import read

    seconds = {}
    start = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal start
        seconds[name] = time.perf_counter() - start
        start = time.perf_counter()

    rows = read(folder / "train.jsonl").rows
    lap("read")
    list(check_shape(rows))
    lap("validate")
    keys, labels = keys_of(rows), labels_of(rows)
    list(check_exact(rows, keys))
    list(check_conflicts(rows, keys, labels))
    lap("exact and conflicts")
    list(check_near(rows, keys, labels))
    lap("near")
    held_out = read(folder / "validation.jsonl").rows
    list(check_overlap(rows, keys, held_out))
    list(check_split_classes(labels, held_out))
    lap("overlap")
    list(check_privacy(rows))
    lap("personal data and secrets")
    check_tokens(rows, None, 512)
    list(check_labels(rows, labels))
    list(check_spelling(rows, labels))
    list(check_identity(rows))
    list(check_toxicity(rows))
    list(check_languages(rows))
    list(check_stale(rows, today=date.today()))
    lap("the other checks")
    return {"seconds": seconds}


def whole(folder: Path) -> dict[str, Any]:
    """The check as the command does it: both files read, every check."""
    from dataset.check import check
    from dataset.read import read

    start = time.perf_counter()
    validation = read(folder / "validation.jsonl")
    report = check(read(folder / "train.jsonl"), validation=validation, today=date.today())
    seconds = time.perf_counter() - start
    counts = {found.check: found.count for found in report.findings}
    return {"seconds": seconds, "found": {name: counts.get(name, 0) for name in CHECK_IDS}}


def first(folder: Path) -> dict[str, Any]:
    """The first rows alone, copied from the head of the file: what can be said before the rest is read."""
    from dataset.check import check
    from dataset.read import read

    start = time.perf_counter()
    head = folder / "head.jsonl"
    with (folder / "train.jsonl").open(encoding="utf-8") as file, head.open("w", encoding="utf-8") as copy:
        copy.writelines(islice(file, FIRST_ROWS))
    report = check(read(head), today=date.today())
    return {"seconds": time.perf_counter() - start, "findings": len(report.findings)}


def truth(folder: Path) -> dict[str, Any]:
    """All pairs at 0.8 or more: by brute force where that can be done, else the planted ones. And what we find."""
    from dataset.near import near_duplicates

    path = folder / "train.jsonl"
    pairs = planted_pairs(path, json.loads((folder / "pairs.json").read_text()))
    texts = distinct_texts(path)
    brute = len(texts) <= MAX_BRUTE_FORCE_ROWS
    if brute:
        every = all_pairs(path)
        assert set(pairs) <= set(every), "brute force misses a planted pair"
        pairs = every
    (folder / "true_pairs.json").write_text(json.dumps(pairs))
    near = near_duplicates(texts)
    truly = {index for pair in pairs for index in pair}
    found = recall(pairs, texts, lambda one, other: near.cluster[one] == near.cluster[other])
    return {
        "how": "all pairs" if brute else "planted pairs",
        **found,
        "texts": len(truly),
        "texts found": sum(near.partner[index] >= 0 for index in truly),
        "texts found beyond": sum(partner >= 0 for partner in near.partner) - len(truly),
    }


def theirs(folder: Path) -> dict[str, Any]:
    """datasketch on the same texts."""
    pairs = [(one, other) for one, other in json.loads((folder / "true_pairs.json").read_text())]
    return datasketch(folder / "train.jsonl", pairs)


def plain(folder: Path) -> dict[str, Any]:
    """The cookbook's way."""
    return cookbook(folder / "train.jsonl")


CHILDREN: dict[str, Callable[[Path], dict[str, Any]]]
CHILDREN = {each.__name__: each for each in (parts, whole, first, truth, theirs, plain)}


def in_child(name: str, folder: Path) -> dict[str, Any]:
    """Run one of `CHILDREN` in a fresh process; adds its peak memory in GiB and its processor seconds."""
    command = [sys.executable, "-m", "benchmarks.data_doctor", name, str(folder)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def report(rows: int, folder: Path) -> list[str]:
    """Print what there is to say about one size; the cells of its line in the table."""
    made = make(folder, rows)
    print(f"\n{rows:,} rows ({made['mib']:.0f} MiB) and {rows // 20:,} of validation")
    print(f"  planted in both: {made['planted']}", flush=True)
    by_part = in_child("parts", folder)
    for name in PARTS:
        line(name, rows, {"seconds": by_part["seconds"][name]})
    done = in_child("whole", folder)
    line("the whole check", rows, done)
    cells = [f"{rows:,}", f"{done['seconds']:.1f} s", f"{by_part['seconds']['near']:.1f} s", f"{done['gib']:.1f} GiB"]
    print(f"  found: {done['found']}")
    line(f"first {FIRST_ROWS:,} rows alone", min(rows, FIRST_ROWS), in_child("first", folder))
    done = in_child("plain", folder)
    line("pandas and loops", rows, done)
    cells.append(f"{done['seconds']:.1f} s")
    print(f"  found: {done['format errors']} format errors, {done['repeated']:,} rows repeated byte for byte")
    if rows > MAX_TRUTH_ROWS:
        return [*cells, "not run"]
    done = in_child("truth", folder)
    print(f"  near, ours: {shares(done)} ({done['how']})")
    print(f"  texts in them found: {done['texts found']:,} of {done['texts']:,}; others: {done['texts found beyond']}")
    if importlib.util.find_spec("datasketch") is None:
        print("  datasketch is not installed here")
        return [*cells, "not installed"]
    done = in_child("theirs", folder)
    print(f"  near, datasketch: {shares(done)}")
    line("near, datasketch", rows, done)
    return [*cells, f"{done['seconds']:.1f} s"]


def shares(done: dict[str, Any]) -> str:
    """What part of the true pairs was found."""
    every, hard = f"{done['recall']:.4f} of {done['pairs']:,}", f"{done['hard recall']:.4f} of {done['hard pairs']:,}"
    return f"{every} true pairs, {hard} at 0.80 to 0.85"


def line(name: str, rows: int, done: dict[str, Any]) -> None:
    """One line of the table."""
    used = f"{done['cpu']:8.1f} s of processor {done['gib']:6.2f} GiB at the peak" if "gib" in done else ""
    print(f"  {name:28}{done['seconds']:8.2f} s{done['seconds'] / rows * 1e6:8.1f} µs a row{used}", flush=True)


def main(arguments: list[str]) -> None:
    """Run as a child, or print all sizes."""
    if arguments and arguments[0] in CHILDREN:
        found = CHILDREN[arguments[0]](Path(arguments[1]))
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(json.dumps(found | {"gib": used.ru_maxrss / 2**20, "cpu": used.ru_utime + used.ru_stime}))
        return
    print(here("numpy", "pandas", "scipy", *(["datasketch"] if importlib.util.find_spec("datasketch") else [])))
    table = TABLE
    for rows in [int(argument) for argument in arguments] or SIZES:
        with tempfile.TemporaryDirectory() as folder:
            table += f"\n| {' | '.join(report(rows, Path(folder)))} |"
    print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
