"""The three ways on from an advice, in words, and the jobs behind each."""

from __future__ import annotations

from typing import Literal

from backends.chain import measure_specs, tune_specs
from core.jobspec import JobSpec

Way = Literal["tune", "measure", "keep"]
WAYS: dict[Way, str] = {"tune": "Tune and judge", "measure": "Measure prompts", "keep": "Keep a checklist"}
WAY_OF: dict[str, Way] = {"tune": "tune", "measure": "measure", "checklist": "keep"}
BUTTONS: dict[Way, tuple[str, str]] = {
    "tune": ("Tune and judge", ":material/rocket_launch:"),
    "measure": ("Measure it on your rows", ":material/straighten:"),
    "keep": ("Keep this decision", ":material/bookmark_added:"),
}
WHY: dict[Way, str] = {
    "tune": "Asks base and best prompt first, then trains an adapter, and judges all three on rows that none has seen.",
    "measure": "A tournament of prompts: asks the base in up to four ways about the held-out rows. Trains nothing.",
    "keep": "Nothing to train here. The plan keeps the decision; the checklist says what to build.",
}


def specs_of(spec: JobSpec, way: Way) -> list[JobSpec]:
    """The jobs that the button would start, without a preparation of the base."""
    return tune_specs(spec) if way == "tune" else measure_specs(spec)
