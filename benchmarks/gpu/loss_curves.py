"""Do our kernels learn what plain PEFT learns? A small real model on real text, the same batches in the same order.

    python -m benchmarks.gpu.loss_curves MODEL ROWS.jsonl [--steps 240] [--device cpu] [--only NAME]...

`ROWS.jsonl` holds one text a line, as `{"text": ...}`. Plain PEFT in bfloat16 runs with two seeds of the adapter: how
far they part is the noise that ours is held against. On a processor products in e4m3 are made in float32 of the rounded
numbers, so the rounding is the card's and the speed is not.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from benchmarks.here import here

RANK = 16
VARIANTS = ("plain", "plain, another seed", "ours", "ours fp8", "plain nf4", "ours nf4", "ours nf4 fp8")


def batches(folder: str, path: Path, steps: int, rows_a_step: int, tokens: int) -> tuple[list[Any], list[Any]]:
    """Training batches and held-out ones, `(rows, tokens)` of ids with the end padded by -1."""
    import torch
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    texts = [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]
    rows = [ids[:tokens] for ids in tokenizer(texts)["input_ids"] if len(ids) > 8]
    random = torch.Generator().manual_seed(0)
    rows = [rows[at] for at in torch.randperm(len(rows), generator=random).tolist()]

    def padded(some: list[list[int]]) -> Any:
        width = max(map(len, some))
        return torch.tensor([row + [-1] * (width - len(row)) for row in some])

    held, rest = rows[: 8 * rows_a_step], rows[8 * rows_a_step :]
    cut = [padded(held[first : first + rows_a_step]) for first in range(0, len(held), rows_a_step)]
    places = [(step * rows_a_step) % (len(rest) - rows_a_step) for step in range(steps)]
    return [padded(rest[first : first + rows_a_step]) for first in places], cut


def model_of(folder: str, words: str, seed: int, device: str) -> Any:
    """The model with fresh adapters."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    four = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    base = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.bfloat16, device_map={"": device}, quantization_config=four if "nf4" in words else None
    )
    torch.manual_seed(seed)
    settings = LoraConfig(
        r=RANK, lora_alpha=2 * RANK, target_modules="all-linear", lora_dropout=0.0, task_type="CAUSAL_LM"
    )
    model = get_peft_model(base, settings)
    for weight in model.parameters():
        if weight.requires_grad:
            weight.data = weight.data.float()
    return model


def run(folder: str, name: str, train: list[Any], held: list[Any], device: str) -> tuple[list[float], float, float]:
    """Loss of each step, held-out loss, tokens a second."""
    import torch

    from training.kernels.install import decoder_of, install
    from training.kernels.loss import answer_loss

    model = model_of(folder, name, seed=1 if "another" in name else 0, device=device)
    ours = name.startswith("ours")
    if ours:
        install(model, fp8="fp8" in name)
    head = model.get_base_model().lm_head.weight
    optimizer = torch.optim.AdamW([w for w in model.parameters() if w.requires_grad], lr=1e-3)

    def loss_of(rows: Any) -> Any:
        ids, labels = rows.clamp(min=0).to(device), torch.where(rows < 0, -100, rows).to(device)
        if not ours:
            with torch.autocast(device, torch.bfloat16):
                return model(input_ids=ids, labels=labels, attention_mask=rows.ge(0).to(device)).loss
        hidden = decoder_of(model)(input_ids=ids, use_cache=False).last_hidden_state
        wanted = labels[:, 1:].reshape(-1)
        return answer_loss(hidden[:, :-1].reshape(wanted.numel(), -1), head, wanted, float((wanted != -100).sum()))

    model.train()
    losses, started = [], time.monotonic()
    for rows in train:
        loss = loss_of(rows)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.detach())
    if device == "cuda":
        torch.cuda.synchronize()
    speed = sum(int(rows.ge(0).sum()) for rows in train) / (time.monotonic() - started)
    with torch.no_grad():
        at_end = sum(float(loss_of(rows)) for rows in held) / len(held)
    return [float(loss) for loss in losses], at_end, speed


def main() -> None:
    """Train each, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("rows", type=Path)
    parser.add_argument("--steps", type=int, default=240)
    parser.add_argument("--rows-a-step", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=256, help="the longest row")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--only", action="append", choices=VARIANTS)
    options = parser.parse_args()
    print(here("torch", "transformers", "peft", "bitsandbytes"), flush=True)
    train, held = batches(options.model, options.rows, options.steps, options.rows_a_step, options.tokens)
    thirds = [slice(0, 40), slice(options.steps // 2 - 20, options.steps // 2 + 20), slice(options.steps - 40, None)]
    print("| variant | first 40 steps | middle 40 | last 40 | held-out rows | mean gap a step to plain | tokens/s |")
    print("|---|---|---|---|---|---|---|", flush=True)
    plain: list[float] = []
    for name in options.only or VARIANTS:
        losses, at_end, speed = run(options.model, name, train, held, options.device)
        plain = losses if name in ("plain", "plain nf4") else plain
        gap = sum(abs(mine - theirs) for mine, theirs in zip(losses, plain or losses, strict=True)) / len(losses)
        cells = [sum(losses[part]) / len(losses[part]) for part in thirds]
        print(
            f"| {name} | " + " | ".join(f"{cell:.4f}" for cell in [*cells, at_end, gap]) + f" | {speed:,.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
