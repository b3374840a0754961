"""Fetching a base model: files that are renamed meanwhile do no harm, and whoever waits sees how far it is."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest

from core.home import new_id
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from training import hub, report
from training.disk import bytes_in
from training.hub import HubModel, fetch_snapshot
from training.report import Report

FOUND = HubModel(model="house/small", commit="abc", file_bytes={"model.safetensors": 4096})


def test_files_that_are_renamed_while_they_are_counted_do_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(_model: str, *, local_dir: Path, **_: Any) -> None:
        end, place = time.monotonic() + 0.5, 0
        (local_dir / "part-0.incomplete").write_bytes(b"0" * 4096)
        while time.monotonic() < end:
            (local_dir / f"part-{place}.incomplete").rename(local_dir / f"part-{place + 1}.incomplete")
            place += 1
        (local_dir / f"part-{place}.incomplete").rename(local_dir / "model.safetensors")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    monkeypatch.setattr(hub, "POLL_SECONDS", 0.0)
    folder, target = RunFolder.create(new_id("job"), JobSpec()), tmp_path / "model"
    target.mkdir()
    fetch_snapshot(FOUND, target, Report(folder))
    assert bytes_in(target) == 4096
    last = [event for event in folder.events() if event.kind == "progress"][-1]
    assert last.values == {"done": 4096, "total": 4096}


def test_bytes_are_counted_in_folders_of_folders(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "one").write_bytes(b"12345")
    (tmp_path / "two").write_bytes(b"123")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    assert bytes_in(tmp_path) == 8
    assert bytes_in(tmp_path / "nowhere") == 0


def test_a_long_download_leaves_few_events() -> None:
    folder = RunFolder.create(new_id("job"), JobSpec())
    told = Report(folder)
    for done in range(0, 20_001, 4):
        told.progress("Fetching the model", done, 20_000)
    shares = [event.values["done"] for event in folder.events()]
    assert shares == sorted(shares) and shares[-1] == 20_000
    assert 900 < len(shares) <= 1001


def test_progress_is_printed_where_nobody_reads_events_and_not_too_often(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = [0.0]
    monkeypatch.setattr(report.time, "monotonic", lambda: clock[0])
    by_hand = Report()
    for second in range(13):
        clock[0] = float(second)
        by_hand.progress("Fetching the model", second, 20)
    printed = [line.partition(" ")[2] for line in capsys.readouterr().out.splitlines()]
    assert printed == ["Fetching the model: 25%", "Fetching the model: 50%"]
    Report(RunFolder.create(new_id("job"), JobSpec())).progress("Fetching the model", 20, 20)
    assert capsys.readouterr().out == "", "a worker's log is not filled with it"
