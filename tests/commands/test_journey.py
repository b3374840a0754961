"""The last words of the demo name commands that work from where it was started."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from advisor.advise import advise
from backends.chain import launch_tune
from commands.journey import _answers, _baseline_words, _in_all, _last_words, _step
from commands.printing import command
from core.jobspec import JobSpec
from core.store import open_store
from cost_models.curves import cost
from tests.pages.judgements import report_of


def test_the_demo_ends_with_commands_that_can_be_called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    today = date(2026, 11, 24)
    costs = cost(_answers(360), today=today)
    report: Any = type("Report", (), {"models": {}})()
    _last_words(advise(_answers(360), today=today, cost=costs), costs, report, "job-20261124-00000001", 60.0)
    said = capsys.readouterr().out
    assert f"{command()} app" in said and f"{command()} chat job-20261124-00000001" in said


def test_the_demo_says_what_each_job_will_take_and_all_together() -> None:
    store = open_store()
    spec = JobSpec(engine="fake", fake={"seconds": 70.0}, dataset="train.jsonl", test="test.jsonl")
    jobs = launch_tune(store, store.new_plan("Demo"), spec)
    assert [_step(job) for job in jobs] == [
        f"{name}, predicted to take 1 min 10 s" for name in ("baseline", "train", "judge")
    ]
    assert _in_all(jobs) == ", predicted to take 3 min 30 s in all"
    unknown = jobs[0].model_copy(update={"predicted": None})
    assert _step(unknown) == "baseline" and _in_all([unknown, *jobs[1:]]) == ""


def test_the_demo_says_what_there_is_to_beat() -> None:
    right = [1.0] * 10 + [0.0] * 30
    report = report_of({"base": [0.0] * 40, "best_prompt": right})
    assert _baseline_words(report) == "exact match: base 0.00, base with the best prompt 0.25"
    done = report_of({"base": [0.0] * 400, "best_prompt": [1.0] * 400})
    assert _baseline_words(done).endswith("1.00. The best prompt already gets 100 % by exact match.")
