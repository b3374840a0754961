"""The last words of the demo name commands that work from where it was started."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from advisor.advise import advise
from commands.journey import _answers, _last_words
from commands.printing import command
from cost_models.curves import cost


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
