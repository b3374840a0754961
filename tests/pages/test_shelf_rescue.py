"""The section of the Shelf page on tuned models that a host shuts down. It reads files and asks nobody."""

from __future__ import annotations

import socket
from datetime import UTC, date, datetime
from typing import Any

import pytest

from app_pages.rescue_view import next_command, steps
from backends.rescue.golden import Golden, golden_dir, write_golden
from backends.rescue.lives import Life
from backends.rescue.tuned_models import TunedModel, TunedModels, rescue_dir
from tests.pages.test_shelf import opened, text

MODEL = "ft:gpt-4.1-mini-2025-04-14:acme::AbC"


def golden(**fields: Any) -> Golden:
    told = {"model": MODEL, "host": "openai", "prompts": "my prompts.csv", "prompts_sha256": "00", "wanted": 40}
    told |= {"seed": 7, "max_tokens": 64, "started_at": datetime.now(UTC), "life": Life(retires=date(2027, 1, 14))}
    return Golden.model_validate(told | fields)


def test_an_empty_home_says_how_to_begin() -> None:
    app = opened()
    assert not app.exception and "tuneworthy rescue list" in text(app)


def test_models_days_left_progress_and_the_next_command_stand_there_and_no_host_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = [
        TunedModel(id=MODEL, base="gpt-4.1-mini-2025-04-14", life=Life(retires=date(2999, 1, 14), source="their page")),
        TunedModel(id="ft:next:acme::Yy8", base="next"),
    ]
    listed = TunedModels(host="openai", listed_at=datetime.now(UTC), models=models)
    (rescue_dir() / "models-openai.json").write_text(listed.model_dump_json(), encoding="utf-8")
    folder = golden_dir(MODEL)
    folder.mkdir()
    write_golden(folder, golden(answered=12))
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("a page asked a host"))
    app = opened()
    assert not app.exception
    cells = " ".join(str(value) for value in app.table[0].value.to_numpy().ravel()).replace("\\", "")
    assert MODEL in cells and "14 Jan 2999" in cells and "unknown" in cells and "days" in cells
    shown = text(app)
    assert "Record: 12 of 40 answers" in shown and "their page" in shown
    assert f"rescue record {MODEL} --prompts 'my prompts.csv' --n 40" in shown


def test_each_step_leads_to_the_next_command() -> None:
    whole = golden(answered=40)
    assert next_command(whole, "", "") == f"tuneworthy rescue retune {MODEL} --base MODEL"
    assert "retune" in next_command(whole, "job-1", "failed")
    assert next_command(whole, "job-1", "running") == f"tuneworthy rescue parity job-1 --golden {MODEL}"
    assert next_command(golden(host="azure"), "", "").endswith("--n 40 --host azure")
    assert "Retune: running" in steps(whole, "job-1", "running", None) and "not measured" in steps(whole, "", "", None)
