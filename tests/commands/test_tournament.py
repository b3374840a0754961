"""A tournament on the command line: a stored report for people and for programs."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from backends.fake import FakeEngine
from core.job import EngineRef, JobState
from core.run_folder import RunFolder
from evaluation.tournament_report import FILE
from tests.advisor.test_from_tournament import RIGHT, report_of

from .conftest import Tune

FAKE = {"kind": "train", "engine": "fake", "name": "Try", "fake": {"seconds": 0.05}}


@pytest.fixture(params=[True, False])
def beats(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """The fake engine leaves a tournament, as the local one does."""
    poll = FakeEngine.poll

    def polled(self: FakeEngine, ref: EngineRef) -> JobState:
        report = report_of(RIGHT).model_copy(
            update={"beats_others": request.param, "left_out": {"retrieval": "As few-shot."}, "limits": ["Few rows."]}
        )
        report.rungs[1].usd_per_1000_calls = 0.1234
        report.save(RunFolder.of(ref.ref).path / FILE)
        return poll(self, ref)

    monkeypatch.setattr(FakeEngine, "poll", polled)
    return bool(request.param)


def spec_file(folder: Path) -> Path:
    path = folder / "s.yaml"
    path.write_text(yaml.safe_dump(FAKE))
    return path


def test_a_tournament_is_printed_for_programs(tune: Tune, tmp_path: Path, beats: bool) -> None:
    said = tune("tournament", spec_file(tmp_path), "--wait", "--json")
    assert said.code == (0 if beats else 1), "only a prompt that beats the others is a yes"
    assert said.json["best"] == "constrained" and said.json["rungs"][1]["usd_per_1000_calls"] == 0.1234
    assert said.json["job_id"].startswith("job-")


def test_a_tournament_is_printed_for_people(tune: Tune, tmp_path: Path, beats: bool) -> None:
    said = tune("tournament", spec_file(tmp_path), "--wait")
    for words in ("It is best.", "0.810", "not priced", "$0.123", "not asked: retrieval. As few-shot.", "Few rows."):
        assert words in said.out, said.out


def test_one_that_is_not_waited_for_says_how_to_watch_it(tune: Tune, tmp_path: Path) -> None:
    said = tune("tournament", spec_file(tmp_path), "--json")
    assert said.code == 0 and said.json["state"] == "queued"
    assert "show job-" in tune("tournament", spec_file(tmp_path)).out


def test_an_earlier_tournament_is_told_again_and_one_without_a_report_is_said(
    tune: Tune, tmp_path: Path, beats: bool
) -> None:
    first = tune("tournament", spec_file(tmp_path), "--wait", "--json")
    again = tune("tournament", first.json["job_id"], "--json")
    assert (again.code, again.json) == (first.code, first.json)
    gone = tune("tournament", "job-20261124-00000001")
    assert gone.code == 2 and len(gone.err.strip().splitlines()) == 1
