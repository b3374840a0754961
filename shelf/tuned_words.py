"""What a tuned model of each method is called, and how it is loaded elsewhere."""

from __future__ import annotations

import json

from core.jobspec import JobSpec

NOUN = {
    "lora": "LoRA adapter",
    "prefix": "prefix tuning adapter",
    "prompt": "prompt tuning adapter",
    "ia3": "(IA)3 adapter",
    "bottleneck": "set of adapter layers",
}
TAG = {
    "lora": "lora",
    "full": "full-fine-tuning",
    "prefix": "prefix-tuning",
    "prompt": "prompt-tuning",
    "ia3": "ia3",
    "bottleneck": "adapter-layers",
}
_OWN = "bottleneck"


def is_whole(spec: JobSpec) -> bool:
    """Was every weight tuned, so that a whole model was left?"""
    return spec.method.kind == "full"


def settings_words(spec: JobSpec) -> str:
    """`LoRA rank 16, alpha 32`, and the like for the others."""
    method = spec.method
    scaled = " rank-stabilised," if method.rslora else ""
    words = {
        "lora": f"{'DoRA' if method.dora else 'LoRA'}{scaled} rank {method.rank}, alpha {method.alpha}",
        "full": "full fine-tuning",
        "prefix": f"prefix tuning, {method.virtual_tokens} places",
        "prompt": f"prompt tuning, {method.virtual_tokens} places",
        "ia3": "(IA)3",
        "bottleneck": f"adapter layers of width {method.bottleneck_size} ({method.placement})",
    }[method.kind]
    return words if method.bits == "16" else f"{words}, over a base in {method.bits} bits"


def is_a(spec: JobSpec, base: str) -> str:
    """`A LoRA adapter for `base``."""
    if is_whole(spec):
        return f"A whole model, every weight of it tuned from `{base}`"
    noun = NOUN[spec.method.kind]
    return f"{'An' if noun.startswith('(') else 'A'} {noun} for `{base}`"


def bound_words(spec: JobSpec) -> str:
    """What it needs beside it."""
    if is_whole(spec):
        return "It is a model by itself: it needs no base, and bears the licence of the one that it was tuned from."
    return "An adapter means something only beside the base that it was trained on."


def opened_with(spec: JobSpec) -> str:
    """The library that loads it."""
    if spec.method.kind == _OWN:
        return "Tuneworthy alone"
    return "transformers" if is_whole(spec) else "PEFT"


def library_name(spec: JobSpec) -> str | None:
    """As the Hub has it; None where no library of the Hub loads it."""
    return None if spec.method.kind == _OWN else opened_with(spec).lower()


def loading_code(spec: JobSpec, base: str, revision: str | None) -> list[str]:
    """How it is loaded elsewhere, as paragraphs of a card."""
    if spec.method.kind == _OWN:
        return ["PEFT has no such method, so these files are of our own form: Tuneworthy alone loads them."]
    pinned = f", revision={json.dumps(revision)}" if revision else ""
    if is_whole(spec):
        lines = [
            "from transformers import AutoModelForCausalLM, AutoTokenizer\n",
            'tokenizer = AutoTokenizer.from_pretrained(".")',
            'model = AutoModelForCausalLM.from_pretrained(".")  # this folder',
        ]
    else:
        lines = [
            "from peft import PeftModel",
            "from transformers import AutoModelForCausalLM, AutoTokenizer\n",
            f"base = {json.dumps(base)}",
            f"tokenizer = AutoTokenizer.from_pretrained(base{pinned})",
            f"model = AutoModelForCausalLM.from_pretrained(base{pinned})",
            'model = PeftModel.from_pretrained(model, ".")  # this folder',
        ]
    return [f"```python\n{chr(10).join(lines)}\n```"]
