"""What is deleted with what, said first."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.launch import launch, state_of
from backends.removal import purge, remove, usage, what_goes, what_purges
from core.errors import NotFound, Refused
from core.home import cache_dir, data_dir, run_dir
from core.job import EngineRef, Outcome, Result
from core.jobspec import JobSpec
from core.plan import DataRef
from core.run_folder import RunFolder
from core.store import JobRecord, Store, open_store


@pytest.fixture
def store() -> Store:
    return open_store()


def trained(store: Store, plan_id: str | None = None) -> JobRecord:
    """An ended local training with log, checkpoint, adapter and report."""
    spec = JobSpec(name="Tickets")
    record = store.add_job(spec, plan_id=plan_id)
    store.set_ref(record.id, EngineRef(engine="local", ref=record.id))
    folder = RunFolder.create(record.id, spec)
    for path in ("checkpoints/checkpoint-4/w.bin", "adapter/adapter_model.safetensors", "evaluation.json", "log.txt"):
        file = folder.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"0" * 1024)
    folder.finish(Outcome(state="succeeded", result=Result(adapter=str(folder.adapter)), at=datetime.now(UTC)))
    return store.job(record.id)


def data_at(folder: Path) -> DataRef:
    parts = {}
    for part in ("train", "validation", "test"):
        parts[part] = str(folder / f"{part}.jsonl")
        Path(parts[part]).write_text("{}\n")
    counts = {"rows": 3, "train_rows": 1, "validation_rows": 1, "test_rows": 1}
    return DataRef(name="rows.jsonl", sha256="0" * 64, **parts, **counts)


def with_data(store: Store, name: str) -> str:
    place = data_dir() / "abc"
    place.mkdir(parents=True, exist_ok=True)
    plan = store.new_plan(name)
    store.update_plan(plan.id, data=data_at(place))
    return plan.id


def test_deleting_a_job_says_what_goes_and_takes_just_that(store: Store) -> None:
    plan = store.new_plan("Mine")
    job, other = trained(store, plan.id), trained(store, plan.id)
    said = what_goes(store, "job", job.id)
    assert said[0] == "the train job `Tickets`"
    assert [part.partition(" (")[0] for part in said[1:]] == [
        "its adapter",
        "its checkpoints",
        "its evaluation report",
        "its log",
    ]
    assert remove(store, "job", job.id) == said
    assert not run_dir(job.id).exists() and run_dir(other.id).exists()
    assert store.plan(plan.id).jobs == [other.id]
    with pytest.raises(NotFound):
        store.job(job.id)


def test_a_job_at_work_is_not_deleted_and_neither_is_its_plan(store: Store) -> None:
    plan = store.new_plan("Busy")
    job = launch(store, JobSpec(engine="fake", fake={"seconds": 60.0}), plan_id=plan.id)
    for thing, name in (("job", job.id), ("plan", plan.id)):
        with pytest.raises(Refused, match="still at work"):
            remove(store, thing, name)  # type: ignore[arg-type]
    assert store.job(job.id).id == job.id and not state_of(job).done


def test_a_plan_takes_its_jobs_and_its_data_with_it(store: Store) -> None:
    plan_id = with_data(store, "Whole")
    job = trained(store, plan_id)
    said = what_goes(store, "plan", plan_id)
    assert said[0] == "the plan `Whole`" and any("rows.jsonl" in part for part in said)
    remove(store, "plan", plan_id)
    assert not run_dir(job.id).exists() and not (data_dir() / "abc").exists()
    assert store.plans() == []


def test_data_that_another_plan_uses_stays(store: Store) -> None:
    first, second = with_data(store, "First"), with_data(store, "Second")
    assert what_goes(store, "data", first) == []
    remove(store, "plan", first)
    assert (data_dir() / "abc" / "train.jsonl").is_file()
    remove(store, "data", second)
    assert not (data_dir() / "abc").exists() and store.plan(second).data is None


def test_a_file_of_the_users_own_is_never_deleted(store: Store, tmp_path: Path) -> None:
    plan = store.new_plan("Outside")
    store.update_plan(plan.id, data=data_at(tmp_path))
    remove(store, "plan", plan.id)
    assert (tmp_path / "train.jsonl").is_file()


def test_purges_say_what_they_delete_and_leave_the_rest(store: Store) -> None:
    job = trained(store)
    with_data(store, "Used")
    (data_dir() / "orphan").mkdir()
    (data_dir() / "orphan" / "rows.jsonl").write_text("{}\n")
    before = usage()
    assert before["checkpoints"] == 1024 and before["adapters"] == 1024 and before["uploads"] > 0
    (said,) = what_purges(store, "checkpoints")
    assert job.id in said
    assert purge(store, "checkpoints") == [said]
    assert usage()["checkpoints"] == 0 and usage()["adapters"] == 1024
    (said,) = purge(store, "uploads")
    assert "orphan" in said
    assert (data_dir() / "abc").is_dir() and not (data_dir() / "orphan").exists()


def test_rows_of_a_job_and_an_upload_that_comes_in_just_now_are_no_unused_uploads(store: Store) -> None:
    names = ("train", "validation", "test", "archived", "wanted", "new-1a2b", "orphan")
    rows = {name: data_dir() / name / "rows.jsonl" for name in names}
    for file in rows.values():
        file.parent.mkdir()
        file.write_text("{}\n")
    parts = {part: str(rows[part]) for part in ("train", "validation", "test")}
    launch(store, JobSpec(engine="fake", dataset=parts["train"], validation=parts["validation"], test=parts["test"]))
    old = launch(store, JobSpec(engine="fake", dataset=str(rows["archived"])))
    store.update_job(old.id, archived=True)
    store.update_plan(store.new_plan("Next").id, spec=JobSpec(dataset=str(rows["wanted"])))
    (said,) = purge(store, "uploads")
    assert said.startswith("upload orphan")
    assert {name for name, file in rows.items() if file.is_file()} == set(names) - {"orphan"}


def test_a_purge_of_the_cache_takes_base_models_and_kept_answers(store: Store) -> None:
    assert purge(store, "cache") == []
    model, answers = cache_dir() / "models" / "house--small", cache_dir() / "answers" / "0a1b.jsonl"
    for file in (model / "config.json", answers):
        file.parent.mkdir(parents=True)
        file.write_text("{}\n")
    said = what_purges(store, "cache")
    assert said[0].startswith("models/house--small") and said[1].startswith("the judge's answers")
    assert purge(store, "cache") == said
    assert not model.exists() and not answers.exists() and usage()["cache"] == 0


def test_checkpoints_of_a_running_job_and_a_cache_in_use_stay(store: Store) -> None:
    job = launch(store, JobSpec(engine="fake", fake={"seconds": 60.0}))
    checkpoint = run_dir(job.id) / "checkpoints" / "checkpoint-1"
    checkpoint.mkdir(parents=True)
    assert purge(store, "checkpoints") == [] and checkpoint.is_dir()
    with pytest.raises(Refused, match="may need the cache"):
        purge(store, "cache")
