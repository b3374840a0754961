"""Jobs on the command line that died, were stopped early, or cannot be asked; and how far a download is."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from commands import jobs
from core.job import EngineRef, Outcome
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.store import open_store

from .conftest import Tune


def known(spec: JobSpec) -> RunFolder:
    """A local job that was handed over, and whose worker did nothing yet."""
    store = open_store()
    record = store.add_job(spec, plan_id=None)
    store.set_ref(record.id, EngineRef(engine="local", ref=record.id))
    return RunFolder.create(record.id, spec)


def test_a_cancel_leaves_a_job_that_died_as_it_is(tune: Tune) -> None:
    folder = known(JobSpec(name="Died"))
    folder.announce(os.getpid())
    said = tune("cancel", folder.job_id, "--json")
    assert said.code == 0 and said.json["state"] == "failed"
    shown = tune("show", folder.job_id, "--json").json
    assert shown["state"] == "failed" and "died without a word" in shown["reason"]


def test_a_job_that_was_stopped_before_its_start_is_shown(tune: Tune) -> None:
    folder = known(JobSpec(name="Early"))
    assert tune("cancel", folder.job_id, "--json").json["state"] == "cancelled"
    said = tune("show", folder.job_id, "--json")
    assert said.code == 0 and said.json["reason"] == "Stopped before it could start."
    assert said.json["measured"] == {"memory_gib": None, "seconds": None, "usd": None}
    assert "Stopped before it could start." in tune("show", folder.job_id).out


def test_a_job_that_cannot_be_asked_does_not_hide_the_others(tune: Tune) -> None:
    behind, broken, ended = (known(JobSpec(name=name, after=after)) for name, after in
                             (("Behind", ["oops"]), ("Broken", []), ("Ended", [])))  # fmt: skip
    locks = [folder.acquire() for folder in (behind, broken)]
    for folder in (behind, broken):
        folder.emit("stage", "queued")
    broken.spec_file.write_text("no spec")
    ended.finish(Outcome(state="succeeded", at=datetime.now(UTC)))
    said = tune("jobs", "--json")
    assert said.code == 0
    rows = {row["name"]: row for row in said.json["jobs"]}
    assert (rows["Behind"]["state"], rows["Behind"]["note"]) == ("queued", "waits for oops, which is not here")
    assert rows["Broken"]["state"] == "failed" and "is not a job spec" in rows["Broken"]["reason"]
    assert rows["Ended"]["state"] == "succeeded"
    assert "is not a job spec" in tune("jobs").out
    for lock in locks:
        os.close(lock)


def test_who_waits_sees_how_far_a_download_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = known(JobSpec(kind="prepare", name="Fetch"))
    folder.emit("stage", "Fetching the model (93 MB)")
    for done in (20, 40, 93):
        folder.emit("progress", "Fetching the model", values={"done": done, "total": 93})
    folder.finish(Outcome(state="succeeded", at=datetime.now(UTC)))
    monkeypatch.setattr(jobs, "PRINTED_EVERY_SECONDS", -1.0)
    assert jobs.follow(folder.job_id, as_json=False) == 0
    printed = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert [line for line in printed if line.startswith("Fetching the model: ")] == [
        "Fetching the model: 22%",
        "Fetching the model: 43%",
        "Fetching the model: 100%",
    ]
