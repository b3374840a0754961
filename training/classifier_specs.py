"""What a job that trains a classifier cannot honour, said before anything is loaded. No heavy imports."""

from __future__ import annotations

import math

from core.errors import Problem
from core.jobspec import JobSpec

HIGH_RATE = 1e-3
"""Above this a trained encoder forgets what it knows in its first steps; usual are 2e-5 to 3e-4."""


def check_classifier_spec(spec: JobSpec) -> list[Problem]:
    """Everything in the spec that would stop or spoil the job, all at once. Touches no file and no network."""
    found = []
    if spec.learner == "encoder" and not spec.encoder:
        what = "`learner: encoder` names no encoder."
        hint = "Set `encoder` to a folder or hub id, or take `learner: classic`."
        found.append(Problem(what=what, where="encoder", hint=hint))
    if spec.resume_of:
        what = "the training of a classifier leaves no checkpoint to go on from."
        found.append(Problem(what=what, where="resume_of", hint="Leave `resume_of` out: it takes minutes at most."))
    if spec.n_gpus > 1:
        what = f"a classifier is trained on one device, not on {spec.n_gpus} cards."
        found.append(Problem(what=what, where="n_gpus", hint="Set `n_gpus: 1`."))
    if spec.report_to:
        what = "the training of a classifier reports to no tracker."
        found.append(Problem(what=what, where="report_to", hint="Leave it out; its events stand in the run folder."))
    if not math.isfinite(spec.learning_rate) or not math.isfinite(spec.epochs):
        what = "`learning_rate` and `epochs` must be numbers."
        found.append(Problem(what=what, where="learning_rate", hint="Leave both out: an encoder has defaults."))
    elif spec.learner == "encoder" and spec.learning_rate > HIGH_RATE:
        what = f"`learning_rate` is {spec.learning_rate:g}, which makes an encoder forget what it knows."
        found.append(Problem(what=what, where="learning_rate", hint="Use 1e-4, or leave it out.", severity="warning"))
    if spec.learner == "encoder" and spec.early_stopping and not spec.validation:
        what = "early stopping needs validation rows, and none are given."
        found.append(Problem(what=what, where="early_stopping", hint="Give `validation`, or leave it out."))
    return found
