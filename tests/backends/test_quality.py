"""The jobs of the experiment with doubtful labels: which rows each trains on, and what cannot be tried."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from backends.learning import all_learning_jobs
from backends.quality import QualityJobs, launch_quality, quality_jobs
from core.errors import BadInput, NotFound, ProblemsFound
from core.home import data_dir
from core.jobspec import JobSpec
from core.store import Store, open_store
from dataset.read import read
from evaluation.learned import states
from evaluation.quality import quality_result
from tests.training.conftest import chat, write_rows

WISHES = {"cancel": "cancel the booking of room", "food": "bring breakfast to table", "spa": "warm the sauna at"}
WRONG = 6


def wishes(count: int, wrong: int) -> list[dict[str, list[dict[str, str]]]]:
    """Rows of three classes, the first `wrong` of them with the label of another."""
    labels = list(WISHES)
    return [
        chat(f"Guest {n * n * 37}: {WISHES[labels[n % 3]]} {n * 91}", labels[(n + (n < wrong)) % 3])
        for n in range(count)
    ]


def shuffled(rows: list[dict[str, list[dict[str, str]]]]) -> list[dict[str, list[dict[str, str]]]]:
    return random.Random(1).sample(rows, len(rows))


@pytest.fixture
def store() -> Store:
    return open_store()


@pytest.fixture
def fake(tmp_path: Path) -> JobSpec:
    """120 rows of which six have a wrong label, on an engine that trains nothing."""
    files = {
        "dataset": write_rows(tmp_path / "train.jsonl", shuffled(wishes(120, WRONG))),
        "test": write_rows(tmp_path / "test.jsonl", wishes(150, 0)[120:]),
    }
    return JobSpec(engine="fake", name="Wishes", fake={"seconds": 0.05}, **files)  # type: ignore[arg-type]


def texts(store: Store, jobs: QualityJobs) -> dict[str, set[tuple[str, str]]]:
    specs = {arm.arm: store.job(arm.train).spec for arm in jobs.arms}
    rows = {arm: read(Path(str(spec.dataset))).rows for arm, spec in specs.items()}
    return {arm: {(row.user_text, row.answer) for row in found} for arm, found in rows.items()}


def test_each_choice_of_rows_is_trained_and_judged_on_the_same_rows(store: Store, fake: JobSpec) -> None:
    jobs = launch_quality(store, fake, epochs=1)
    records = [store.job(job_id) for job_id in jobs.job_ids]
    assert [record.kind for record in records] == ["train", "evaluate"] * 3
    assert [record.spec.after for record in records] == [[], *([job_id] for job_id in jobs.job_ids[:-1])]
    assert [record.spec.job for record in records[1::2]] == jobs.job_ids[::2]
    assert {record.spec.group for record in records} == {jobs.group}
    assert {record.spec.epochs for record in records} == {1}
    assert {record.spec.test for record in records} == {str(data_dir() / jobs.group / "test.jsonl")}
    assert records[2].spec.name == "Wishes: without the suspects"
    assert quality_result(jobs) is None and set(states(store, jobs)) == set(jobs.job_ids)


def test_the_suspects_go_in_one_choice_and_as_many_others_in_the_control(store: Store, fake: JobSpec) -> None:
    jobs = launch_quality(store, fake)
    assert [arm.rows for arm in jobs.arms] == [120, 120 - WRONG, 120 - WRONG]
    found = texts(store, jobs)
    wrong = {(row["messages"][0]["content"], row["messages"][1]["content"]) for row in wishes(120, WRONG)[:WRONG]}
    assert found["all"] - found["without_suspects"] == wrong
    others = found["all"] - found["control"]
    assert len(others) == WRONG and not others & wrong
    lines = {row.line: (row.user_text, row.answer) for row in read(Path(str(fake.dataset))).rows}
    assert {lines[line] for line in jobs.dropped} == wrong


def test_fewer_suspects_can_be_dropped_than_were_found(store: Store, fake: JobSpec) -> None:
    jobs, every = launch_quality(store, fake, drop=2), launch_quality(store, fake)
    assert [arm.rows for arm in jobs.arms] == [120, 118, 118]
    assert jobs.dropped == every.dropped[:2], "the likeliest mistakes come first"


def test_a_launch_is_found_again_and_is_no_learning_curve(store: Store, fake: JobSpec) -> None:
    jobs = launch_quality(store, fake)
    assert quality_jobs(jobs.group) == jobs and all_learning_jobs() == []
    (data_dir() / jobs.group / "quality.json").unlink()
    with pytest.raises(NotFound, match="no experiment"):
        quality_jobs(jobs.group)


@pytest.mark.parametrize(
    ("rows", "change", "words"),
    [
        (wishes(120, 0), {}, "none of 120 labels is doubtful"),
        (wishes(60, WRONG), {}, "Too few rows"),
        (shuffled(wishes(120, WRONG)), {"test": None}, "the experiment needs held-out rows"),
        (shuffled(wishes(120, WRONG)), {"budget_usd": 1e9, "test": "gone.jsonl"}, "gone.jsonl"),
    ],
)
def test_what_cannot_be_tried_leaves_nothing_behind(
    store: Store, fake: JobSpec, tmp_path: Path, rows: list[object], change: dict[str, object], words: str
) -> None:
    spec = fake.model_copy(update={"dataset": write_rows(tmp_path / "rows.jsonl", rows)} | change)
    with pytest.raises((BadInput, NotFound, ProblemsFound), match=words):
        launch_quality(store, spec)
    assert store.jobs() == [] and list(data_dir().glob("group-*")) == []


def test_more_than_was_found_cannot_be_dropped(store: Store, fake: JobSpec) -> None:
    with pytest.raises(BadInput, match="only 6 labels are doubtful"):
        launch_quality(store, fake, drop=50)
