"""Where an adapter comes from: `lineage.json`, as the training wrote it beside the weights."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from core.base_models import READY, locate
from core.errors import BadInput, TuneworthyError, problems_of

FILE = "lineage.json"


class Lineage(BaseModel):
    """What the weights were made from. A field that the training did not tell is None, never guessed."""

    # The trainer may tell more than the shelf shows: it is kept and passed on.
    model_config = ConfigDict(extra="allow")

    base_model: str | None = None
    base_revision: str | None = None
    """Commit on the hub."""
    base_licence: str | None = None
    dataset_sha256: str | None = None
    """Hash of the training rows."""
    validation_sha256: str | None = None
    spec: dict[str, Any] | None = None
    versions: dict[str, str] = {}
    """Of the libraries that trained: torch, transformers, peft, trl."""
    created_at: datetime | None = None


def read_lineage(run: Path) -> Lineage | None:
    """The lineage of the adapter of a job's folder; None where the training left none.

    Looked for beside the weights first, so that it stays with an adapter that was copied elsewhere.
    Raises `BadInput` for a file that is not a lineage.
    """
    for path in (run / "adapter" / FILE, run / FILE):
        try:
            told = json.loads(path.read_bytes())
        except FileNotFoundError:
            continue
        except (OSError, ValueError, RecursionError) as error:
            raise BadInput(
                "is not JSON, so the adapter's origin is not known.", "Train it again.", file=str(path)
            ) from error
        try:
            return Lineage.model_validate(told)
        except ValidationError as error:
            first = problems_of(error)[0]
            raise BadInput(f"is not a lineage: {first.what}", "Train the adapter again.", file=str(path)) from error
    return None


def base_licence(base_model: str, base_revision: str | None = None) -> str | None:
    """The licence of a base that is on this machine, as its card says; None where nothing says so.

    An adapter is made for one base and bound by its licence, whatever its own data allow.
    """
    try:
        folder = locate(base_model, base_revision).path
        told = json.loads((folder / READY).read_bytes()).get("licence") if folder else None
    except (TuneworthyError, OSError, ValueError, AttributeError):
        return None
    return told if isinstance(told, str) and told != "unknown" else None
