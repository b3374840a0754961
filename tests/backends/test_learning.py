"""The jobs of a learning curve: what is written, what waits for what, and what stays behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.fake import FakeEngine
from backends.learning import all_learning_jobs, launch_learning, learning_jobs
from backends.removal import purge, remove, what_purges
from core.errors import BadInput, EngineError, NotFound, ProblemsFound
from core.home import data_dir
from core.job import EngineRef
from core.jobspec import JobSpec
from core.store import Store, open_store
from dataset.read import read
from evaluation.learned import learned, states
from tests.backends.conftest import wait_until
from tests.training.conftest import colour_rows, write_rows


@pytest.fixture
def store() -> Store:
    return open_store()


@pytest.fixture
def fake(tmp_path: Path) -> JobSpec:
    """Forty rows in columns of their own names, on an engine that trains nothing."""
    files = {}
    for part, rows in (("dataset", colour_rows()[:40]), ("test", colour_rows()[40:])):
        turns = [[message["content"] for message in row["messages"]] for row in rows]
        files[part] = write_rows(tmp_path / f"{part}.jsonl", [{"asked": one, "said": two} for one, two in turns])
    return JobSpec(engine="fake", name="Try", inputs=["asked"], output="said", fake={"seconds": 0.05}, **files)  # type: ignore[arg-type]


def rows_of(path: str | None) -> list[str]:
    return [row.user_text for row in read(Path(str(path))).rows]


def test_each_share_is_trained_and_judged_and_waits_for_the_one_before(store: Store, fake: JobSpec) -> None:
    jobs = launch_learning(store, fake, epochs=1)
    records = [store.job(job_id) for job_id in jobs.job_ids]
    assert [record.kind for record in records] == ["train", "evaluate"] * 3
    assert {record.spec.group for record in records} == {jobs.group}
    assert [record.spec.after for record in records] == [[], *([job_id] for job_id in jobs.job_ids[:-1])]
    assert [record.spec.job for record in records[1::2]] == jobs.job_ids[::2]
    assert {record.spec.epochs for record in records} == {1}
    assert all(record.spec.models == ["tuned"] for record in records[1::2])
    assert all(record.ref is not None and record.predicted is not None for record in records)
    assert learned(jobs) is None, "there is no curve before the last judgement"


def test_the_smaller_shares_are_parts_of_the_larger_ones_and_all_are_judged_on_the_same_rows(
    store: Store, fake: JobSpec
) -> None:
    jobs = launch_learning(store, fake)
    trains, judges = ([store.job(job_id).spec for job_id in jobs.job_ids[at::2]] for at in (0, 1))
    parts = [rows_of(spec.dataset) for spec in trains]
    assert [len(part) for part in parts] == [share.rows for share in jobs.shares] == [4, 12, 40]
    assert set(parts[0]) < set(parts[1]) < set(parts[2])
    assert {spec.test for spec in judges} == {str(data_dir() / jobs.group / "test.jsonl")}
    assert len(rows_of(judges[0].test)) == 8
    assert all(spec.inputs is None and spec.output is None and spec.dataset_sha256 for spec in (*trains, *judges))


def test_a_prompt_over_columns_is_written_into_the_shares_once(store: Store, fake: JobSpec) -> None:
    spec = fake.model_copy(update={"inputs": None, "template": "Now: {asked}"})
    jobs = launch_learning(store, spec)
    specs = [store.job(job_id).spec for job_id in jobs.job_ids]
    assert all(each.template is None for each in specs)
    assert all(text.startswith("Now: Please paint") for text in (*rows_of(specs[0].dataset), *rows_of(specs[1].test)))


def test_a_launch_is_found_again_by_its_group(store: Store, fake: JobSpec) -> None:
    first, second = launch_learning(store, fake), launch_learning(store, fake)
    assert learning_jobs(first.group) == first
    assert [jobs.group for jobs in all_learning_jobs()] == [second.group, first.group]
    (data_dir() / second.group / "jobs.json").write_text("{")
    assert all_learning_jobs() == [first]
    with pytest.raises(NotFound, match="no learning curve"):
        learning_jobs(second.group)
    with pytest.raises(BadInput, match="is not a group id"):
        learning_jobs("../elsewhere")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"test": None}, "needs held-out rows"),
        ({"dataset": None}, "starts from a train spec"),
        ({"kind": "evaluate"}, "starts from a train spec"),
        ({"budget_usd": 1e9, "dataset": "gone.jsonl"}, "gone.jsonl"),
    ],
)
def test_what_cannot_be_launched_leaves_nothing_behind(
    store: Store, fake: JobSpec, change: dict[str, object], words: str
) -> None:
    with pytest.raises((BadInput, NotFound, ProblemsFound), match=words):
        launch_learning(store, fake.model_copy(update=change))
    assert store.jobs() == [] and list(data_dir().glob("group-*")) == []


def test_too_few_shares_or_rows_are_refused(store: Store, fake: JobSpec, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="3 shares or more"):
        launch_learning(store, fake, shares=[0.5, 1.0])
    few = [{"asked": f"{n * 7919} of what", "said": "this"} for n in range(3)]
    with pytest.raises(BadInput, match="come to shares of"):
        launch_learning(store, fake.model_copy(update={"dataset": write_rows(tmp_path / "few.jsonl", few)}))
    assert store.jobs() == [] and list(data_dir().glob("group-*")) == []


def test_an_engine_that_refuses_later_jobs_has_the_earlier_ones_stopped(
    store: Store, fake: JobSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[EngineRef] = []
    submit = FakeEngine.submit

    def twice_only(self: FakeEngine, spec: JobSpec, job_id: str) -> EngineRef:
        if len(started) == 2:
            raise EngineError("the line is dead.")
        started.append(submit(self, spec, job_id))
        return started[-1]

    monkeypatch.setattr(FakeEngine, "submit", twice_only)
    with pytest.raises(EngineError, match="line is dead"):
        launch_learning(store, fake.model_copy(update={"fake": {"seconds": 30.0}}))
    assert [FakeEngine().poll(ref).state for ref in started] == ["cancelled", "cancelled"]


def test_the_rows_stay_while_a_job_needs_them_and_are_purged_with_the_uploads_after(
    store: Store, fake: JobSpec
) -> None:
    jobs = launch_learning(store, fake)
    assert what_purges(store, "uploads") == []
    for job_id in jobs.job_ids:
        ref = store.job(job_id).ref
        assert ref is not None
        wait_until(FakeEngine(), ref, lambda state: state.done)
        remove(store, "job", job_id)
    assert states(store, jobs)[jobs.job_ids[0]].reason == "It was deleted."
    assert jobs.group in purge(store, "uploads")[0]
    assert not (data_dir() / jobs.group).exists()
