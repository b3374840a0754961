"""A cap on minutes or dollars: the training stops there, and what it has learned is kept as an adapter."""

from __future__ import annotations

import pytest

from core.errors import StoreError
from core.home import new_id
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from training.cap import Cap
from training.checkpoints import all_checkpoints, is_whole

from .conftest import Train, losses_of


def test_minutes_and_dollars_are_counted_over_all_workers_and_cards() -> None:
    minutes = JobSpec(budget_minutes=10, n_gpus=2)
    assert Cap(minutes, 299).reached() == "" and "budget_minutes: 10" in Cap(minutes, 300).reached()
    dollars = JobSpec(budget_usd=1.5, usd_per_hour=3.0)
    assert Cap(dollars, 1799).reached() == "" and "budget_usd: 1.5" in Cap(dollars, 1800).reached()
    unpriced = JobSpec(budget_usd=1.5)
    assert Cap(unpriced, 1e9).reached() == "", "what an hour costs was not said"


def test_a_training_that_reaches_its_cap_keeps_what_it_learned_and_another_goes_on_from_there(
    spec: JobSpec, train: Train, validation_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = {"count": 0}

    def reached(self: Cap) -> str:
        looks["count"] += 1
        return "`budget_minutes: 1` is used up" if looks["count"] == 4 else ""

    monkeypatch.setattr(Cap, "reached", reached)
    capped = spec.model_copy(update={"epochs": 1.0, "budget_usd": 1.0, "usd_per_hour": 3600.0})
    result, folder = train(capped.model_copy(update={"validation": validation_file, "eval_steps": 100}))
    assert max(losses_of(folder)) == 4 and result.adapter and result.metrics["stopped_by_budget"] == 1
    assert "Stopped at step 4 of 5: `budget_minutes: 1` is used up. What was learned is kept." in result.notes
    assert result.metrics["adapter_step"] == 4, "its last weights were validated and compete"
    assert result.measured.usd == pytest.approx(result.measured.seconds, abs=0.2)
    further, after = train(spec.model_copy(update={"epochs": 1.0, "resume_of": folder.job_id}))
    assert list(losses_of(after)) == [5] and "stopped_by_budget" not in further.metrics


def test_a_checkpoint_for_which_there_is_no_room_is_not_begun(
    spec: JobSpec, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    import training.watcher

    def short(folder: object, needed_bytes: int, setting: str) -> None:
        assert needed_bytes > 100_000 and setting == "TUNEWORTHY_HOME"
        raise StoreError("the disk has 0.0 GiB free.", "Free some space.")

    monkeypatch.setattr(training.watcher, "require_free_bytes", short)
    folder = RunFolder.create(new_id("job"), spec)
    with pytest.raises(StoreError, match=r"0\.0 GiB free"):
        train(spec.model_copy(update={"save_steps": 2}), folder)
    (kept,) = all_checkpoints(folder.checkpoints)
    assert kept.name == "checkpoint-2" and is_whole(kept), "the one before is still there to go on from"
