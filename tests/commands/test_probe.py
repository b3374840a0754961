"""`tuneworthy probe`, `jobs --errors` and `estimate --plain`."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import backends.launch
from core.jobspec import JobSpec
from core.store import JobRecord, Store, open_store
from tests.backends.test_history import ended
from tests.training.conftest import colour_rows, write_rows

from .conftest import Tune


@pytest.fixture
def spec_file(tmp_path: Path) -> Path:
    write_rows(tmp_path / "rows.jsonl", colour_rows())
    path = tmp_path / "train.yaml"
    path.write_text(yaml.safe_dump({"dataset": "rows.jsonl", "micro_batch": 4, "device": "cpu", "name": "Colours"}))
    return path


def asked(spec_file: Path) -> JobSpec:
    return JobSpec(dataset=str(spec_file.parent / "rows.jsonl"), micro_batch=4, device="cpu", name="Colours")


def test_a_training_spec_becomes_a_dry_run(tune: Tune, spec_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[JobSpec] = []

    def launch(store: Store, spec: JobSpec) -> JobRecord:
        found.append(spec)
        return store.add_job(spec, plan_id=None)

    monkeypatch.setattr(backends.launch, "launch", launch)
    assert tune("probe", spec_file, "--no-wait", "--json").json["state"] == "queued"
    assert found == [asked(spec_file).model_copy(update={"kind": "probe"})]


def test_errors_are_listed_with_their_ratio_and_summed_up(tune: Tune, spec_file: Path) -> None:
    assert "No job of this machine" in tune("jobs", "--errors").out
    record = ended(asked(spec_file).model_copy(update={"kind": "probe"}), times=1.25)
    told = tune("jobs", "--errors", "--json").json
    (run,) = told["runs"]
    assert run["job_id"] == record.id and run["memory_gib"]["ratio"] == pytest.approx(1.25)
    summed = {each["figure"]: each for each in told["errors"]}
    assert summed["tokens_per_second"]["median_off"] == pytest.approx(0.25) and told["correction_since"] is None
    shown = tune("jobs", "--errors").out
    assert "(1.25)" in shown and "memory: off by 25% in the middle of 1 run" in shown


def test_a_plain_estimate_leaves_out_what_was_learned(tune: Tune, spec_file: Path) -> None:
    plain = tune("estimate", spec_file, "--json").json
    ended(asked(spec_file), times=1.25)
    assert tune("estimate", spec_file, "--plain", "--json").json == plain
    learned = tune("estimate", spec_file, "--json").json
    assert learned["memory_gib"]["likely"] == pytest.approx(1.25 * plain["memory_gib"]["likely"], rel=0.01)
    assert "times 1.25" in tune("estimate", spec_file).out
    assert open_store().jobs()[0].name == "Colours"
