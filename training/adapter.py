"""The adapter on disk: saved whole or not at all, and the best one so far kept beside the run."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from core.adapter_files import CONFIG
from core.run_folder import write_atomically
from training.methods import whole
from training.methods.bottleneck import layers_of

BEST = "best"
SCORE = "best.json"


def save_adapter(model: Any, folder: Path, base_name: str, revision: str | None) -> None:
    """Write what was tuned, with `base_name` as its base: an adapter in PEFT's form or ours, or the whole model.

    PEFT would note the folder that the base was loaded from, which means nothing on another machine.
    """
    temporary = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(temporary, ignore_errors=True)
    save_weights(model, temporary)
    (temporary / "README.md").unlink(missing_ok=True)  # an empty form
    config_file = temporary / CONFIG
    if config_file.is_file():
        config = json.loads(config_file.read_bytes())
        config["base_model_name_or_path"], config["revision"] = base_name, revision
        write_atomically(config_file, json.dumps(config, indent=2, sort_keys=True))
    shutil.rmtree(folder, ignore_errors=True)
    os.rename(temporary, folder)


def save_weights(model: Any, folder: Path) -> None:
    """Write what the model learned, in the form of its method."""
    from peft import PeftModel

    layers = layers_of(model)
    if layers is not None:
        layers.save(folder)
    elif isinstance(model, PeftModel):
        # Preference tuning keeps a second adapter beside it: where it began.
        model.save_pretrained(folder, save_embedding_layers=False, selected_adapters=["default"])
    else:
        whole.save(model, folder)


class Score(BaseModel):
    """How good the kept adapter is."""

    model_config = ConfigDict(extra="forbid")
    step: int
    validation_loss: float


class BestAdapter:
    """The adapter with the lowest validation loss so far, in `best/` of the run folder. Survives a kill."""

    def __init__(self, run: Path, base_name: str, revision: str | None) -> None:
        self.folder = run / BEST
        self._base_name, self._revision = base_name, revision

    def score(self) -> Score | None:
        """None where nothing was kept."""
        try:
            return Score.model_validate_json((self.folder / SCORE).read_bytes())
        except (OSError, ValidationError):
            return None

    def offer(self, model: Any, step: int, validation_loss: float) -> bool:
        """Keep the model's adapter if it is better than the one kept. True if so."""
        known = self.score()
        if known is not None and known.validation_loss <= validation_loss:
            return False
        save_adapter(model, self.folder, self._base_name, self._revision)
        write_atomically(self.folder / SCORE, Score(step=step, validation_loss=validation_loss).model_dump_json())
        return True

    def forget(self) -> None:
        """For a run that starts anew."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def move_to(self, target: Path) -> None:
        """The kept adapter becomes the run's adapter."""
        (self.folder / SCORE).unlink(missing_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        os.rename(self.folder, target)
