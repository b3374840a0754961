"""Export and judge again from the command line."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.fake import FakeEngine
from core.job import EngineRef, Outcome, Result
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.store import open_store
from evaluation.report import EvaluationReport, JudgedAnswer, Verdict
from evaluation.stats import wilson
from shelf.weights import weights_sha256
from tests.shelf.conftest import write_adapter

from .conftest import Tune

REASON = "Five colleagues try it for a week, and read every answer."
DAY = datetime(2026, 11, 3, tzinfo=UTC)


@pytest.fixture
def train() -> RunFolder:
    store = open_store()
    spec = JobSpec(name="Tickets")
    folder = RunFolder.create(store.add_job(spec, plan_id=store.new_plan().id).id, spec)
    write_adapter(folder.adapter)
    folder.finish(Outcome(state="succeeded", result=Result(adapter=str(folder.adapter)), at=DAY))
    return folder


def report(train: RunFolder, verdict: Verdict, right: int, at: datetime) -> EvaluationReport:
    scores = [1.0] * right + [0.0] * (40 - right)
    return EvaluationReport(
        verdict=verdict,
        reasons=["It is better."],
        metric="exact_match",
        metric_words="exact match",
        models={"base": {"task": wilson(1, 40)}, "tuned": {"task": wilson(right, 40)}},
        answers=[
            JudgedAnswer(line=at, input="i", expected="e", scores={"tuned": score}) for at, score in enumerate(scores)
        ],
        base_model="b",
        adapter_sha256=weights_sha256(train.adapter),
        train_job=train.job_id,
        test_file="t",
        test_sha256="00",
        rows=40,
        rows_in_file=40,
        seed=7,
        created_at=at,
    )


def judged(train: RunFolder, verdict: Verdict = "ship") -> str:
    store = open_store()
    spec = JobSpec(
        kind="evaluate", engine="fake", name="Judge", job=train.job_id, fake={"seconds": 0.05}, test="/t.jsonl"
    )
    record = store.add_job(spec, plan_id=None)
    report(train, verdict, 36, DAY).save(RunFolder.create(record.id, spec).evaluation_file)
    return record.id


def test_what_was_judged_fit_to_ship_is_exported(tune: Tune, train: RunFolder, tmp_path: Path) -> None:
    judged(train)
    said = tune("export", train.job_id, tmp_path / "tickets.zip", "--json")
    assert said.code == 0 and zipfile.is_zipfile(said.json["exported"])
    assert said.json["quarantined"] is False and said.json["release"] is None
    again = tune("export", train.job_id, tmp_path / "tickets.zip")
    assert again.code == 2 and "there already" in again.err


def test_quarantine_is_a_no_and_says_how_to_release(tune: Tune, train: RunFolder, tmp_path: Path) -> None:
    judged(train, "do_not_ship")
    said = tune("export", train.job_id, tmp_path / "out")
    assert said.code == 1 and "Its newest verdict is: do not ship." in said.out and "--reason" in said.out
    assert not (tmp_path / "out").exists()
    told = tune("export", train.job_id, tmp_path / "out", "--json")
    assert told.code == 1 and told.json["exported"] is None and told.json["quarantined"] is True


def test_a_name_and_a_reason_release_it_for_good(tune: Tune, train: RunFolder, tmp_path: Path) -> None:
    said = tune("export", train.job_id, tmp_path / "a", "--name", "Ada", "--reason", REASON, "--json")
    assert said.code == 0 and said.json["release"]["reason"] == REASON and said.json["quarantined"] is True
    assert REASON in (tmp_path / "a" / "README.md").read_text()
    assert tune("export", train.job_id, tmp_path / "b").code == 0, "it holds for the next export too"
    shown = tune("shelf", "--json").json["adapters"][0]
    assert shown["release"]["name"] == "Ada" and shown["quarantine"] == "Nobody has judged it."


@pytest.mark.parametrize("options", [("--reason", REASON), ("--name", "Ada"), ("--name", "Ada", "--reason", "so what")])
def test_half_a_release_is_refused_and_nothing_is_kept(
    tune: Tune, train: RunFolder, tmp_path: Path, options: tuple[str, ...]
) -> None:
    assert tune("export", train.job_id, tmp_path / "out", *options).code == 2
    assert open_store().releases() == [] and not (tmp_path / "out").exists()


def test_nothing_is_released_for_a_place_that_is_taken(tune: Tune, train: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "out.zip").write_bytes(b"")
    said = tune("export", train.job_id, tmp_path / "out.zip", "--name", "Ada", "--reason", REASON)
    assert said.code == 2 and open_store().releases() == []


@pytest.fixture
def fallen(monkeypatch: pytest.MonkeyPatch, train: RunFolder) -> None:
    """The fake engine leaves a report of an adapter that has got worse."""

    def result(self: FakeEngine, ref: EngineRef) -> Result:
        file = RunFolder.of(ref.ref).evaluation_file
        report(train, "not_enough_evidence", 26, datetime.now(UTC)).save(file)
        return Result(evaluation=str(file))

    monkeypatch.setattr(FakeEngine, "result", result)


@pytest.mark.usefixtures("fallen")
def test_judged_again_with_one_command_and_held_against_the_last_verdict(
    tune: Tune, train: RunFolder, tmp_path: Path
) -> None:
    last = judged(train)
    rows = tmp_path / "december.jsonl"
    rows.write_text("{}\n")
    said = tune("rejudge", train.job_id, "--rows", rows, "--base", "bb22", "--json")
    assert said.code == 1 and said.json["compared_with"] == last and said.json["tuned"]["task"]["score"] == 0.65
    assert said.json["since"]["sentence"].startswith("Since 2026-11-03: task 0.90 to 0.65, worse beyond luck")
    store = open_store()
    spec = store.job(said.json["job_id"]).spec
    assert (spec.test, spec.base_revision, spec.job) == (str(rows), "bb22", train.job_id)
    assert store.plan(store.job(train.job_id).plan_id or "").verdict == "not_enough_evidence"
    assert "Judged over time" in (train.adapter / "README.md").read_text()
    assert "worse beyond luck" not in tune("rejudge", train.job_id).out, "the last one is now the fallen one"


def test_without_waiting_it_is_only_started(tune: Tune, train: RunFolder) -> None:
    last = judged(train)
    said = tune("rejudge", train.job_id, "--no-wait", "--json")
    assert said.code == 0 and said.json["state"] == "queued" and said.json["compared_with"] == last


def test_what_was_never_judged_cannot_be_judged_again(tune: Tune, train: RunFolder, tmp_path: Path) -> None:
    said = tune("rejudge", train.job_id)
    assert said.code == 2 and "was never judged" in said.err and "evaluate SPEC" in said.err
    judged(train)
    said = tune("rejudge", train.job_id, "--rows", tmp_path / "mistyped.jsonl")
    assert said.code == 2 and "no file at" in said.err
