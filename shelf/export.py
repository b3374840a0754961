"""An adapter to take away: weights, PEFT's settings, lineage and model card, as a folder or a zip. Nothing else.

No row, no answer and no log goes with it; of paths in the lineage only the last name stays.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from core.adapter_files import parts_of
from core.errors import BadInput, ProblemsFound, Refused, StoreError
from core.paths import exists, is_folder, typed_path
from core.store import Store
from shelf import card
from shelf.adapters import Adapter, adapter
from shelf.lineage import FILE as LINEAGE
from shelf.quarantine import refuse_quarantined
from shelf.weights import weights_sha256

ZIP = ".zip"


def export(store: Store, job_id: str, target: Path) -> Path:
    """Copy the adapter of a training to `target`: a new folder, or a new zip where the name ends in `.zip`.

    It is there whole or not at all. Raises `NotFound`; `Refused` for one in quarantine; `ProblemsFound` for broken
    files; `BadInput` where something is there already; `StoreError` where it cannot be written.
    """
    found = adapter(store, job_id)
    refuse_quarantined(found)
    if not found.usable:
        raise ProblemsFound([problem for problem in found.problems if problem.severity == "error"])
    target = free_target(target)
    zipped = target.suffix.lower() == ZIP
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Beside the target: the last step is then a rename on one disk, which happens whole or not at all.
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-") as room:
            folder = Path(room) / target.stem
            folder.mkdir()
            _fill(folder, found, card.card_text(found, card.purpose_of(store, found)))
            os.rename(_zip(folder) if zipped else folder, target)
    except OSError as error:
        raise StoreError(f"cannot write {target} ({error.strerror}).", "Name a folder that you may write.") from error
    return target


def free_target(target: Path) -> Path:
    """The absolute path of a folder or zip to be made. Raises `BadInput` where something is there already."""
    target = typed_path(str(target)).absolute()
    folder = target.suffix.lower() != ZIP and is_folder(target)
    if exists(target) and not (folder and not any(target.iterdir())):
        raise BadInput(f"{target} is there already.", "Name a folder or a zip file that is not there yet.")
    return target


def export_bytes(store: Store, job_id: str, name: str) -> bytes:
    """The same as a zip in memory, for a download; inside it a folder `name`."""
    with tempfile.TemporaryDirectory() as room:
        return export(store, job_id, Path(room) / f"{name}{ZIP}").read_bytes()


def _fill(folder: Path, found: Adapter, text: str) -> None:
    for part in parts_of(found.path):
        shutil.copyfile(part, folder / part.name)
    if weights_sha256(folder) != found.weights_sha256:
        # A training that goes on may have put others in their place since they were looked at.
        raise Refused("its weights changed while they were copied.", "Wait for its training to end, then try again.")
    if found.lineage is not None:
        told = _without_paths(found.lineage.model_dump(mode="json"))
        (folder / LINEAGE).write_text(json.dumps(told, indent=2, ensure_ascii=False), encoding="utf-8")
    (folder / card.FILE).write_text(text, encoding="utf-8")


def _zip(folder: Path) -> Path:
    made = folder.with_name(f"{folder.name}{ZIP}.new")
    # Weights are noise to a compressor.
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"{folder.name}/{file.name}")
    return made


def _without_paths(value: Any) -> Any:
    """The same with absolute paths cut to their last name: folders of this machine are nobody else's business."""
    if isinstance(value, dict):
        return {key: _without_paths(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_paths(each) for each in value]
    if isinstance(value, str) and value.startswith(("/", "~/")) and "\n" not in value:
        return Path(value).name
    return value
