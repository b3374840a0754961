"""The form of a tuning method: which one, its settings, what it forbids and why, and what guards against forgetting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.jobspec import JobSpec, MethodKind, MethodSpec
from training.methods import METHODS
from training.methods.method import FORMS, Method

Keep = Callable[[MethodSpec, float], None]
KeepField = Callable[[str, Any], None]
BITS = {
    "16": "16: as it is",
    "8": "8: half the memory, slower",
    "4": "4: a quarter of the memory (QLoRA), slower",
    "fp8": "fp8: faster, on a Hopper card or newer",
}
PLACEMENTS = {
    "houlsby": "After attention and feed-forward (Houlsby)",
    "pfeiffer": "After the feed-forward only (Pfeiffer)",
}
NUMBERS: dict[str, tuple[str, dict[str, Any]]] = {
    "rank": ("LoRA rank", {"min_value": 1, "max_value": 1024}),
    "alpha": ("LoRA alpha", {"min_value": 1, "max_value": 4096}),
    "dropout": ("Dropout", {"min_value": 0.0, "max_value": 0.99, "step": 0.01}),
    "virtual_tokens": ("Learned places", {"min_value": 1, "max_value": 1024}),
    "bottleneck_size": ("Width of the layers", {"min_value": 1, "max_value": 4096}),
}
SWITCHES = {"rslora": "Rank-stabilised (rsLoRA)", "dora": "Length and direction (DoRA)"}
GUARDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "weight_decay": (
        "Weight decay",
        "Pulls weights towards zero, so that they grow only where many rows agree.",
        {"min_value": 0.0, "max_value": 1.0, "step": 0.01},
    ),
    "neftune_alpha": (
        "NEFTune alpha",
        "Noise on the embeddings keeps short answers from being learned by heart. 5 is usual (Jain et al. 2023).",
        {"min_value": 0.1, "max_value": 100.0, "step": 1.0, "placeholder": "Off"},
    ),
    "early_stopping": (
        "Early stopping",
        "Stops after so many validations without a gain: from there on rows are learned by heart.",
        {"min_value": 1, "max_value": 1000, "placeholder": "Off"},
    ),
    "mix_general": (
        "General rows mixed in",
        "Every tenth row (0.1) with the base's own answer reminds the tune of what it knew.",
        {"min_value": 0.0, "max_value": 0.5, "step": 0.05},
    ),
    "mix_safety": (
        "Safety rows mixed in",
        "3 % of refusals (0.03) keep the tune from unlearning them (Bianchi et al. 2023).",
        {"min_value": 0.0, "max_value": 0.3, "step": 0.01},
    ),
}


def choose(method: MethodSpec, learning_rate: float, keep: Keep, *, key: str = "launch") -> tuple[MethodSpec, float]:
    """Method and learning rate as they stand. `keep` is called with both as soon as one of them changes."""
    told = METHODS[method.kind]
    values = method.model_dump() | {"learning_rate": learning_rate}
    for field, value in values.items():
        if st.session_state.get(f"{key}.{field}", ...) != value:
            st.session_state[f"{key}.{field}"] = value

    def input_of(field: str) -> dict[str, Any]:
        of = JobSpec if field == "learning_rate" else MethodSpec
        text = of.model_fields[field].description
        return {"key": f"{key}.{field}", "help": text, "on_change": _keep, "args": (field, values, keep, key)}

    st.selectbox("Method", list(METHODS), format_func=lambda kind: METHODS[kind].label, **input_of("kind"))
    st.caption(f"Trains {told.trains}. {told.why}")
    left, right = st.columns(2)
    fields = [field for field in told.settings if field in NUMBERS]
    for at, field in enumerate(fields):
        label, limits = NUMBERS[field]
        (left, right)[at % 2].number_input(label, **limits, **input_of(field))
    for field in (each for each in told.settings if each in SWITCHES):
        st.toggle(SWITCHES[field], **input_of(field))
    if "placement" in told.settings:
        st.selectbox("Placement", list(PLACEMENTS), format_func=PLACEMENTS.__getitem__, **input_of("placement"))
    left.selectbox("Bits of the base", bits_of(told), format_func=BITS.__getitem__, **input_of("bits"))
    right.number_input("Learning rate", 1e-6, 1.0, step=1e-4, format="%.0e", **input_of("learning_rate"))
    st.caption(f"Usual learning rate {told.learning_rate:.0e}. {told.rate_source}. Too high a rate forgets.")
    _limits(told)
    return method, learning_rate


def guards(spec: JobSpec, keep: KeepField, *, key: str = "launch") -> None:
    """What guards against learning by heart and forgetting, each with its reason. `keep(field, value)` on a change."""
    for field, (label, why, limits) in GUARDS.items():
        name = f"{key}.{field}"
        if st.session_state.get(name, ...) != getattr(spec, field):
            st.session_state[name] = getattr(spec, field)
        text = JobSpec.model_fields[field].description
        st.number_input(label, **limits, key=name, help=text, on_change=_keep_field, args=(field, keep, key))
        st.caption(why)


def bits_of(method: Method) -> list[str]:
    """Numbers of bits that a base may have in this method."""
    probes = {bits: JobSpec.model_validate({"method": {"kind": method.kind, "bits": bits}}) for bits in BITS}
    return [
        bits
        for bits, spec in probes.items()
        if not any(each.where == "method.bits" and each.asked(spec) for each in method.forbids)
    ]


def changed(field: str, value: Any, values: dict[str, Any]) -> tuple[MethodSpec, float]:
    """Method and rate after one field was set. Another method starts from its own usual settings."""
    if field == "kind":
        kind: MethodKind = value
        return MethodSpec(kind=kind), METHODS[kind].learning_rate
    after = values | {field: value}
    rate = float(after.pop("learning_rate"))
    return MethodSpec.model_validate(after), rate


def _keep(field: str, values: dict[str, Any], keep: Keep, key: str) -> None:
    keep(*changed(field, st.session_state[f"{key}.{field}"], values))


def _keep_field(field: str, keep: KeepField, key: str) -> None:
    keep(field, st.session_state[f"{key}.{field}"])


def _limits(method: Method) -> None:
    lines = [f":material/inventory_2: Leaves {FORMS[method.form]}."]
    if method.form != "whole":
        lines.append(
            ":material/merge: Can be merged into the base."
            if method.mergeable
            else ":material/block: Cannot be merged into the base."
        )
    lines += [f":material/block: {each.words}" for each in method.forbids]
    for line in lines:
        st.caption(line)
