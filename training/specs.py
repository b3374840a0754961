"""What this release can train, said before anything is loaded. No heavy imports: engines and pages call this."""

from __future__ import annotations

import importlib.util
import math
import re

from core.errors import BadInput, Problem
from core.jobspec import JobSpec
from core.machine import machine, resolve_device
from training.classifier_specs import check_classifier_spec
from training.methods import METHODS
from training.mix_prompts import mix_problems
from training.pairs import preference_problems

TRACKERS = ("tensorboard", "mlflow", "wandb", "trackio")
STACKS = ("peft", "tuneworthy")
NOT_YET = "not in this release."
HOPPER = re.compile(r"\b(GH?200|[HB][1-3]00|H20|H800|GB[23]00)\b", re.IGNORECASE)
"""Cards that compute in fp8 row by row."""
_LAYER_NAME = re.compile(r"[A-Za-z_][\w.]*")


def check_train_spec(spec: JobSpec) -> list[Problem]:
    """Everything in a train spec that this release cannot honour, all at once. Touches no file and no network."""
    if spec.learner != "llm":
        return check_classifier_spec(spec)
    found = _method_problems(spec)
    if spec.packing:
        found.append(_not_yet("packing", "packing", "Set `packing: false`; rows of like length are batched together."))
    found += mix_problems(spec)
    found += preference_problems(spec)
    if spec.n_gpus > 1:
        found += _cards_problems(spec)
    if spec.stack not in STACKS:
        found.append(_not_yet("stack", f"the stack `{spec.stack}`", "Use `peft` or `tuneworthy`."))
    if spec.stack == "tuneworthy" and spec.objective == "dpo":
        what = "our layers learn from answers; preference pairs need the plain stack."
        found.append(Problem(what=what, where="stack", hint="Use `peft`."))
    if isinstance(spec.micro_batch, int) and not 1 <= spec.micro_batch <= 4096:
        what = f"`micro_batch` is {spec.micro_batch}, and must be between 1 and 4096."
        found.append(Problem(what=what, where="micro_batch", hint="Use `auto`."))
    if not math.isfinite(spec.learning_rate) or not math.isfinite(spec.epochs):
        what = "`learning_rate` and `epochs` must be numbers."
        found.append(Problem(what=what, where="learning_rate", hint="Use 1e-3 and 3."))
    if spec.early_stopping and not spec.validation:
        what = "early stopping needs validation rows, and none are given."
        found.append(Problem(what=what, where="early_stopping", hint="Give `validation`, or leave it out."))
    for tracker in spec.report_to:
        if tracker not in TRACKERS:
            what = f"`{tracker}` is not a tracker that we report to."
            found.append(Problem(what=what, where="report_to", hint=f"Choose from {', '.join(TRACKERS)}."))
    return found


def _cards_problems(spec: JobSpec) -> list[Problem]:
    """Are there so many cards, from the one that is named on? A processor takes as many processes as are asked for."""
    if spec.shard_base and (spec.method.kind == "full" or spec.method.bits != "16"):
        what = "`shard_base` spreads a frozen base in 16 bits."
        return [Problem(what=what, where="shard_base", hint="Use `lora` with `bits: '16'`, or leave it out.")]
    if not _on_card(spec):
        return []
    first, here = int(resolve_device(spec.device).partition(":")[2]), len(machine().gpus)
    if first + spec.n_gpus <= here:
        return []
    what = f"{spec.n_gpus} cards are asked for, and {here - first} are here."
    return [Problem(what=what, where="n_gpus", hint=f"Set `n_gpus: {here - first}`.")]


def _method_problems(spec: JobSpec) -> list[Problem]:
    method, found = spec.method, METHODS[spec.method.kind].problems(spec)
    found += _bits_problems(spec)
    if spec.optimizer == "adamw_8bit_paged" and not _on_card(spec):
        what = "`adamw_8bit_paged` moves between the memory of a card and main memory, and there is no card."
        found.append(Problem(what=what, where="optimizer", hint="Use `auto`."))
    if method.targets != "all-linear":
        odd = [name for name in method.targets if not _LAYER_NAME.fullmatch(name)]
        if odd or not method.targets:
            what = f"`{odd[0]}` is not a layer name." if odd else "no layers to tune are named."
            found.append(Problem(what=what, where="method.targets", hint="Use `all-linear`, or names such as q_proj."))
        if "lm_head" in method.targets:
            what = "an adapter on `lm_head` cannot be trained here."
            found.append(Problem(what=what, where="method.targets", hint="Leave `lm_head` out."))
    return found


def _bits_problems(spec: JobSpec) -> list[Problem]:
    bits, where = spec.method.bits, "method.bits"
    if any(problem.where == where for problem in METHODS[spec.method.kind].problems(spec)):
        return []
    if bits in ("4", "8") and importlib.util.find_spec("bitsandbytes") is None:
        what = f"a base in {bits} bits needs bitsandbytes, which is not installed."
        return [Problem(what=what, where=where, hint='Run `pip install "tuneworthy[quantized]"`.')]
    if bits != "fp8":
        return []
    if not (_on_card(spec) and any(HOPPER.search(name) for name in machine().gpus)):
        here = ", ".join(machine().gpus) or "no card"
        what = f"fp8 needs a Hopper card or a newer one; here is {here}."
        return [Problem(what=what, where=where, hint="Use `bits: '16'` or `'4'`.")]
    if spec.stack != "tuneworthy" or spec.n_gpus > 1:
        what = "a base in fp8 needs our own layers, on one card."
        return [Problem(what=what, where="stack", hint="Set `stack: tuneworthy` and `n_gpus: 1`.")]
    return []


def _on_card(spec: JobSpec) -> bool:
    try:
        return resolve_device(spec.device) != "cpu"
    except BadInput:
        return False  # the engine says so itself


def _not_yet(where: str, what: str, hint: str) -> Problem:
    return Problem(what=f"{what} is {NOT_YET}", where=where, hint=hint)
