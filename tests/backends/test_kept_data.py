"""Data that was taken in: who uses it, another name, the archive, and deletion that says first what goes."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from backends.kept_data import KeptData, archive, kept_data, remove, rename, what_goes
from backends.launch import launch
from core.errors import BadInput, NotFound, Refused
from core.jobspec import JobSpec
from core.plan import DataRef
from core.store import Store, open_store
from dataset.kept import data_ref
from dataset.prepare import adopt

DAY = date(2026, 11, 24)


@pytest.fixture
def store() -> Store:
    return open_store()


def chats(count: int = 30) -> bytes:
    rows = [
        {"messages": [{"role": "user", "content": f"Guest {n * n}: move booking {1000 + 37 * n}"},
                      {"role": "assistant", "content": f"move {1000 + 37 * n}"}]}
        for n in range(count)
    ]  # fmt: skip
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def taken_in(store: Store, plan_name: str | None = "Tickets") -> DataRef:
    data = adopt(chats(), "rows.jsonl", today=DAY)
    if plan_name:
        store.update_plan(store.new_plan(plan_name).id, data=data)
    return data


def only(store: Store) -> KeptData:
    (found,) = kept_data(store)
    return found


def fake_job(store: Store, data: DataRef, seconds: float) -> str:
    spec = JobSpec(engine="fake", name="Colours", dataset=data.train, test=data.test, fake={"seconds": seconds})
    return launch(store, spec).id


def test_a_set_is_listed_with_its_rows_its_size_and_who_uses_it(store: Store) -> None:
    data = taken_in(store)
    job_id = fake_job(store, data, 0.01)
    found = only(store)
    assert (found.name, found.archived, found.whole) == ("rows.jsonl", False, True)
    assert found.rows == {"train": data.train_rows, "validation": data.validation_rows, "test": data.test_rows}
    assert found.size_bytes == sum(path.stat().st_size for path in found.folder.iterdir())
    assert [plan.name for plan in found.plans] == ["Tickets"] and [job.id for job in found.jobs] == [job_id]


def test_a_new_name_reaches_the_plans_and_leaves_the_rows_alone(store: Store) -> None:
    data = taken_in(store)
    before = Path(data.train).read_bytes()
    rename(store, only(store).id, "  House   style ")
    assert only(store).name == "House style"
    (plan,) = store.plans()
    assert plan.data == data.model_copy(update={"name": "House style"})
    assert Path(data.train).read_bytes() == before


@pytest.mark.parametrize("name", ["", "  ", "x" * 121])
def test_a_name_that_says_nothing_is_refused(store: Store, name: str) -> None:
    taken_in(store)
    with pytest.raises(BadInput, match="1 to 120 characters"):
        rename(store, only(store).id, name)
    assert only(store).name == "rows.jsonl"


def test_archived_data_stays_where_it_is_and_keeps_its_name(store: Store) -> None:
    data = taken_in(store)
    rename(store, only(store).id, "Old ones")
    archive(store, only(store).id)
    assert kept_data(store, archived=False) == []
    (put_away,) = kept_data(store, archived=True)
    assert put_away.name == "Old ones" and Path(data.train).is_file()
    archive(store, put_away.id, False)
    assert [found.name for found in kept_data(store, archived=False)] == ["Old ones"]


def test_what_goes_is_said_before_it_goes_and_then_it_is_gone_from_every_plan(store: Store) -> None:
    data = taken_in(store)
    store.update_plan(store.new_plan("Another").id, data=data)
    fake_job(store, data, 0.01)
    other = adopt(chats(40), "other.jsonl", today=DAY)
    target = next(found for found in kept_data(store) if found.name == "rows.jsonl")
    said = "; ".join(what_goes(target))
    assert all(
        words in said
        for words in ("`rows.jsonl` (30 rows", "plan `Tickets`", "plan `Another`", "a job that", "`Colours`")
    )
    assert Path(data.train).is_file(), "deleted by being asked about"
    assert remove(store, target.id) == what_goes(target)
    assert not target.folder.exists() and Path(other.train).is_file()
    assert all(plan.data is None for plan in store.plans())


def test_data_that_a_job_reads_just_now_is_not_deleted(store: Store) -> None:
    data = taken_in(store)
    fake_job(store, data, 60.0)
    with pytest.raises(Refused, match="`Colours` is still at work"):
        remove(store, only(store).id)
    assert Path(data.train).is_file() and store.plans()[0].data is not None


def test_a_set_whose_manifest_is_broken_can_be_deleted_and_nothing_else(store: Store) -> None:
    data = taken_in(store, None)
    (Path(data.train).parent / "manifest.json").write_text("{")
    found = only(store)
    assert found.rows is None and not found.whole
    with pytest.raises(BadInput, match="not whole"):
        data_ref(found.folder)
    remove(store, found.id)
    assert kept_data(store) == []


def test_a_set_that_is_gone_is_not_found(store: Store) -> None:
    for act in (remove, archive, lambda store, set_id: rename(store, set_id, "x")):
        with pytest.raises(NotFound, match="no data `0123`"):
            act(store, "0123")
