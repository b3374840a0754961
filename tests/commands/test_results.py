"""Judging and estimating on the command line: a stored report as the contract has it, and specs that are wrong."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from backends.fake import FakeEngine
from commands.printing import command, print_json
from core.job import EngineRef, Result
from core.run_folder import RunFolder
from core.store import open_store
from evaluation.report import EvaluationReport, Verdict
from evaluation.stats import compare, wilson

from .conftest import Tune

FAKE = {"engine": "fake", "name": "Try", "fake": {"seconds": 0.05}}


def write(path: Path, value: object) -> Path:
    path.write_text(yaml.safe_dump(value))
    return path


def report_of(verdict: Verdict) -> EvaluationReport:
    scores = {"base": [0.0] * 40, "best_prompt": [0.0] * 30 + [1.0] * 10, "tuned": [1.0] * 36 + [0.0] * 4}
    return EvaluationReport(
        verdict=verdict,
        reasons=["It is better."],
        metric="exact_match",
        metric_words="exact match",
        models={name: {"task": wilson(int(sum(values)), 40)} for name, values in (scores | {"classic": [1.0]}).items()},
        paired={"tuned_vs_base": compare("tuned", scores["tuned"], "base", scores["base"], seed=7)},
        base_model="b",
        test_file="t",
        test_sha256="00",
        rows=40,
        rows_in_file=40,
        seed=7,
        created_at=datetime.now(UTC),
    )


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> EvaluationReport:
    """The fake engine leaves a report, as the local one does."""
    report = report_of("do_not_ship")

    def result(self: FakeEngine, ref: EngineRef) -> Result:
        file = RunFolder.of(ref.ref).evaluation_file
        report.save(file)
        return Result(evaluation=str(file))

    monkeypatch.setattr(FakeEngine, "result", result)
    return report


def test_a_judgement_is_printed_as_other_programs_expect_it(
    tune: Tune, tmp_path: Path, judged: EvaluationReport
) -> None:
    said = tune("evaluate", write(tmp_path / "s.yaml", FAKE | {"kind": "evaluate"}), "--wait", "--json")
    assert said.code == 1, "only ship is a yes"
    assert said.json["verdict"] == "do_not_ship" and said.json["reasons"] == ["It is better."]
    assert said.json["worse_rows"] == []
    for model in ("base", "best_prompt", "tuned", "classic"):
        score = judged.models[model]["task"]
        wanted = {"score": score.score, "low": score.low, "high": score.high, "n": score.n}
        assert {name: said.json[model]["task"][name] for name in wanted} == pytest.approx(wanted)
        assert said.json["models"][model] == said.json[model]


def test_a_judgement_that_was_waited_for_is_kept_like_one_that_was_looked_at(
    tune: Tune, tmp_path: Path, judged: EvaluationReport
) -> None:
    spec = write(tmp_path / "s.yaml", FAKE | {"kind": "evaluate", "job": "job-20261124-00000001"})
    said = tune("evaluate", spec, "--wait")
    assert said.code == 1 and "Do not ship it" in said.out
    assert open_store().verdicts() == {"job-20261124-00000001": judged.verdict}


def test_what_is_no_json_is_an_error_and_no_text_that_looks_like_it() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        print_json({"score": wilson(1, 2)})


@pytest.mark.parametrize("field", ["dataset", "validation", "test"])
def test_an_estimate_for_rows_that_are_not_there_is_refused(tune: Tune, tmp_path: Path, field: str) -> None:
    said = tune("estimate", write(tmp_path / "s.yaml", {field: "mistyped.jsonl", "device": "cpu"}), "--json")
    assert said.code == 2 and said.out == ""
    assert said.err.startswith(f"tuneworthy: {field}: no file at ") and len(said.err.strip().splitlines()) == 1


@pytest.mark.parametrize("verb", ["estimate", "run"])
def test_a_batch_of_no_rows_is_refused(tune: Tune, tmp_path: Path, verb: str) -> None:
    said = tune(verb, write(tmp_path / "s.yaml", {"micro_batch": 0}))
    assert said.code == 2 and "micro_batch" in said.err and "1" in said.err
    assert open_store().jobs() == []


def test_the_command_is_named_as_it_can_be_called_from_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("python", "tuneworthy"):
        (folder / name).write_text("#!/bin/sh\necho called with $1\n")
        (folder / name).chmod(0o700)
    monkeypatch.setattr("sys.executable", str(folder / "python"))
    monkeypatch.setenv("PATH", "/nowhere")
    assert command() == str(folder / "tuneworthy")
    monkeypatch.chdir(tmp_path)
    assert command() == "bin/tuneworthy"
    done = subprocess.run(f"{command()} shelf", shell=True, capture_output=True, text=True, env={}, check=True)
    assert done.stdout == "called with shelf\n"
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/nowhere")
    assert command() == "tuneworthy"


def test_hints_name_a_command_that_can_be_called(tune: Tune, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert f"{command()} run SPEC" in tune("shelf").out
