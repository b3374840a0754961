"""Settings of an adapter that change its answers, in one form: alpha is not in the weights, but in every answer.

PEFT writes them into `adapter_config.json` beside what changes nothing: its own version, where the base lay, how the
training began. Saved again by another release of PEFT, the same adapter must keep its hash. Of a whole model they are
its `config.json`.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from core.adapter_files import files_of

_CHANGES_NOTHING = frozenset(
    {
        "_name_or_path",
        "auto_mapping",
        "base_model_name_or_path",
        "corda_config",
        "eva_config",
        "inference_mode",
        "init_lora_weights",
        "loftq_config",
        "lora_dropout",
        "lora_ga_config",
        "megatron_config",
        "megatron_core",
        "peft_version",
        "revision",
        "task_type",
        "transformers_version",
    }
)
"""Of training and of bookkeeping. What is not named here counts: a setting that we do not know costs a few answers."""


def settings_of(adapter: Path) -> str:
    """The settings as JSON: sorted, without what changes nothing or says no; as they stand where they are no object.

    Raises `OSError` where they cannot be read.
    """
    content = files_of(adapter)[0].read_bytes()
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return content.decode("utf-8", "replace")
    if not isinstance(found, dict):
        return content.decode("utf-8", "replace")
    if "peft_type" not in found:  # a whole model's, where order and every no count
        told = {name: value for name, value in found.items() if name not in _CHANGES_NOTHING}
    else:
        counts = {name: value for name, value in found.items() if name not in _CHANGES_NOTHING and _said(value)}
        told = {name: _in_order(value) for name, value in counts.items()}
    return json.dumps(told, sort_keys=True, separators=(",", ":"))


def settings_sha256(adapter: Path) -> str | None:
    """Hash of these settings; None where they cannot be read."""
    try:
        return hashlib.sha256(settings_of(adapter).encode()).hexdigest()
    except OSError:
        return None


def _said(value: Any) -> bool:
    # A later release of PEFT writes more settings that are off. A zero is said: alpha 0 is not no alpha.
    return value is not None and value is not False and value not in ("", [], {})


def _in_order(value: Any) -> Any:
    """Names of layers are a set: PEFT writes them in any order."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return sorted(value)
    return value
