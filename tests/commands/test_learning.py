"""The learning curve on the command line: the whole way on a tiny model, and launches that have not ended."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from backends.fake import FakeEngine
from backends.learning import learning_jobs
from backends.local import LocalEngine
from core.job import EngineRef, JobState, Outcome
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.store import open_store
from tests.training.conftest import NeverAbrupt, build_base, colour_rows, quietly, write_rows

from .conftest import Tune


@pytest.fixture
def spec_file(tmp_path: Path) -> Path:
    """The colours to learn, 40 rows, and 8 others to judge on, which the first shares cannot get right."""
    write_rows(tmp_path / "train.jsonl", colour_rows()[:40])
    write_rows(tmp_path / "test.jsonl", colour_rows()[40:])
    spec = {"name": "Colours", "dataset": "train.jsonl", "test": "test.jsonl", "engine": "fake"}
    path = tmp_path / "train.yaml"
    path.write_text(yaml.safe_dump(spec | {"fake": {"seconds": 0.05}}))
    return path


@pytest.fixture
def local(spec_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same on this machine, without the minute that six detached workers take to start."""
    with quietly():
        base = build_base(tmp_path / "tiny")
        from training.sft import run_train

    def submit(self: LocalEngine, spec: JobSpec, job_id: str) -> EngineRef:
        from evaluation.run import run_evaluation
        from training.report import Report

        folder = RunFolder.create(job_id, spec)
        with quietly(), redirect_stdout(io.StringIO()):
            if spec.kind == "train":
                result = run_train(spec, folder, base, Report(folder), lambda: False, NeverAbrupt())  # type: ignore[arg-type]
            else:
                result = run_evaluation(spec, folder, lambda: False)
        RunFolder(folder.path).finish(Outcome(state="succeeded", result=result, at=datetime.now(UTC)))
        return EngineRef(engine="local", ref=job_id)

    monkeypatch.setattr(LocalEngine, "submit", submit)
    quick = {"micro_batch": 8, "learning_rate": 0.02, "precision": "float32", "device": "cpu", "max_tokens": 128}
    spec = yaml.safe_load(spec_file.read_text()) | quick
    spec |= {"engine": "local", "base_model": str(base), "metric": "token_f1", "max_new_tokens": 8, "epochs": 3}
    spec_file.write_text(yaml.safe_dump(spec | {"allow_network": False}))
    return spec_file


def test_the_whole_way_from_a_spec_to_what_more_labels_would_buy(tune: Tune, local: Path) -> None:
    said = tune("learning-curve", local, "--epochs", "2", "--wait", "--json")
    found = said.json
    assert [point["rows"] for point in found["points"]] == [4, 12, 40]
    assert all(0 <= point["low"] <= point["score"] <= point["high"] <= 1 for point in found["points"])
    assert [(read["rows"], read["more_rows"]) for read in found["band"]] == [(60, 20), (80, 40)]
    assert found["paired"] and found["judged_rows"] == 8
    assert found["verdict"] in ("label_more", "not_enough_evidence"), "8 rows cannot show a flat curve"
    assert said.code == (0 if found["verdict"] == "label_more" else 1)
    trains = [open_store().job(share["train"]) for share in found["jobs"]]
    assert {train.spec.epochs for train in trains} == {2} and {train.spec.group for train in trains} == {found["group"]}
    again = tune("learning-curve", found["group"])
    assert again.code == said.code and found["words"] in again.out.replace("\n", " ")
    assert "Each size was trained once" in again.out


def test_a_launch_that_is_not_waited_for_says_where_its_curve_will_be(tune: Tune, spec_file: Path) -> None:
    said = tune("learning-curve", spec_file, "--share", "0.2", "--share", "0.5", "--share", "1", "--json")
    assert said.code == 0 and [job["share"] for job in said.json["jobs"]] == [0.2, 0.5, 1.0]
    assert len(said.json["states"]) == 6
    later = tune("learning-curve", said.json["group"])
    assert later.code == 0 and f"learning-curve {said.json['group']}" in later.out


def test_a_job_that_failed_ends_the_wait_and_is_a_no(
    tune: Tune, spec_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeEngine, "poll", lambda self, ref: JobState(state="failed", reason="Out of memory."))
    said = tune("learning-curve", spec_file, "--wait", "--json")
    assert said.code == 1 and said.json["state"] == "failed" and said.json["reason"] == "Out of memory."
    group = open_store().job(said.json["job_id"]).spec.group
    assert learning_jobs(str(group)).shares[0].train == said.json["job_id"]
    assert tune("learning-curve", group, "--json").code == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("group-20261125-00000000",), "no learning curve"),
        (("group-x",), "is not a group id"),
        (("nowhere.yaml",), "no file at nowhere.yaml"),
    ],
)
def test_what_is_not_there_is_said_in_a_line(tune: Tune, arguments: tuple[str, ...], words: str) -> None:
    said = tune("learning-curve", *arguments)
    assert said.code == 2 and words in said.err and len(said.err.strip().splitlines()) == 1


def test_passes_and_shares_that_cannot_be_are_refused(tune: Tune, spec_file: Path) -> None:
    assert "--epochs" in tune("learning-curve", spec_file, "--epochs", "0").err
    assert "3 shares or more" in tune("learning-curve", spec_file, "--share", "1").err
    assert open_store().jobs() == []


def test_the_shifted_rows_are_a_fourth_file(tune: Tune, tmp_path: Path) -> None:
    odd = "Bonjour, la facture de mai est perdue"
    rows = [f"{word} is broken and I want another one,returns" for word in ("lamp", "chair", "table", "desk", "sofa")]
    rows += [f"where is the {word} that I ordered,delivery" for word in ("rug", "mirror", "shelf", "clock", "stool")]
    (tmp_path / "rows.csv").write_text("\n".join(["text,label", *rows, f'"{odd}",returns']) + "\n")
    said = tune("split", tmp_path / "rows.csv", "--out", tmp_path / "out", "--shifted", "1", "--json")
    assert said.code == 0 and said.json["rows"]["shifted"] == 1
    assert odd in Path(said.json["files"]["shifted"]).read_text(encoding="utf-8")
    plain = tune("split", tmp_path / "rows.csv", "--out", tmp_path / "plain", "--json")
    assert list(plain.json["files"]) == ["train", "validation", "test"] and "shifted" not in plain.json["rows"]
