"""Our trainer beside a plain transformers + PEFT loop: same rows, model, adapter, number format and batch size.

    python -m benchmarks.local_training [--steps 24] [--rounds 3]

The two take turns in one process. The plain loop is what a tutorial shows: rows in random order, padded to the longest
of the batch, the model's own loss, AdamW. Tokens are counted without padding. Needs the prepared default model.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import random
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.here import here
from core.base_models import locate
from core.jobspec import JobSpec
from dataset.render import Encoded, Renderer
from training.adapter import BestAdapter
from training.plan import TrainingPlan, make_plan
from training.report import Report
from training.rows import Part, load_part

ROWS = Path(__file__).resolve().parents[1] / "examples" / "course_office" / "train.jsonl"
WARM_UP_STEPS = 2


def ours(spec: JobSpec, plan: TrainingPlan, base: Path, part: Part, steps: int) -> float:
    """Tokens a second of the trainer that jobs use."""
    from training.trainer import build_trainer
    from training.watcher import Watcher

    clock: list[tuple[float, float]] = []

    class Watched(Watcher):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            clock.append((time.perf_counter(), float(trainer._total_train_tokens)))
            control.should_training_stop = len(clock) >= steps + WARM_UP_STEPS
            control.should_save = False

    with tempfile.TemporaryDirectory() as folder:
        watcher = Watched(Report(), lambda: False, BestAdapter(Path(folder), "x", None), None)
        trainer = build_trainer(
            spec, plan, base, part, None,
            checkpoints=Path(folder) / "checkpoints", trackers=[], watcher=watcher, checkpoints_kept=1,
        )  # fmt: skip
        with contextlib.redirect_stdout(io.StringIO()):
            trainer.train()
    (begun, before), (ended, after) = clock[WARM_UP_STEPS - 1], clock[-1]
    return (after - before) / (ended - begun)


def plain(spec: JobSpec, plan: TrainingPlan, base: Path, part: Part, steps: int) -> float:
    """Tokens a second of the loop that a tutorial shows."""
    import torch
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM

    from training.methods.lora import lora_config

    torch.manual_seed(spec.seed)
    dtype = getattr(torch, plan.precision)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base, dtype=dtype), lora_config(spec))
    optimizer = torch.optim.AdamW((w for w in model.parameters() if w.requires_grad), lr=spec.learning_rate)
    model.train()
    tokens, begun = 0, 0.0
    for step, batch in enumerate(
        itertools.islice(batches(part.rows, plan.micro_batch, spec.seed), steps + WARM_UP_STEPS)
    ):
        if step == WARM_UP_STEPS:
            begun = time.perf_counter()
        with torch.autocast("cpu", dtype, enabled=dtype == torch.bfloat16):
            loss = model(**batch, use_cache=False).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        tokens += int(batch["attention_mask"].sum()) if step >= WARM_UP_STEPS else 0
    return tokens / (time.perf_counter() - begun)


def batches(rows: list[Encoded], size: int, seed: int) -> Iterator[dict[str, Any]]:
    """Batches in random order, padded to their longest row, for ever."""
    import torch

    shuffle = random.Random(seed)
    while True:
        order = shuffle.sample(rows, len(rows))
        for start in range(0, len(order) - size + 1, size):
            chosen = order[start : start + size]
            longest = max(len(row.input_ids) for row in chosen)

            def padded(values: Callable[[Encoded], list[int]], fill: int) -> Any:
                return torch.tensor([[*values(row), *[fill] * (longest - len(row.input_ids))] for row in chosen])  # noqa: B023

            yield {
                "input_ids": padded(lambda row: list(row.input_ids), 0),
                "attention_mask": padded(lambda row: [1] * len(row.input_ids), 0),
                "labels": padded(lambda row: list(row.labels), -100),
            }


def main() -> None:
    """Print the ratio of each round and its median."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    spec = JobSpec(dataset=str(ROWS), device="cpu", learning_rate=1e-3)
    base = locate(spec.base_model).path
    if base is None:
        raise SystemExit("Prepare the model first: python -m training.prepare")
    part = load_part(spec, str(ROWS), Renderer.from_folder(base), spec.max_tokens)
    plan = make_plan(spec, base, part, Report())
    print(here("torch", "transformers", "peft", "trl"))
    print(f"{len(part.rows)} rows, {plan.micro_batch} a step, {plan.precision}, {options.steps} steps a round")
    ratios = []
    for turn in range(options.rounds):
        mine, theirs = ours(spec, plan, base, part, options.steps), plain(spec, plan, base, part, options.steps)
        ratios.append(mine / theirs)
        print(f"round {turn + 1}: ours {mine:.0f} tokens/s, plain loop {theirs:.0f} tokens/s, ratio {ratios[-1]:.2f}")
    print(f"median ratio {statistics.median(ratios):.2f} (1 = as fast as the plain loop; higher is better)")


if __name__ == "__main__":
    main()
