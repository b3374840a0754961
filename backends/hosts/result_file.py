"""A host's file of results: figures of every step as CSV, plain or in base64, in either of its two dialects.

OpenAI: step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy, the whole in base64. Azure: step,
train_loss,train_mean_token_accuracy,validation_loss,validation_mean_token_accuracy,full_valid_loss,..., plain.
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
import math

_NAMES = {
    "train_loss": "loss",
    "train_accuracy": "accuracy",
    "train_mean_token_accuracy": "accuracy",
    "valid_loss": "validation_loss",
    "validation_loss": "validation_loss",
    "full_valid_loss": "full_validation_loss",
    "valid_accuracy": "validation_accuracy",
    "valid_mean_token_accuracy": "validation_accuracy",
    "validation_mean_token_accuracy": "validation_accuracy",
    "full_valid_mean_token_accuracy": "full_validation_accuracy",
}


def read_result_file(body: bytes) -> list[dict[str, float]]:
    """One mapping a step, `step` among it, in our names; figures that are left empty are left out.

    What is no such file gives an empty list: the job is worth no less for it.
    """
    rows = []
    for raw in csv.DictReader(io.StringIO(_text(body))):
        row: dict[str, float] = {}
        for name, value in raw.items():
            ours = "step" if name == "step" else _NAMES.get(str(name or "").strip())
            number = _number(value)
            if ours is not None and number is not None:
                row[ours] = number
        if "step" in row:
            rows.append(row)
    return rows


def last_figures(rows: list[dict[str, float]]) -> dict[str, float]:
    """The last figure of each name. A validation of all rows stands in for one of a few."""
    found: dict[str, float] = {}
    for row in rows:
        found |= row
    found.pop("step", None)
    for name in ("loss", "accuracy"):
        whole = found.pop(f"full_validation_{name}", None)
        if whole is not None:
            found[f"validation_{name}"] = whole
    return found


def _text(body: bytes) -> str:
    if b"," not in body.split(b"\n", 1)[0]:  # no comma in a first line: not a header, so base64
        try:
            body = base64.b64decode(body, validate=False)
        except (binascii.Error, ValueError):
            return ""
    return body.decode("utf-8-sig", "replace")


def _number(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if math.isfinite(number) else None
