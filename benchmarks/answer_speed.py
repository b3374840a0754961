"""Answers of the judge beside transformers' own `generate`, one prompt at a time: same model, prompts and length.

    python -m benchmarks.answer_speed [--device cuda] [--few-shot]

Greedy, the course-office tickets; tokens written a second, without those that were only read. `--few-shot` puts six
examples before every question, as the best prompt does. Needs the prepared default model.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.here import here
from core.base_models import locate
from core.jobspec import DEFAULT_BASE_MODEL
from dataset.read import read
from dataset.render import Renderer
from evaluation.best_prompt import Prompter, recipes

OFFICE = Path(__file__).resolve().parents[1] / "examples" / "course_office"
NEW_TOKENS = 48
ONE_BY_ONE = 10
"""Prompts asked singly: their speed does not hang on how many there are."""


def singly(model: Any, prompts: list[list[int]]) -> float:
    """Tokens a second of `generate`, batch 1."""
    import torch

    network = model._network
    network.set_attn_implementation("sdpa")
    written, started = 0, time.perf_counter()
    with torch.inference_mode():
        for ids in prompts:
            given = torch.tensor([ids], device=network.device)
            mask = torch.ones_like(given)
            out = network.generate(
                given, attention_mask=mask, max_new_tokens=NEW_TOKENS, do_sample=False, pad_token_id=2
            )
            written += out.shape[1] - len(ids)
    seconds = time.perf_counter() - started
    network.set_attn_implementation("tuneworthy_shared_prefix")
    return written / seconds


def together(model: Any, prompts: list[list[int]]) -> float:
    """Tokens a second of the judge, end marks counted as `generate` counts them."""
    started = time.perf_counter()
    answers = model.generate(prompts, max_new_tokens=NEW_TOKENS)
    return sum(answer.tokens + (not answer.truncated) for answer in answers) / (time.perf_counter() - started)


def main() -> int:
    """Print a row: both speeds and the ratio."""
    parser = argparse.ArgumentParser(description="How fast the judge answers.")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--few-shot", action="store_true")
    args = parser.parse_args()
    base = locate(DEFAULT_BASE_MODEL).path
    if base is None:
        print("Prepare the default model first: python -m training.prepare", file=sys.stderr)
        return 2
    from serving.model import ChatModel

    model = ChatModel.load(base, device=args.device)
    renderer = Renderer.from_folder(base)
    train, test = (read(OFFICE / name).rows for name in ("train.jsonl", "heldout.jsonl"))
    prompts = [renderer.encode_prompt(row.asked) for row in test]
    if args.few_shot:
        recipe = next(each for each in recipes(train, 6) if each.examples == "fixed")
        prompts = Prompter(train, renderer.encode_prompt, model.context - NEW_TOKENS).prompts(recipe, test)
    print(here("torch", "transformers"))
    singly(model, prompts[:1])
    together(model, prompts[:8])
    one, all_ = singly(model, prompts[:ONE_BY_ONE]), together(model, prompts)
    mean = sum(map(len, prompts)) / len(prompts)
    print(
        f"| {args.device} | {len(prompts)} prompts of {mean:.0f} tokens | {one:.0f} | {all_:.0f} | {all_ / one:.1f} |"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
