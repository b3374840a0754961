"""Trackers of experiments: those asked for, where the package is installed. Their files stay in the run folder."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from core.jobspec import JobSpec
from training.report import Report

PACKAGES = {
    "tensorboard": ("tensorboard", "tensorboardX"),
    "mlflow": ("mlflow",),
    "wandb": ("wandb",),
    "trackio": ("trackio",),
}


def set_up_trackers(spec: JobSpec, run: Path, report: Report) -> list[str]:
    """Those of `report_to` that can be used. A missing package is a warning: it is no reason to lose a run."""
    usable = []
    for tracker in dict.fromkeys(spec.report_to):
        if any(importlib.util.find_spec(package) for package in PACKAGES[tracker]):
            usable.append(tracker)
        else:
            report.warning(
                f"{tracker} is not installed, so nothing is reported to it. Install it: pip install {tracker}"
            )
    defaults = {
        "TENSORBOARD_LOGGING_DIR": str(run / "tensorboard"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{run / 'mlflow.db'}",
        "MLFLOW_EXPERIMENT_NAME": spec.group or "tuneworthy",
        "WANDB_DIR": str(run),
        "WANDB_PROJECT": "tuneworthy",
        "TRACKIO_DIR": str(run / "trackio"),
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    if not spec.allow_network:
        os.environ["WANDB_MODE"] = "offline"
    return usable
