"""The jobs of a sweep: one training a setting on the same rows; then more seeds of the best one, and its judgement.

The best is chosen by validation loss, so the second half can be launched only when the first has ended.
`sweep.json` in the folder of the group says which job is what.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from backends.chain import estimate_chain, judge_spec, needs, preparation, store_chain, submit_chain
from backends.comparison import answers_only
from backends.engines import engine
from backends.launch import over_budget, state_of, with_data_hash
from backends.on_parts import Part, as_train, new_group, usable_rows, written
from core.errors import BadInput, EngineError, NotFound, ProblemsFound
from core.estimate import Estimate
from core.home import check_id, data_dir
from core.job import Result
from core.jobspec import JobSpec, MethodSpec
from core.run_folder import write_atomically
from core.store import JobRecord, Store

JOBS = "sweep.json"
SEEDS = 3
MOST_SETTINGS = 24
SHORT_SECONDS = 600.0
"""Other seeds of the best setting are trained where one training takes no longer."""


class SettingJob(BaseModel):
    """One setting and its training."""

    model_config = ConfigDict(extra="ignore")
    rank: int | None
    """None where the method has none."""
    learning_rate: float
    train: str

    @property
    def words(self) -> str:
        """`rank 16, rate 0.001`."""
        rank = f"rank {self.rank}, " if self.rank is not None else ""
        return f"{rank}rate {self.learning_rate:g}"


class SweepJobs(BaseModel):
    """A launched sweep."""

    model_config = ConfigDict(extra="ignore")
    group: str
    name: str
    seeds: int
    """How many seeds of the best one are wanted, its own counted."""
    prepare: str | None = None
    """Job that fetches the base, where it was not here yet."""
    settings: list[SettingJob]
    best: str | None = None
    """Training with the lowest validation loss; None until all have ended."""
    seed_jobs: list[str] = []
    """The best setting trained with other seeds."""
    judge: str | None = None
    predicted_seconds: float | None = None
    """Of everything, other seeds and judgement included; None where it is not known."""
    created_at: datetime

    @property
    def job_ids(self) -> list[str]:
        """All jobs so far, in the order in which they run."""
        first = [self.prepare] if self.prepare else []
        last = [self.judge] if self.judge else []
        return [*first, *(each.train for each in self.settings), *self.seed_jobs, *last]


def launch_sweep(
    store: Store,
    spec: JobSpec,
    *,
    ranks: Sequence[int] = (),
    rates: Sequence[float] = (),
    seeds: int = SEEDS,
    epochs: float | None = None,
) -> SweepJobs:
    """Train every pair of rank and rate on the rows of the spec; what is left empty stays as the spec says.

    The judgement is checked too, though it is launched by `go_on`. Raises `ProblemsFound` or `BadInput` with what would
    stop any of the jobs; then nothing was started and nothing is left behind.
    """
    name = (spec.name or "Sweep")[:80]
    spec = answers_only(spec, "a sweep")
    settings = _settings(spec, ranks, rates)
    if not (spec.validation and spec.test):
        what = "a sweep needs validation rows to choose by, and other rows to judge on."
        raise BadInput(what, "Set `validation` and `test`; `tuneworthy split` makes both.")
    with new_group() as folder:
        held_out = {part: usable_rows(spec, str(getattr(spec, part))) for part in ("validation", "test")}
        (copied,) = written(spec, folder, [Part(name, usable_rows(spec, str(spec.dataset)))], held_out)
        trains = [
            with_data_hash(as_train(each, f"{name}: {_words(each)}", folder.name, epochs))
            for each in (copied.model_copy(update=updates) for updates in settings)
        ]
        asked = [*preparation(trains[0]), *trains]
        predicted = needs([*asked, judge_spec(trains[0])])
        again = max(predicted[-1 - len(trains) : -1], key=lambda one: one.seconds.likely or 0.0)
        more = (seeds - 1) if _short(again.seconds) else 0
        specs = [*asked, *([trains[0]] * more), judge_spec(trains[0])]
        if problems := over_budget(spec, estimate_chain(specs)):
            raise ProblemsFound(problems)
        records = store_chain(store, asked, predicted[:-1], group=folder.name, plan_id=None, apart=True)
        ids = [record.id for record in records if record.kind == "train"]
        told = SweepJobs(
            group=folder.name,
            name=name,
            seeds=seeds,
            prepare=records[0].id if records[0].kind == "prepare" else None,
            settings=[
                SettingJob(rank=_rank(each), learning_rate=each.learning_rate, train=job)
                for each, job in zip(trains, ids, strict=True)
            ],
            predicted_seconds=estimate_chain(specs).seconds.likely,
            created_at=datetime.now(UTC),
        )
        _keep(told)
    submit_chain(store, records)
    return told


def go_on(store: Store, jobs: SweepJobs) -> SweepJobs:
    """Launch the other seeds of the best setting and its judgement, once all settings have ended. Safe to repeat.

    Raises `EngineError` where no setting was trained to its end, and what `needs` raises.
    """
    if jobs.judge is not None or not all_ended(store, jobs):
        return jobs
    losses = {job: loss for each in jobs.settings if (loss := loss_of(store, job := each.train)) is not None}
    if not losses:
        raise EngineError("no setting was trained to its end.", "Resume its jobs, then go on with the group.")
    best = store.job(min(losses, key=lambda job: losses[job]))
    seeds = _other_seeds(store, best, jobs)
    judge = judge_spec(best.spec).model_copy(update={"name": f"{jobs.name}: judge the best", "job": best.id})
    predicted = needs([*seeds, judge])
    records = store_chain(store, seeds, predicted[:-1], group=jobs.group, plan_id=None, apart=True)
    ids = [record.id for record in records]
    chained: dict[str, object] = {"group": jobs.group, "seed_jobs": ids, "after": [best.id, *ids]}
    last = store.add_job(judge.model_copy(update=chained), plan_id=None, predicted=predicted[-1])
    told = jobs.model_copy(update={"best": best.id, "seed_jobs": ids, "judge": last.id})
    _keep(told)
    submit_chain(store, [*records, last])
    return told


def all_ended(store: Store, jobs: SweepJobs) -> bool:
    """Has the training of every setting ended, well or not? A deleted one has."""
    for each in jobs.settings:
        try:
            if not state_of(store.job(each.train)).done:
                return False
        except NotFound:
            continue
    return True


def result_of(store: Store, job_id: str) -> Result | None:
    """What came of a training that has succeeded; None of any other."""
    try:
        record = store.job(job_id)
        if record.ref is None or state_of(record).state != "succeeded":
            return None
        return engine(record.engine).result(record.ref)
    except (NotFound, EngineError):
        return None


def loss_of(store: Store, job_id: str) -> float | None:
    """The lowest validation loss of a training that has succeeded; None of any other."""
    result = result_of(store, job_id)
    return result.metrics.get("validation_loss") if result else None


def sweep_jobs(group: str) -> SweepJobs:
    """A launch by its group. Raises `BadInput` for what is no group's id, `NotFound` where it is gone."""
    try:
        return SweepJobs.model_validate_json((data_dir() / check_id(group, "group") / JOBS).read_bytes())
    except (OSError, ValidationError) as error:
        raise NotFound(f"no sweep `{group}` is here.", "Launch one: `tuneworthy sweep`.") from error


def all_sweeps() -> list[SweepJobs]:
    """Every launch, the newest first; one that cannot be read is left out."""
    found = []
    for path in data_dir().glob(f"group-*/{JOBS}"):
        try:
            found.append(sweep_jobs(path.parent.name))
        except (BadInput, NotFound):
            continue
    return sorted(found, key=lambda jobs: jobs.created_at, reverse=True)


def _settings(spec: JobSpec, ranks: Sequence[int], rates: Sequence[float]) -> list[dict[str, object]]:
    """The fields of each setting. Alpha stays: with it the best rate hardly depends on the rank (docs/methods.md)."""
    if ranks and spec.method.kind != "lora":
        raise BadInput(f"`{spec.method.kind}` has no rank.", "Leave --rank out, or set `method.kind: lora`.")
    if any(not 1 <= rank <= 1024 for rank in ranks):
        raise BadInput("a rank must be between 1 and 1024.", "Give ranks such as 4,16,64.")
    if any(not 0 < rate <= 1 for rate in rates):
        raise BadInput("a learning rate must be above 0 and at most 1.", "Give rates such as 3e-4,1e-3.")
    pairs = list(dict.fromkeys(itertools.product(ranks or (spec.method.rank,), rates or (spec.learning_rate,))))
    if not 2 <= len(pairs) <= MOST_SETTINGS:
        what = f"a sweep tries 2 to {MOST_SETTINGS} settings, and these are {len(pairs)}."
        raise BadInput(what, "Give several values to --rank or --learning-rate.")
    method = spec.method.model_dump()
    return [
        {"method": MethodSpec.model_validate(method | {"rank": rank}), "learning_rate": rate} for rank, rate in pairs
    ]


def _other_seeds(store: Store, best: JobRecord, jobs: SweepJobs) -> list[JobSpec]:
    """The best setting with the seeds that follow its own; none where it takes too long."""
    result = result_of(store, best.id)
    seconds = result.measured.seconds if result else None
    predicted = best.predicted.seconds if best.predicted else Estimate(unit="s")
    # What it took is the better prediction of what it will take.
    if not (_short(predicted) if seconds is None else seconds < SHORT_SECONDS):
        return []
    return [
        best.spec.model_copy(
            update={"seed": best.spec.seed + more, "name": f"{best.name[:100]}, seed {more + 1}", "after": []}
        )
        for more in range(1, jobs.seeds)
    ]


def _short(seconds: Estimate) -> bool:
    return seconds.likely is not None and seconds.likely < SHORT_SECONDS


def _keep(jobs: SweepJobs) -> None:
    write_atomically(data_dir() / jobs.group / JOBS, jobs.model_dump_json(indent=1))


def _rank(spec: JobSpec) -> int | None:
    return spec.method.rank if spec.method.kind == "lora" else None


def _words(spec: JobSpec) -> str:
    return SettingJob(rank=_rank(spec), learning_rate=spec.learning_rate, train="").words
