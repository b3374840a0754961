"""The card beside the adapter follows what was kept."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from core.job import Outcome, Result
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.store import JobRecord, Store, open_store
from evaluation.keep import keep_verdict
from evaluation.report import EvaluationReport, Verdict
from evaluation.stats import wilson
from shelf.weights import weights_sha256
from tests.shelf.conftest import write_adapter

DAY = datetime(2026, 11, 24, 9, tzinfo=UTC)


def trained(store: Store) -> RunFolder:
    spec = JobSpec(name="Tickets")
    folder = RunFolder.create(store.add_job(spec, plan_id=None).id, spec)
    write_adapter(folder.adapter)
    folder.finish(Outcome(state="succeeded", result=Result(adapter=str(folder.adapter)), at=DAY))
    return folder


def judged(
    store: Store, train: RunFolder, verdict: Verdict, day: int = 0, *, by_folder: bool = False
) -> tuple[JobRecord, EvaluationReport]:
    spec = JobSpec(kind="evaluate", job=None if by_folder else train.job_id, adapter=str(train.adapter))
    record = store.add_job(spec, plan_id=None)
    report = EvaluationReport(
        verdict=verdict,
        reasons=["It answers better."],
        metric="exact_match",
        metric_words="exact match",
        models={name: {"task": wilson(right, 20)} for name, right in (("base", 2), ("tuned", 19))},
        base_model="b",
        adapter=str(train.adapter),
        adapter_sha256=weights_sha256(train.adapter),
        train_job=spec.job,
        test_file="held.jsonl",
        test_sha256="00",
        rows=20,
        rows_in_file=20,
        seed=7,
        created_at=DAY + timedelta(days=day),
    )
    report.save(RunFolder.create(record.id, spec).evaluation_file)
    return record, report


def test_the_card_stands_beside_the_adapter_once_a_verdict_is_kept() -> None:
    store = open_store()
    train = trained(store)
    keep_verdict(store, *judged(store, train, "do_not_ship"))
    text = (train.adapter / "README.md").read_text()
    assert "**Do not ship.**" in text and "It answers better." in text and "0.95 (0.76 to 0.99)" in text


def test_an_adapter_that_was_judged_by_its_folder_gets_its_card_too() -> None:
    store = open_store()
    train = trained(store)
    keep_verdict(store, *judged(store, train, "ship", by_folder=True))
    assert "**Ship.**" in (train.adapter / "README.md").read_text()


def test_a_newer_verdict_rewrites_the_card_and_an_older_look_does_not() -> None:
    store = open_store()
    train = trained(store)
    older = judged(store, train, "ship")
    keep_verdict(store, *older)
    newer = judged(store, train, "do_not_ship", 1)
    keep_verdict(store, *newer)
    keep_verdict(store, *older)
    text = (train.adapter / "README.md").read_text()
    assert "**Do not ship.**" in text and "Judged over time" in text


def test_a_look_again_at_the_same_verdict_writes_nothing() -> None:
    store = open_store()
    train = trained(store)
    kept = judged(store, train, "ship")
    keep_verdict(store, *kept)
    before = (train.adapter / "README.md").stat()
    keep_verdict(store, *kept)
    after = (train.adapter / "README.md").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_card_that_cannot_be_written_takes_nothing_from_the_verdict() -> None:
    store = open_store()
    train = trained(store)
    kept = judged(store, train, "ship")
    (train.adapter / "README.md").mkdir()
    os.utime(train.adapter / "README.md", (0, 0))
    keep_verdict(store, *kept)
    assert store.verdicts() == {train.job_id: "ship"}
