"""The jobs of a comparison of methods: base asked, then each method trained and judged, all on the same split.

A method that fails stops no other. `methods.json` in the folder of the group says which job belongs to which method.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from backends.chain import (
    baseline,
    estimate_chain,
    judge_spec,
    needs,
    preparation,
    store_chain,
    submit_chain,
)
from backends.engines import engine
from backends.launch import over_budget, with_data_hash
from backends.on_parts import Part, as_train, new_group, usable_rows, written
from core.errors import BadInput, NotFound, Problem, ProblemsFound
from core.home import check_id, data_dir
from core.jobspec import AxisName, JobSpec
from core.run_folder import write_atomically
from core.store import JobRecord, Store
from dataset.row import Row
from dataset.split import split
from training.methods.variants import VARIANTS, as_variant

JOBS = "methods.json"
VALIDATION_SHARE, TEST_SHARE = 0.1, 0.2


class MethodJobs(BaseModel):
    """One method and the two jobs that measure it."""

    model_config = ConfigDict(extra="ignore")
    method: str
    """Name in `training.methods.variants`."""
    train: str
    judge: str


class ComparisonJobs(BaseModel):
    """A launched comparison."""

    model_config = ConfigDict(extra="ignore")
    group: str
    name: str
    base_model: str
    seed: int
    rows: dict[str, int]
    """{training, validation, test: rows}."""
    prepare: str | None = None
    """Job that fetches the base, where it was not here yet."""
    baseline: str
    """Job that asks the base first, so that no judge has to."""
    methods: list[MethodJobs]
    left_out: dict[str, str] = {}
    """{method: why it cannot be trained here}."""
    created_at: datetime

    @property
    def job_ids(self) -> list[str]:
        """All jobs in the order in which they were asked for."""
        first = [self.prepare] if self.prepare else []
        return [*first, self.baseline, *(job for each in self.methods for job in (each.train, each.judge))]


def launch_comparison(
    store: Store,
    spec: JobSpec,
    methods: Sequence[str] = tuple(VARIANTS),
    *,
    knowledge: bool = False,
    epochs: float | None = None,
) -> ComparisonJobs:
    """Train and judge each of the methods on the rows of the spec; what it does not hold out is split off.

    `knowledge`: also ask what general knowledge each has kept; `epochs` stands in for those of the spec. A method that
    cannot be trained here is left out with its reason. Raises `ProblemsFound` or `BadInput` with what would stop any of
    the jobs, or every method; then nothing was started and nothing is left behind.
    """
    name = (spec.name or "Methods")[:80]
    spec = answers_only(spec, "a comparison of methods")
    with new_group() as folder:
        parts = _split(spec)
        held_out = {part: parts[part] for part in ("validation", "test")}
        (copied,) = written(spec, folder, [Part(name, parts["training"])], held_out)
        here, left_out = sorted_out(copied, methods)
        trains = [as_train(each, f"{name}: {VARIANTS[at].words}", folder.name, epochs) for at, each in here.items()]
        judges = [_judge(each, knowledge=knowledge) for each in trains]
        first = baseline(judges[0].model_copy(update={"name": name, "models": ["base"]}))
        specs = [*first, *(each for pair in zip(trains, judges, strict=True) for each in pair)]
        specs = [with_data_hash(each) for each in [*preparation(trains[0]), *specs]]
        predicted = needs(specs)
        if problems := over_budget(spec, estimate_chain(specs)):
            raise ProblemsFound(problems)
        records = store_chain(store, specs, predicted, group=folder.name, plan_id=None, apart=True)
        told = _told(folder.name, name, spec, records, list(here), left_out, parts)
        write_atomically(folder / JOBS, told.model_dump_json(indent=1))
    submit_chain(store, records)
    return told


def sorted_out(spec: JobSpec, methods: Sequence[str]) -> tuple[dict[str, JobSpec], dict[str, str]]:
    """({method: its training}, {method: why it is left out}).

    Raises `BadInput` for a name that is none, `ProblemsFound` for what stops all methods.
    """
    each = {name: as_variant(spec, name) for name in dict.fromkeys(methods)}
    host = engine(spec.engine)
    found = {
        name: [problem for problem in host.check(one) if problem.severity == "error"] for name, one in each.items()
    }
    if all(found.values()):
        problems = {str(problem): problem for problems in found.values() for problem in problems}
        raise ProblemsFound(list(problems.values()) or [Problem(what="no method is named.", hint="Name some.")])
    left_out = {
        name: " ".join(f"{one.what} {one.hint}".strip() for one in problems) for name, problems in found.items()
    }
    return {name: one for name, one in each.items() if not left_out[name]}, {
        name: why for name, why in left_out.items() if why
    }


def answers_only(spec: JobSpec, what: str) -> JobSpec:
    """The spec of a training from answers. Raises `BadInput` for any other, and where no rows are named."""
    if spec.kind != "train" or spec.dataset is None:
        raise BadInput(f"{what} starts from training rows.", "Name them, or give a train spec with `dataset`.")
    if spec.learner != "llm" or spec.objective != "sft":
        raise BadInput(f"{what} is for adapters that learn from answers.", "Leave `learner` and `objective` out.")
    return spec


def comparison_jobs(group: str) -> ComparisonJobs:
    """A launch by its group. Raises `BadInput` for what is no group's id, `NotFound` where it is gone."""
    try:
        return ComparisonJobs.model_validate_json((data_dir() / check_id(group, "group") / JOBS).read_bytes())
    except (OSError, ValidationError) as error:
        raise NotFound(f"no comparison `{group}` is here.", "Launch one: `tuneworthy compare-methods`.") from error


def all_comparisons() -> list[ComparisonJobs]:
    """Every launch, the newest first; one that cannot be read is left out."""
    found = []
    for path in data_dir().glob(f"group-*/{JOBS}"):
        try:
            found.append(comparison_jobs(path.parent.name))
        except (BadInput, NotFound):
            continue
    return sorted(found, key=lambda jobs: jobs.created_at, reverse=True)


def _split(spec: JobSpec) -> dict[str, list[Row]]:
    """{training, validation, test: rows}: the files that the spec names, and for those it does not, a split."""
    given = {part: usable_rows(spec, path) for part in ("validation", "test") if (path := getattr(spec, part))}
    parts = split(
        usable_rows(spec, str(spec.dataset)),
        seed=spec.seed,
        validation_share=0.0 if "validation" in given else VALIDATION_SHARE,
        test_share=0.0 if "test" in given else TEST_SHARE,
    )
    found = {"training": list(parts.train), "validation": list(parts.validation), "test": list(parts.test)} | given
    for part, rows in found.items():
        if not rows:
            raise BadInput(f"no usable {part} rows are left.", "Give more rows.")
    return found


def _judge(train: JobSpec, *, knowledge: bool) -> JobSpec:
    # What a table of methods tells, and no verdict: a few questions an axis do, and no prompt is tried.
    axes: list[AxisName] = ["task", "knowledge"] if knowledge else ["task"]
    updates: dict[str, object] = {"models": ["base", "tuned"], "axes": axes, "look": "quick", "seed_jobs": []}
    updates |= dict.fromkeys(("latency_ms", "judge", "harm_judge")) | ({} if knowledge else {"general_set": None})
    return judge_spec(train).model_copy(update=updates)


def _told(
    group: str,
    name: str,
    spec: JobSpec,
    records: Sequence[JobRecord],
    methods: Sequence[str],
    left_out: dict[str, str],
    parts: dict[str, list[Row]],
) -> ComparisonJobs:
    ids = [record.id for record in records if record.kind != "prepare"]
    return ComparisonJobs(
        group=group,
        name=name,
        base_model=spec.base_model,
        seed=spec.seed,
        rows={part: len(rows) for part, rows in parts.items()},
        prepare=records[0].id if records[0].kind == "prepare" else None,
        baseline=ids[0],
        methods=[
            MethodJobs(method=method, train=train, judge=judge)
            for method, train, judge in zip(methods, ids[1::2], ids[2::2], strict=True)
        ],
        left_out=left_out,
        created_at=datetime.now(UTC),
    )
