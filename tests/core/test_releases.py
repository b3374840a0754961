"""Releases from quarantine: kept with name, reason and verdict, and brought into a store of the release before."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from core.errors import ProblemsFound
from core.jobspec import JobSpec
from core.store import open_store

ROOT = Path(__file__).resolve().parents[2]
JOB = "job-20261124-00000001"
REASON = "Only five of us use it, with a person reading every answer."


def test_a_release_is_kept_with_who_why_when_and_the_verdict_of_that_moment(home: Path) -> None:
    store = open_store()
    made = store.release(
        JOB, weights_sha256="ab" * 32, name=" Ada  Byron ", reason=f"  {REASON}\n", verdict="do_not_ship", judged_by="e"
    )
    assert store.releases(JOB) == [made] == store.releases()
    assert (made.name, made.reason, made.verdict, made.judged_by) == ("Ada Byron", REASON, "do_not_ship", "e")
    assert made.created_at.tzinfo is not None


def test_the_newest_release_comes_first_and_those_of_others_are_left_out(home: Path) -> None:
    store = open_store()
    reasons = [f"{REASON} Trial {number}." for number in range(3)]
    for reason in reasons:
        store.release(JOB, weights_sha256="ab" * 32, name="Ada", reason=reason)
    store.release("job-20261124-00000002", weights_sha256="cd" * 32, name="Ada", reason=REASON)
    assert [each.reason for each in store.releases(JOB)] == reasons[::-1]


@pytest.mark.parametrize(
    ("name", "reason", "field"),
    [
        ("Ada", "because I can", "reason"),
        ("Ada", "why" + " " * 40, "reason"),
        ("Ada", "x" * 2001, "reason"),
        (" ", REASON, "name"),
        ("A" * 121, REASON, "name"),
    ],
)
def test_a_name_or_a_reason_that_says_too_little_is_refused(home: Path, name: str, reason: str, field: str) -> None:
    store = open_store()
    with pytest.raises(ProblemsFound, match=field):
        store.release(JOB, weights_sha256="ab" * 32, name=name, reason=reason)
    assert store.releases() == []


def test_name_and_reason_are_complained_about_together(home: Path) -> None:
    with pytest.raises(ProblemsFound) as refused:
        open_store().release(JOB, weights_sha256="ab" * 32, name="", reason="no")
    assert len(refused.value.problems()) == 2
    assert "`reason`: string should have at least 15 characters (got 'no')" in str(refused.value)


def test_a_deleted_job_takes_its_releases_with_it(home: Path) -> None:
    store = open_store()
    job = store.add_job(JobSpec(), plan_id=None)
    for job_id in (job.id, JOB):
        store.release(job_id, weights_sha256="ab" * 32, name="Ada", reason=REASON)
    store.delete_job(job.id)
    assert [each.job_id for each in store.releases()] == [JOB]


def test_a_store_of_the_release_before_is_brought_up_and_keeps_what_it_holds(home: Path) -> None:
    home.mkdir()
    engine = create_engine(f"sqlite:///{home / 'tuneworthy.db'}")
    config = Config()
    config.set_main_option("script_location", str(ROOT / "core" / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        adapter = "INSERT INTO adapters VALUES ('job-1', 'Tickets', '/a', 0, '2026-11-01 09:00:00')"
        connection.execute(text(adapter))
    engine.dispose()
    store = open_store()
    assert store.adapter_names() == {"job-1": ("Tickets", False)}
    store.release("job-1", weights_sha256="ab" * 32, name="Ada", reason=REASON)
    assert len(store.releases("job-1")) == 1
