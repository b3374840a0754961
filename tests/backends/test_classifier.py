"""A classifier's training is checked, estimated and run like any other local job."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from backends.chain import judge_spec
from backends.estimates import estimate_local
from backends.launch import launch, state_of
from backends.local import LocalEngine
from core.jobspec import JobSpec, read_spec
from core.run_folder import RunFolder
from core.store import open_store
from serving.classifier import load_classifier


@pytest.fixture
def spec(tmp_path: Path) -> JobSpec:
    rows = [
        f"the {what} {n},{label}" for n in range(12) for what, label in (("room is locked", "rooms"), ("bill", "fees"))
    ]
    (tmp_path / "rows.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    (tmp_path / "job.yaml").write_text(yaml.safe_dump({"learner": "classic", "dataset": "rows.csv", "device": "cpu"}))
    return read_spec(tmp_path / "job.yaml")


def test_a_classic_job_needs_no_base(spec: JobSpec) -> None:
    assert LocalEngine().check(spec.model_copy(update={"base_model": "nowhere/at-all", "allow_network": False})) == []


def test_an_encoder_that_is_not_here_is_named(spec: JobSpec) -> None:
    asked = spec.model_copy(update={"learner": "encoder", "encoder": "some/encoder", "allow_network": False})
    assert [problem.where for problem in LocalEngine().check(asked)] == ["encoder"]
    assert "some/encoder" in estimate_local(asked).seconds.because[0]
    assert not estimate_local(asked).seconds.known


def test_an_estimate_grows_with_rows_and_labels(spec: JobSpec, tmp_path: Path) -> None:
    rows = [f"a long ticket about thing number {n} and more,label {n % 50}" for n in range(4000)]
    (tmp_path / "more.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    small, large = (
        estimate_local(spec),
        estimate_local(spec.model_copy(update={"dataset": str(tmp_path / "more.csv")})),
    )
    for one in (small, large):
        assert one.seconds.low is not None and one.seconds.low < (one.seconds.likely or 0) < (one.seconds.high or 0)
        assert one.usd.likely == 0 and one.fits and one.stack == "scikit-learn"
    assert (large.seconds.likely or 0) > (small.seconds.likely or 0)
    assert (large.memory_gib.likely or 0) > (small.memory_gib.likely or 0)


def test_an_encoder_is_estimated_by_its_size(spec: JobSpec, tmp_path: Path) -> None:
    def seconds(mib: int) -> float:
        folder = tmp_path / f"encoder{mib}"
        folder.mkdir()
        for name in ("config.json", "tokenizer.json"):
            (folder / name).write_text("{}")
        with (folder / "model.safetensors").open("wb") as file:
            file.truncate(mib << 20)
        found = estimate_local(spec.model_copy(update={"learner": "encoder", "encoder": str(folder)}))
        assert found.seconds.likely and found.memory_gib.likely and found.tokens_per_second.known
        return found.seconds.likely + found.memory_gib.likely

    assert seconds(900) > seconds(90)


def test_a_spec_file_becomes_a_classifier_in_a_process_of_its_own(spec: JobSpec) -> None:
    import time

    store = open_store()
    record = launch(store, spec)
    deadline = time.monotonic() + 60
    while not (state := state_of(record)).done and time.monotonic() < deadline:
        time.sleep(0.1)
    folder = RunFolder.of(record.id)
    assert state.state == "succeeded", folder.log_tail()
    outcome = folder.outcome()
    assert outcome is not None and outcome.result.classifier == str(folder.classifier)
    assert load_classifier(folder.classifier).sort(["my bill"])[0].label == "fees"
    assert "torch" not in folder.log_tail(), "nothing heavy is loaded for it"
    assert judge_spec(record.spec).learner == "classic"
