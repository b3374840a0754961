"""What a dry run cannot do, said before anything is loaded."""

from __future__ import annotations

from core.errors import Problem
from core.jobspec import JobSpec
from training.specs import check_train_spec


def check_probe_spec(spec: JobSpec) -> list[Problem]:
    """Everything that would stop the training itself, and what a dry run has no answer to, all at once."""
    found = check_train_spec(spec)
    if spec.learner != "llm":
        what = "a small classifier needs no dry run: it is trained in seconds to minutes."
        found.append(Problem(what=what, where="learner", hint="Set `kind: train`."))
    if spec.n_gpus > 1:
        what = f"a dry run is of one card, and {spec.n_gpus} are asked for."
        found.append(Problem(what=what, where="n_gpus", hint="Set `n_gpus: 1` for it."))
    return found
