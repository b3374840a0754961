"""What can be merged, said before anything is loaded: engines, pages and the command line ask here."""

from __future__ import annotations

import json
from pathlib import Path

from core.adapter_files import CONFIG, OWN_FORM, files_of, is_whole_model
from core.errors import BadInput, Problem, TuneworthyError
from core.jobspec import JobSpec
from core.paths import is_file, typed_path
from core.run_folder import RunFolder

MERGEABLE = ("LORA", "IA3")
"""PEFT's words for those whose effect can be written into the base's own weights."""
WHY_NOT = {
    "PREFIX_TUNING": "learned keys and values stand before every prompt; no weight of the base could hold them",
    "PROMPT_TUNING": "learned tokens stand before every prompt; no weight of the base could hold them",
    "BOTTLENECK": "its layers bend what passes through them, which no weight of the base can do",
}


def check_merge_spec(spec: JobSpec) -> list[Problem]:
    """Everything that stands against merging, all at once."""
    if not (spec.job or spec.adapter):
        return [Problem(what="no adapter is named.", where="job", hint="Set `job` or `adapter`.")]
    try:
        refuse_unmergeable(adapter_folder(spec))
    except TuneworthyError as error:
        where = "adapter" if spec.adapter else "job"
        return [problem.model_copy(update={"where": where}) for problem in error.problems()]
    return []


def adapter_folder(spec: JobSpec) -> Path:
    """The folder of the adapter that the spec names. Raises `NotFound` for a job that is not here."""
    return typed_path(spec.adapter) if spec.adapter else RunFolder.of(str(spec.job)).adapter


def refuse_unmergeable(adapter: Path) -> None:
    """Raise `BadInput` with the reason where there is no adapter, or none that can be merged."""
    if not all(is_file(file) for file in files_of(adapter)):
        raise BadInput(f"there is no adapter at {adapter}.", "Has its train job succeeded?")
    if is_whole_model(adapter):
        raise BadInput(
            "all weights were tuned, so there is nothing to merge.", f"{adapter} is a base model by itself: use that."
        )
    try:
        told = json.loads((adapter / CONFIG).read_bytes())
        kind = str(told.get(OWN_FORM) or told.get("peft_type"))
    except (ValueError, AttributeError) as error:
        raise BadInput(f"{CONFIG} is not JSON with named fields.", "Train the adapter again.") from error
    if kind not in MERGEABLE:
        why = WHY_NOT.get(kind, "it is not of a kind that is merged")
        raise BadInput(f"an adapter of kind {kind[:40]} cannot be merged: {why}.", "Serve it beside its base.")
