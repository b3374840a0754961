"""A tune of our own in place of one that dies: an open base on the same rows, with all that a tune goes through here.

Where the team has the file that the old model was tuned on, that is trained on; else the golden set is, and the new
model then learns from the old one's answers, right and wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from backends.chain import launch_tune
from backends.rescue.golden import ROWS, find_golden, read_golden, require_golden, write_golden
from core.errors import BadInput
from core.jobspec import JobSpec
from core.paths import is_file
from core.plan import Plan
from core.store import JobRecord, Store
from dataset.prepare import adopt, forget

FEWEST_ROWS = 10


@dataclass(frozen=True, slots=True)
class Retune:
    """What was launched."""

    plan: Plan
    jobs: list[JobRecord]
    """Preparation of the base (where it is not here yet), baseline, training, judgement."""
    from_golden: bool
    """The rows are answers of the old model."""
    golden: str = ""
    """Model whose golden set it belongs to; empty where none was named."""

    @property
    def train(self) -> JobRecord:
        """The training among the jobs."""
        return next(job for job in self.jobs if job.kind == "train")


def retune(store: Store, given: str, spec: JobSpec, *, golden: str | None = None) -> Retune:
    """Split the rows without leaks, then baseline, training and judgement on them, by the settings of `spec`.

    `given` is a golden set (the name of its model, its folder or a file in it) or a file of rows of any usual format,
    read by the columns of `spec`; `golden` names the set that such a file belongs to, so that both are seen as one.
    Raises `BadInput`, `NotFound`, or `ProblemsFound` with everything that would stop any of the jobs; then nothing was
    started and no plan is left behind.
    """
    own = find_golden(given)
    folder = own or (require_golden(golden) if golden else None)
    path = own / ROWS if own else Path(given).expanduser()
    if not is_file(path):
        raise BadInput(f"no golden set and no file `{given[:120]}`.", "Record one, or check the path.")
    of = read_golden(folder) if folder else None
    if own and of and of.answered - of.empty < FEWEST_ROWS:
        raise BadInput(f"the golden set has {of.answered - of.empty} answers.", f"Record {FEWEST_ROWS} or more.")
    columns = {} if own else {"inputs": spec.inputs, "output": spec.output, "records": spec.records}
    data = adopt(
        path,
        path.name,
        **columns,  # type: ignore[arg-type]
        template=None if own else spec.template,
        system_prompt=None if own else spec.system_prompt,
        seed=spec.seed,
        max_tokens=spec.max_tokens,
    )
    name = f"Rescue of {of.model}"[:60] if of else f"Retune on {path.name}"[:60]
    plan = store.update_plan(store.new_plan(name).id, data=data)
    bare: dict[str, object] = dict.fromkeys(("inputs", "output", "records", "template"))
    bare |= {"dataset": None, "validation": None, "test": None, "name": spec.name or name}
    try:
        jobs = launch_tune(store, plan, spec.model_copy(update=bare))
    except BadInput:  # before anything was started
        store.delete_plan(plan.id)
        forget(data)
        raise
    made = Retune(store.plan(plan.id), jobs, own is not None, of.model if of else "")
    if folder and of:
        write_golden(folder, of.model_copy(update={"tunes": [*of.tunes, made.train.id]}))
    return made
