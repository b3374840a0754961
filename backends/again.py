"""A kept adapter judged again: one judgement, and before it the base, where that revision is not here yet."""

from __future__ import annotations

from backends.chain import needs, preparation, store_chain, submit_chain
from backends.launch import state_of, with_data_hash
from core.errors import TuneworthyError
from core.home import new_id
from core.jobspec import JobSpec
from core.store import JobRecord, Store


def launch_again(store: Store, spec: JobSpec, *, plan_id: str | None) -> list[JobRecord]:
    """Start what `evaluation.freshness.judge_again` made, the judgement last.

    Raises `ProblemsFound` with everything that would stop it; then nothing was stored or started.
    """
    specs = [with_data_hash(each) for each in [*preparation(spec), spec]]
    records = store_chain(store, specs, needs(specs), group=new_id("group"), plan_id=plan_id)
    return submit_chain(store, records)


def being_judged(store: Store, train_job: str) -> JobRecord | None:
    """The newest judgement of a training that has not ended; None where nobody judges it now."""
    for record in store.jobs():
        if record.kind != "evaluate" or record.spec.job != train_job:
            continue
        try:
            if not state_of(record).done:
                return record
        except TuneworthyError:  # its engine cannot be asked
            continue
    return None
