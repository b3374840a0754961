"""Train on rows of token ids with transformers and PEFT alone: a job of Tuneworthy as a plain script.

    python train.py --base MODEL --rows rows.jsonl [--validation validation.jsonl] [--out adapter]

MODEL is a folder or a hub id. A row is {"input_ids": [...], "labels": [...]}; labels are -100 where nothing is learned.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import torch
from peft import IA3Config, LoraConfig, get_peft_model
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, get_linear_schedule_with_warmup, set_seed

from training.row_order import epoch_order

# settings: begin
SETTINGS: dict[str, Any] = {}
# settings: end
IGNORED = -100
CLIP_NORM = 1.0


def read_rows(path: str) -> list[dict[str, list[int]]]:
    """The rows of a JSON Lines file."""
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines() if line.strip()]


def load_model(base: str, device: str, dtype: torch.dtype) -> Any:
    """The base, made to learn as the settings say."""
    told = SETTINGS
    quantised = None
    if told["bits"] == "4":
        quantised = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
        )
    elif told["bits"] == "8":
        quantised = BitsAndBytesConfig(load_in_8bit=True)
    # All weights learn: steps are too small for bfloat16.
    kept_in = torch.float32 if told["method"] == "full" else dtype
    model = AutoModelForCausalLM.from_pretrained(base, dtype=kept_in, quantization_config=quantised)
    if quantised is None:
        model.to(device)
    set_seed(told["seed"])
    if told["method"] == "lora":
        model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", bias="none", **told["lora"]))
    elif told["method"] == "ia3":
        model = get_peft_model(model, IA3Config(task_type="CAUSAL_LM"))
    if told["grad_checkpointing"]:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        model.enable_input_require_grads()
    for weight in model.parameters():
        if weight.requires_grad:
            weight.data = weight.data.float()
    return model.train()


def loss_sum(model: Any, rows: list[dict[str, list[int]]], device: str, dtype: torch.dtype) -> torch.Tensor:
    """Sum of the losses (nats) of the learned tokens of some rows, padded at their end to one length."""
    longest = max(len(row["input_ids"]) for row in rows)

    def padded(name: str, filler: int) -> torch.Tensor:
        return torch.tensor([row[name] + [filler] * (longest - len(row[name])) for row in rows], device=device)

    ids, labels = padded("input_ids", SETTINGS["pad_id"]), padded("labels", IGNORED)
    attended = torch.tensor([[int(at < len(row["input_ids"])) for at in range(longest)] for row in rows], device=device)
    with torch.autocast(device.partition(":")[0], dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
        logits = model(input_ids=ids, attention_mask=attended, use_cache=False).logits
    learned = labels[:, 1:] != IGNORED
    return cross_entropy(logits[:, :-1][learned].float(), labels[:, 1:][learned], reduction="sum")


def learned_tokens(rows: list[dict[str, list[int]]]) -> int:
    """Tokens with a label, but for the first of each row, which nothing predicts."""
    return sum(label != IGNORED for row in rows for label in row["labels"][1:])


def validation_loss(model: Any, rows: list[dict[str, list[int]]], device: str, dtype: torch.dtype) -> float:
    """Mean loss (nats) over the learned tokens."""
    model.eval()
    size = SETTINGS["micro_batch"]
    ordered = sorted(rows, key=lambda row: len(row["input_ids"]))
    parts = [ordered[at : at + size] for at in range(0, len(ordered), size)]
    with torch.inference_mode():
        total = sum(float(loss_sum(model, part, device, dtype)) for part in parts)
    model.train()
    return total / max(1, learned_tokens(rows))


def optimizer_of(model: Any) -> torch.optim.Optimizer:
    """AdamW; factors and biases are not pulled towards zero."""
    learning = [weight for weight in model.parameters() if weight.requires_grad]
    groups = [
        {"params": [weight for weight in learning if weight.ndim > 1], "weight_decay": SETTINGS["weight_decay"]},
        {"params": [weight for weight in learning if weight.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=SETTINGS["learning_rate"])


def train(arguments: argparse.Namespace) -> None:
    """The whole training; leaves the adapter (or model) with the lowest validation loss, else the last one."""
    device = arguments.device or ("cuda" if torch.cuda.is_available() else "cpu")
    dtype = getattr(torch, SETTINGS["precision"])
    rows = read_rows(arguments.rows)
    held_out = read_rows(arguments.validation) if arguments.validation else []
    model = load_model(arguments.base, device, dtype)
    size, step_rows = SETTINGS["micro_batch"], SETTINGS["step_rows"]
    per_epoch = math.ceil(len(rows) / step_rows)
    total = math.ceil(per_epoch * SETTINGS["epochs"])
    optimizer = optimizer_of(model)
    schedule = get_linear_schedule_with_warmup(optimizer, math.ceil(total * SETTINGS["warmup_ratio"]), total)
    lengths = [len(row["input_ids"]) for row in rows]
    best, since_best = math.inf, 0
    for step in range(min(total, arguments.steps or total)):
        torch.manual_seed(hash((SETTINGS["seed"], step, 0)) % 2**63)
        epoch, place = divmod(step, per_epoch)
        order = epoch_order(lengths, step_rows, SETTINGS["seed"], epoch)[place * step_rows : (place + 1) * step_rows]
        chosen = [rows[at] for at in order]
        count, loss = learned_tokens(chosen), 0.0
        for at in range(0, len(chosen), size):
            part = loss_sum(model, chosen[at : at + size], device, dtype) / count
            part.backward()
            loss += float(part.detach())
        if not math.isfinite(loss):
            raise SystemExit(f"The loss is no longer a number at step {step + 1}. Take a lower learning rate.")
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        print(f"step {step + 1} of {total}: loss {loss:.6f}", flush=True)
        if held_out and ((step + 1) % SETTINGS["eval_steps"] == 0 or step + 1 == total):
            found = validation_loss(model, held_out, device, dtype)
            print(f"step {step + 1} of {total}: validation loss {found:.6f}", flush=True)
            since_best = 0 if found < best else since_best + 1
            if found < best:
                best = found
                model.save_pretrained(arguments.out)
            if SETTINGS["early_stopping"] and since_best >= SETTINGS["early_stopping"]:
                print("Stopped early.")
                break
    if not held_out or best == math.inf:
        model.save_pretrained(arguments.out)
    print(f"The result is in {arguments.out}.")


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Where the data and the model are."""
    parser = argparse.ArgumentParser(description="Train as the settings in this file say.")
    parser.add_argument("--base", default=SETTINGS.get("base_model"), help="base model: a folder or a hub id")
    parser.add_argument("--rows", default="rows.jsonl", help="training rows as token ids and labels")
    parser.add_argument("--validation", help="validation rows in the same form")
    parser.add_argument("--out", default="adapter", help="folder for the result")
    parser.add_argument("--device", help="cpu, cuda or cuda:0; the first card where there is one")
    parser.add_argument("--steps", type=int, help="stop after so many steps, to try it out")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    train(options())
