"""The correction by which an estimate was made, left in the run folder so that the worker plans by the same figures."""

from __future__ import annotations

from pydantic import ValidationError

from core.run_folder import RunFolder
from cost_models.correction import Calibration

CALIBRATION = "calibration.json"


def calibration_of(folder: RunFolder) -> Calibration | None:
    """The one that lies in the folder; None where there was nothing to correct by."""
    try:
        return Calibration.model_validate_json((folder.path / CALIBRATION).read_bytes())
    except (OSError, ValidationError):
        return None
