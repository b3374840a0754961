"""Merging and exporting as a script from the command line: what is launched, and what is refused before that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import backends.launch
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.store import JobRecord, Store, open_store
from tests.shelf.conftest import write_adapter

from .conftest import Tune


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[JobSpec]:
    """What would be started."""
    found: list[JobSpec] = []

    def launch(store: Store, spec: JobSpec, **_: Any) -> JobRecord:
        found.append(spec)
        return store.add_job(spec, plan_id=None)

    monkeypatch.setattr(backends.launch, "launch", launch)
    return found


def test_the_adapter_of_a_job_is_merged_into_its_base_and_compared_on_its_rows(
    tune: Tune, launched: list[JobSpec]
) -> None:
    train = open_store().add_job(
        JobSpec(name="Tickets", base_revision="abc", dataset="train.jsonl", test="test.jsonl"), plan_id=None
    )
    said = tune("merge", train.id, "--no-wait", "--json")
    (spec,) = launched
    assert said.code == 0 and said.json["state"] == "queued"
    assert (spec.kind, spec.job, spec.name, spec.base_revision) == ("export", train.id, "Tickets", "abc")
    assert (spec.dataset, spec.test) == ("train.jsonl", "test.jsonl")


def test_a_folder_is_merged_into_the_base_that_its_lineage_names_or_that_is_given(
    tune: Tune, launched: list[JobSpec], tmp_path: Path
) -> None:
    folder = tmp_path / "adapter"
    write_adapter(folder)
    said = tune("merge", folder, "--no-wait")
    assert said.code == 2 and "does not say which base" in said.err and "--base" in said.err
    (folder / "lineage.json").write_text(json.dumps({"base_model": "house/small"}))
    assert tune("merge", folder, "--no-wait").code == 0
    assert tune("merge", folder, "--base", "house/other", "--no-wait").code == 0
    assert [spec.base_model for spec in launched] == ["house/small", "house/other"]
    assert {spec.adapter for spec in launched} == {str(folder)}


def test_what_cannot_be_merged_is_said_and_nothing_is_started(tune: Tune) -> None:
    store = open_store()
    spec = JobSpec(name="Places")
    folder = RunFolder.create(store.add_job(spec, plan_id=None).id, spec)
    write_adapter(folder.adapter)
    (folder.adapter / "adapter_config.json").write_text('{"peft_type": "PREFIX_TUNING"}')
    said = tune("merge", folder.job_id)
    assert said.code == 2 and "PREFIX_TUNING cannot be merged: learned keys and values" in said.err
    assert [job.kind for job in store.jobs()] == ["train"]
    judge = store.add_job(JobSpec(kind="evaluate"), plan_id=None)
    assert "is no training but a job of kind evaluate" in tune("merge", judge.id).err
    assert "only a training with rows becomes a script" in tune("export-script", judge.id, "away").err
