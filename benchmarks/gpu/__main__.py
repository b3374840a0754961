"""Tokens a second of trainers on one card, on a model of Llama-3.1-8B's shape; each in a process of its own.

    python -m benchmarks.gpu [--folder MODEL] [--tokens 2048] [--rows 4] [--steps 8] [--only NAME]...

Prints a line of JSON for each variant and a Markdown table at the end. Where a peer is not installed its row says so.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.here import here

VARIANTS = (
    "ours",
    "ours fp8",
    "ours nf4",
    "ours nf4 fp8",
    "ours nf4 tight",
    "ours nf4 fp8 tight",
    "unsloth",
    "unsloth offloaded",
    "unsloth nf4",
    "unsloth nf4 offloaded",
    "peft checkpointing",
    "peft liger",
    "peft nf4 checkpointing",
    "trl liger",
    "trl nf4 defaults",
)
SHORT_MEAN = 200
MARK = "RESULT "


def lengths(options: argparse.Namespace) -> list[list[int]]:
    """Tokens of each row of each batch: full rows, or short ones of uneven length with `--short`."""
    import random

    steps = options.steps + 3
    if not options.short:
        return [[options.tokens] * options.rows for _ in range(steps)]
    chance = random.Random(0)
    each = [max(16, min(1024, round(chance.lognormvariate(5.05, 0.7)))) for _ in range(steps * options.rows)]
    if options.by_length:
        each.sort()
    batches = [each[first : first + options.rows] for first in range(0, len(each), options.rows)]
    chance.shuffle(batches)
    return batches


def main() -> int:
    """Run what was asked. 1 where a variant failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/llama-8b-shape"))
    parser.add_argument("--tokens", type=int, default=2048)
    parser.add_argument("--rows", type=int, default=4)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--short", action="store_true", help=f"rows of {SHORT_MEAN} tokens in the mean, uneven")
    parser.add_argument("--by-length", action="store_true", help="with --short: rows of like length together")
    parser.add_argument("--only", action="append", help="a variant; may be given again")
    parser.add_argument("--alone", help="run this variant here, in this process")
    options = parser.parse_args()
    if options.alone:
        return _alone(options)
    names = options.only or list(VARIANTS)
    if not options.folder.exists() and any("nf4" in name or name.split()[0] in ("unsloth", "trl") for name in names):
        from benchmarks.gpu.shape import save

        save(options.folder)
    print(here("torch", "transformers", "peft", "trl", "bitsandbytes", "liger_kernel", "unsloth"), flush=True)
    found = [_run(name) for name in names]
    print("| variant | tokens/s | peak GiB (reserved) | first step | spread of steps |\n|---|---|---|---|---|")
    for name, result in zip(names, found, strict=True):
        print(_row(name, result))
    return 0 if all("tokens_per_second" in result for result in found) else 1


def _alone(options: argparse.Namespace) -> int:
    from benchmarks.gpu.variants import FAMILIES

    family, *words = options.alone.split()
    result = FAMILIES[family](set(words), str(options.folder), lengths(options))
    print(
        MARK + json.dumps({"variant": options.alone, **{key: round(value, 4) for key, value in result.items()}}),
        flush=True,
    )
    return 0


def _run(name: str) -> dict[str, float | str]:
    started = time.monotonic()
    arguments = [each for each in sys.argv[1:]]
    environment = os.environ | {
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "UNSLOTH_DISABLE_STATISTICS": "1",
        "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True",
    }
    command = [sys.executable, "-m", "benchmarks.gpu", *arguments, "--alone", name]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if not lines:
        why = ([line for line in done.stderr.strip().splitlines() if line.strip()] or ["no output"])[-1]
        print(done.stderr[-1500:], file=sys.stderr, flush=True)
        return {"error": why[:160]}
    found: dict[str, float | str] = json.loads(lines[-1].removeprefix(MARK))
    print(f"{lines[-1].removeprefix(MARK)}  [{time.monotonic() - started:.0f} s]", flush=True)
    return found


def _row(name: str, found: dict[str, float | str]) -> str:
    if "error" in found:
        return f"| {name} | not run: {found['error']} | | | |"
    return (
        f"| {name} | {found['tokens_per_second']:,.0f} | {found['peak_gib']:.1f} ({found['reserved_gib']:.1f}) | "
        f"{found['first_step_s']:.1f} s | {found['spread']:.0%} |"
    )


if __name__ == "__main__":
    sys.exit(main())
