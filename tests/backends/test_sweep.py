"""The jobs of a sweep: what is tried, how the best is chosen, and what is launched once it is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.fake import FakeEngine
from backends.sweep import all_sweeps, go_on, launch_sweep, sweep_jobs
from core.errors import BadInput, EngineError, NotFound, ProblemsFound
from core.home import data_dir
from core.job import EngineRef, JobState, Measured, Result
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.store import Store, open_store
from evaluation.seed_runs import differences
from evaluation.swept import Swept, in_words, swept
from tests.training.conftest import colour_rows, write_rows

LOSSES = {(4, 1e-3): 0.42, (4, 1e-2): 0.9, (16, 1e-3): 0.40, (16, 1e-2): 0.8}
SEEDS = {7: 0.0, 8: 0.05, 9: -0.02}
RANKS, RATES = (4, 16), (1e-3, 1e-2)


@pytest.fixture
def store() -> Store:
    return open_store()


@pytest.fixture
def fake(tmp_path: Path) -> JobSpec:
    rows = colour_rows()
    parts = {"dataset": rows[:32], "validation": rows[32:40], "test": rows[40:]}
    files = {part: write_rows(tmp_path / f"{part}.jsonl", each) for part, each in parts.items()}
    return JobSpec(engine="fake", name="Try", fake={"seconds": 0.05}, **files)  # type: ignore[arg-type]


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Every job has ended: trainings with the losses above, each after so many `seconds`; those `failing` failed."""
    told = {"seconds": 60.0, "failing_rank": 0.0}

    def failed(ref: EngineRef) -> bool:
        return RunFolder.of(ref.ref).spec().method.rank == told["failing_rank"]

    def poll(self: FakeEngine, ref: EngineRef) -> JobState:
        return JobState(state="failed", reason="Out of memory.") if failed(ref) else JobState(state="succeeded")

    def result(self: FakeEngine, ref: EngineRef) -> Result:
        spec = RunFolder.of(ref.ref).spec()
        loss = LOSSES[spec.method.rank, spec.learning_rate] + SEEDS[spec.seed]
        return Result(metrics={"validation_loss": loss}, measured=Measured(seconds=told["seconds"], memory_gib=1.0))

    monkeypatch.setattr(FakeEngine, "poll", poll)
    monkeypatch.setattr(FakeEngine, "result", result)
    return told


def test_every_pair_is_trained_on_the_same_rows_and_nothing_is_judged_yet(store: Store, fake: JobSpec) -> None:
    jobs = launch_sweep(store, fake, ranks=RANKS, rates=RATES, epochs=2)
    specs = [store.job(job).spec for job in jobs.job_ids]
    assert [(spec.method.rank, spec.learning_rate) for spec in specs] == list(LOSSES)
    assert {spec.kind for spec in specs} == {"train"} and {spec.epochs for spec in specs} == {2.0}
    assert len({(spec.dataset, spec.validation, spec.seed, spec.method.alpha) for spec in specs}) == 1
    assert all(spec.after == [] for spec in specs), "one that fails stops no other"
    assert jobs.judge is None and jobs.predicted_seconds == pytest.approx(7 * 0.05), "4 settings, 2 seeds, 1 judge"
    assert sweep_jobs(jobs.group) == jobs and all_sweeps() == [jobs]


def test_the_lowest_validation_loss_is_judged_once_with_two_more_seeds_of_it(
    store: Store, fake: JobSpec, ended: dict[str, float]
) -> None:
    jobs = go_on(store, launch_sweep(store, fake, ranks=RANKS, rates=RATES))
    best = store.job(str(jobs.best)).spec
    assert (best.method.rank, best.learning_rate) == (16, 1e-3)
    seeds = [store.job(job).spec for job in jobs.seed_jobs]
    assert [spec.seed for spec in seeds] == [8, 9] and all(differences(best, spec) == [] for spec in seeds)
    judge = store.job(str(jobs.judge)).spec
    assert (judge.kind, judge.job, judge.seed_jobs) == ("evaluate", jobs.best, jobs.seed_jobs)
    assert judge.after == [jobs.best, *jobs.seed_jobs] and judge.test == str(data_dir() / jobs.group / "test.jsonl")
    assert go_on(store, jobs) == jobs == sweep_jobs(jobs.group), "a second call launches nothing"
    found = swept(store, jobs)
    assert [row.validation_loss for row in found.settings] == sorted(LOSSES.values())
    assert [row.best for row in found.settings] == [True, False, False, False]
    assert [row.alike for row in found.settings] == [False, True, False, False]
    assert "No farther from it than its own seeds are: rank 4, rate 0.001." in found.words


def test_other_seeds_are_left_out_where_a_run_takes_long(store: Store, fake: JobSpec, ended: dict[str, float]) -> None:
    ended["seconds"] = 601.0
    jobs = go_on(store, launch_sweep(store, fake, ranks=RANKS))
    assert jobs.seed_jobs == [] and store.job(str(jobs.judge)).spec.seed_jobs == []
    assert "With one seed it is not known" in swept(store, jobs).words


def test_a_setting_that_failed_is_told_and_the_best_is_one_of_the_others(
    store: Store, fake: JobSpec, ended: dict[str, float]
) -> None:
    ended["failing_rank"] = 16
    jobs = go_on(store, launch_sweep(store, fake, ranks=RANKS))
    assert store.job(str(jobs.best)).spec.method.rank == 4
    assert swept(store, jobs).settings[-1].reason == "Out of memory."
    ended["failing_rank"] = 4
    with pytest.raises(EngineError, match="no setting was trained"):
        go_on(store, launch_sweep(store, fake, ranks=[4], rates=RATES))


def test_nothing_is_chosen_before_all_have_ended(store: Store, fake: JobSpec) -> None:
    jobs = launch_sweep(store, fake.model_copy(update={"fake": {"seconds": 60.0}}), ranks=RANKS)
    assert go_on(store, jobs) == jobs and "when all trainings have ended" in swept(store, jobs).words


@pytest.mark.parametrize(
    ("change", "asked", "words"),
    [
        ({}, {"ranks": [4]}, "2 to 24 settings, and these are 1"),
        ({}, {"ranks": [0, 4]}, "between 1 and 1024"),
        ({}, {"rates": [2.0, 0.1]}, "above 0 and at most 1"),
        ({"method": {"kind": "ia3"}}, {"ranks": [4, 8]}, "has no rank"),
        ({"test": None}, {"ranks": [4, 8]}, "validation rows to choose by"),
        ({"objective": "dpo"}, {"ranks": [4, 8]}, "learn from answers"),
        ({"fake": {"sped": 1.0}}, {"ranks": [4, 8]}, "`sped` is not part"),
    ],
)
def test_what_cannot_be_swept_leaves_nothing_behind(
    store: Store, fake: JobSpec, change: dict[str, object], asked: dict[str, list[int]], words: str
) -> None:
    spec = JobSpec.model_validate(fake.model_dump(exclude_unset=True) | change)
    with pytest.raises((BadInput, ProblemsFound), match=words):
        launch_sweep(store, spec, **asked)  # type: ignore[arg-type]
    assert store.jobs() == [] and list(data_dir().glob("group-*")) == []
    with pytest.raises(NotFound, match="no sweep"):
        sweep_jobs("group-20261125-00000000")


def test_settings_beyond_every_seed_are_called_worse() -> None:
    row = {"rank": 4, "train": "job-1", "state": "succeeded"}
    rows = [
        {**row, "learning_rate": 1e-3, "validation_loss": 0.4, "best": True},
        {**row, "learning_rate": 1e-2, "validation_loss": 0.9},
    ]
    found = Swept.model_validate(
        {"group": "g", "name": "n", "settings": rows, "seed_losses": [0.4, 0.45, 0.5], "judged": False, "words": ""}
    )
    assert "worse than each of its seeds" in in_words(found) and "standard deviation 0.050" in in_words(found)
