"""Prompts of our own that are mixed into a training: general ones, unsafe requests, and safe ones that look alarming.

`general/*.jsonl` can be read; `safety/*.b64` is packed, as the questions of the judge are. None of them is among the
judge's own questions, nor like one (a test compares them): who trains on what is judged learns nothing about a model.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from core.errors import BadInput, Problem
from core.jobspec import JobSpec
from core.packed import unpack_text

Kind = Literal["general", "unsafe", "safe"]
ROOM = Path(__file__).parent
MOST_MIXED = 0.9
"""Share of the rows that may be mixed in, all kinds together."""


@dataclass(frozen=True, slots=True)
class MixPrompt:
    """One prompt. Its text is left out of `repr`, so that no traceback prints an unsafe one."""

    id: str
    kind: Kind
    language: str
    prompt: str = field(repr=False)


@cache
def prompts(kind: Kind) -> tuple[MixPrompt, ...]:
    """All prompts of one kind, in the order of the files. Raises `BadInput` for files that are broken."""
    try:
        if kind == "general":
            texts = [path.read_text(encoding="utf-8") for path in sorted((ROOM / "general").glob("*.jsonl"))]
        else:
            texts = [unpack_text((ROOM / "safety" / f"{kind}.b64").read_bytes())]
        told = [json.loads(line) for text in texts for line in text.splitlines()]
        found = tuple(MixPrompt(each["id"], kind, each.get("language", "en"), each["prompt"]) for each in told)
    except (OSError, ValueError, KeyError, TypeError):
        found = ()
    if not found:
        raise BadInput("the prompts to mix in are not there.", "Install Tuneworthy from a complete clone.")
    return found


def in_order(kind: Kind, seed: int) -> list[MixPrompt]:
    """All prompts of one kind, in the order in which they are taken: another seed takes others."""
    found = list(prompts(kind))
    random.Random(f"{seed}-mix-{kind}").shuffle(found)
    return found


def wanted(spec: JobSpec, own_rows: int) -> dict[Kind, int]:
    """How many rows of each kind make the shares that are asked for, beside `own_rows`; none for a share of 0."""
    total = own_rows / (1 - spec.mix_general - spec.mix_safety)
    general = max(1, round(spec.mix_general * total)) if spec.mix_general else 0
    safety = max(2, round(spec.mix_safety * total)) if spec.mix_safety else 0
    return {"general": general, "unsafe": safety - safety // 2, "safe": safety // 2}


def mixes(spec: JobSpec) -> bool:
    """Is anything mixed in?"""
    return spec.mix_general > 0 or spec.mix_safety > 0


def mix_problems(spec: JobSpec) -> list[Problem]:
    """What is wrong with the shares of a spec."""
    where = "mix_general"
    if mixes(spec) and spec.objective == "dpo":
        what = "nothing can be mixed into preference pairs."
        return [Problem(what=what, where=where, hint="Leave `mix_general` and `mix_safety` out.")]
    share = spec.mix_general + spec.mix_safety
    if share > MOST_MIXED:
        what = f"{share:.0%} of the rows would be mixed in, and at most {MOST_MIXED:.0%} may be."
        return [Problem(what=what, where=where, hint="Set `mix_general: 0.1` and `mix_safety: 0.03`.")]
    return []
