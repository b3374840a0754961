"""The store: six first opens at once, no lost updates, no secret in a message."""

from __future__ import annotations

import subprocess
import sys
import threading
import traceback
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from core.answers import Answers
from core.errors import NotFound, StoreError
from core.job import EngineRef
from core.jobspec import JobSpec
from core.migrate import HEAD, current
from core.store import open_store
from core.tables import Base

ROOT = Path(__file__).resolve().parents[2]


def test_six_first_opens_at_once_all_succeed(home: Path) -> None:
    script = "from core.store import open_store; print(open_store().new_plan('x').id)"
    workers = [
        subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(6)
    ]
    ends = [(worker.communicate(timeout=60), worker.returncode) for worker in workers]
    assert [code for _, code in ends] == [0] * 6, [err.decode()[-500:] for (_, err), _ in ends]
    assert len(open_store().plans()) == 6


def test_the_newest_migration_is_the_one_that_the_store_expects() -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "core" / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_migrations_make_the_very_tables_that_the_code_uses(home: Path) -> None:
    open_store()
    engine = create_engine(f"sqlite:///{home / 'tuneworthy.db'}")
    try:
        made = inspect(engine)
        for table in Base.metadata.sorted_tables:
            columns = {column["name"]: column["nullable"] for column in made.get_columns(table.name)}
            assert columns == {column.name: column.nullable for column in table.columns}
            indexes = {index["name"] for index in made.get_indexes(table.name)}
            assert indexes == {index.name for index in table.indexes}
        assert current(engine) == HEAD
    finally:
        engine.dispose()


def test_a_store_of_a_newer_release_is_refused_and_left_alone(home: Path) -> None:
    open_store().new_plan("kept")
    address = f"sqlite:///{home / 'tuneworthy.db'}"
    engine = create_engine(address)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    script = "from core.store import open_store; open_store()"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "schema 9999" in done.stderr


def test_updates_from_two_pages_at_once_lose_nothing(home: Path) -> None:
    store = open_store()
    plan = store.new_plan("both")
    failures: list[BaseException] = []

    def write(field: str) -> None:
        try:
            for index in range(25):
                store.update_plan(plan.id, **{field: f"{field} {index}"})
                store.add_job(JobSpec(name=field), plan_id=plan.id)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(field,)) for field in ("name", "decided_by", "verdict")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    after = store.plan(plan.id)
    assert (after.name, after.decided_by, after.verdict) == ("name 24", "decided_by 24", "verdict 24")
    assert len(after.jobs) == len(store.jobs(plan.id)) == 75


def test_a_plan_comes_back_as_it_was_stored(home: Path) -> None:
    store = open_store()
    plan = store.new_plan("tickets")
    answers = Answers(task="Turn mail into tickets", volume_per_month=9000, languages=["en", "es"])
    store.update_plan(plan.id, answers=answers, price_overrides={"gpu": 1.5})
    stored = store.plan(plan.id)
    assert stored.answers == answers
    assert stored.price_overrides == {"gpu": 1.5}
    assert stored.updated_at > plan.updated_at


def test_archived_plans_leave_the_list_and_come_back(home: Path) -> None:
    store = open_store()
    plan = store.new_plan("old")
    store.update_plan(plan.id, archived=True)
    assert store.plans() == []
    assert [found.id for found in store.plans(archived=True)] == [plan.id]


def test_deleting_a_plan_leaves_its_jobs_without_a_plan(home: Path) -> None:
    store = open_store()
    plan = store.new_plan()
    record = store.add_job(JobSpec(), plan_id=plan.id)
    store.delete_plan(plan.id)
    assert store.job(record.id).plan_id is None
    with pytest.raises(NotFound, match="no plan"):
        store.plan(plan.id)


def test_a_job_is_stored_before_it_has_a_reference(home: Path) -> None:
    store = open_store()
    record = store.add_job(JobSpec(name="first"), plan_id=None)
    assert store.job(record.id).ref is None
    store.set_ref(record.id, EngineRef(engine="local", ref=record.id))
    assert store.job(record.id).ref == EngineRef(engine="local", ref=record.id)


def test_a_password_in_the_address_never_reaches_a_message(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for address in (
        "postgresql+nodriver://joe:canary@db.example/x",
        "postgresql+nodriver://joe:very@canary@db.example/x",
        "postgresql+nodriver://joe:very@secret:canary@db.example/x",
        "postgresql+nodriver://db.example/x?password=canary",
        "no address: canary",
    ):
        monkeypatch.setenv("TUNEWORTHY_DB", address)
        with pytest.raises(StoreError) as caught:
            open_store()
        assert "canary" not in "".join(traceback.format_exception(caught.value)), address


def test_a_store_that_cannot_be_opened_is_named_by_its_kind(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEWORTHY_DB", "postgresql+nodriver://joe@db.example/x")
    with pytest.raises(StoreError, match=r"the store \(postgresql\).*TUNEWORTHY_DB"):
        open_store()
    monkeypatch.setenv("TUNEWORTHY_DB", "sqlite:////nowhere/at/all.db")
    with pytest.raises(StoreError, match=r"/nowhere/at/all\.db"):
        open_store()


def test_a_home_that_cannot_be_made_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TUNEWORTHY_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(StoreError, match="TUNEWORTHY_HOME"):
        open_store()
