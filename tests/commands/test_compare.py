"""A comparison of methods on the command line: the whole way on a tiny model, and what cannot be compared."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from backends.comparison import comparison_jobs
from backends.local import LocalEngine
from core.errors import TuneworthyError
from core.job import EngineRef, Outcome
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.store import open_store
from evaluation.compared import compared
from evaluation.compared_table import as_csv
from tests.training.conftest import NeverAbrupt, build_base, colour_rows, quietly, write_rows

from .conftest import Tune


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A train spec on this machine, its jobs run in this process: detached workers take seconds to start."""
    with quietly():
        base = build_base(tmp_path / "tiny")
        import torch

        from training.sft import run_train

    def submit(self: LocalEngine, spec: JobSpec, job_id: str) -> EngineRef:
        from evaluation.run import run_evaluation
        from training.report import Report

        folder = RunFolder.create(job_id, spec)
        with quietly(), redirect_stdout(io.StringIO()):
            try:
                if spec.kind == "train" and spec.method.kind == "prompt":
                    raise TuneworthyError("The loss is no number.")
                if spec.kind == "train":
                    result = run_train(spec, folder, base, Report(folder), lambda: False, NeverAbrupt())  # type: ignore[arg-type]
                else:
                    result = run_evaluation(spec, folder, lambda: False)
                ended = Outcome(state="succeeded", result=result, at=datetime.now(UTC))
            except TuneworthyError as error:
                ended = Outcome(state="failed", reason=error.message, at=datetime.now(UTC))
        RunFolder(folder.path).finish(ended)
        return EngineRef(engine="local", ref=job_id)

    monkeypatch.setattr(LocalEngine, "submit", submit)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # models this small are slowed by more
    rows = {
        "dataset": write_rows(tmp_path / "train.jsonl", colour_rows()[:32]),
        "validation": write_rows(tmp_path / "validation.jsonl", colour_rows()[32:40]),
        "test": write_rows(tmp_path / "test.jsonl", colour_rows()[40:]),
    }
    quick = {"micro_batch": 8, "learning_rate": 0.02, "precision": "float32", "device": "cpu", "max_tokens": 128}
    spec = {
        "name": "Colours",
        "base_model": str(base),
        "metric": "token_f1",
        "max_new_tokens": 8,
        "allow_network": False,
    }
    path = tmp_path / "train.yaml"
    path.write_text(yaml.safe_dump(spec | quick | rows))
    yield path
    torch.set_num_threads(threads)


def test_the_whole_way_from_rows_to_one_table_of_methods(tune: Tune, local: Path) -> None:
    asked = ("--methods", "lora,ia3,prompt", "--epochs", "1", "--n", "4", "--wait", "--json")
    said = tune("compare-methods", local, *asked)
    found = said.json
    lora, ia3, prompt = found["methods"]
    assert [row["method"] for row in found["methods"]] == ["lora", "ia3", "prompt"]
    assert found["rows"] == {"training": 32, "validation": 8, "test": 8} and found["judged_rows"] == 4
    assert lora["trained"] > ia3["trained"] > 0 and 0 < ia3["share"] < lora["share"] < 1
    assert lora["megabytes"] > ia3["megabytes"] and lora["rate"] == 0.02 and ia3["rate"] == 0.01
    assert all(row["validation_loss"] > 0 and row["seconds"] >= 0 and row["memory_gib"] > 0 for row in (lora, ia3))
    assert all(0 <= row["task"]["low"] <= row["task"]["score"] <= row["task"]["high"] for row in (lora, ia3))
    assert found["base"]["n"] == 4 and found["done"] and "Highest score" in found["words"]
    assert said.code == 1 and prompt["state"] == "failed" and prompt["reason"] == "The loss is no number."
    trains = [open_store().job(jobs["train"]).spec for jobs in found["jobs"]]
    assert all(spec.after == [found["baseline"]] for spec in trains), "one that fails stops no other"
    assert len({(spec.dataset, spec.validation, spec.test, spec.epochs, spec.seed) for spec in trains}) == 1

    again = tune("compare-methods", found["group"])
    assert "prompt tuning failed: The loss is no number." in again.out and found["words"] in again.out.replace(
        "\n", " "
    )
    told = list(csv.DictReader(io.StringIO(as_csv(compared(open_store(), comparison_jobs(found["group"]))))))
    assert [row["method"] for row in told] == ["lora", "ia3", "prompt"] and told[2]["score"] == ""
    assert float(told[0]["validation_loss"]) == lora["validation_loss"]


def not_started(self: LocalEngine, spec: JobSpec, job_id: str) -> EngineRef:
    RunFolder.create(job_id, spec)
    return EngineRef(engine="local", ref=job_id)


def test_what_a_method_does_not_go_with_leaves_it_out_with_its_reason(
    tune: Tune, local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalEngine, "submit", not_started)
    local.write_text(local.read_text() + "grad_checkpointing: 'on'\n")
    said = tune("compare-methods", local, "--methods", "ia3,prefix", "--n", "2", "--epochs", "1")
    assert "prefix tuning is left out. Gradient checkpointing does not go with prefix tuning" in said.out
    assert "1 method on the same rows" in said.out and "predicted to take" in said.out
    assert {job.spec.method.kind for job in open_store().jobs() if job.kind == "train"} == {"ia3"}
    assert tune("compare-methods", local, "--methods", "prefix").code == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("group-20261125-00000000",), "no comparison"),
        (("nowhere.jsonl",), "no file at nowhere.jsonl"),
        (("rows.jsonl", "--methods", "lore"), "there is no method `lore`"),
        (("rows.jsonl", "--epochs", "0"), "--epochs"),
    ],
)
def test_what_cannot_be_compared_is_said_and_starts_nothing(
    tune: Tune, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "rows.jsonl", colour_rows())
    said = tune("compare-methods", *arguments)
    assert said.code == 2 and words in said.err and open_store().jobs() == []


def test_a_sweep_goes_the_whole_way_from_settings_to_the_verdict_on_the_best(tune: Tune, local: Path) -> None:
    spec = yaml.safe_load(local.read_text()) | {"axes": ["task"], "models": ["base", "tuned"], "early_stopping": 2}
    local.write_text(yaml.safe_dump(spec))
    asked = ("--rank", "2,8", "--learning-rate", "0.02", "--seeds", "2", "--epochs", "1", "--wait", "--json")
    said = tune("sweep", local, *asked)
    found = said.json
    losses = [row["validation_loss"] for row in found["settings"]]
    assert losses == sorted(losses) and found["settings"][0]["best"] and not found["settings"][1]["best"]
    assert len(found["seed_losses"]) == 2 and found["seed_losses"][0] == losses[0]
    assert (
        found["judged"]
        and "2 seeds of training score" in found["seed_words"]
        and set(found["scores"]) == {"base", "tuned"}
    )
    assert said.code == (0 if found["verdict"] == "ship" else 1)
    assert len(open_store().jobs()) == 4
    again = tune("sweep", found["group"])
    assert again.code == said.code and len(open_store().jobs()) == 4 and "in the choice" in again.out.replace("\n", " ")


@pytest.mark.parametrize("asked", [("--rank", "4,many"), ("--learning-rate", "fast")])
def test_settings_that_are_no_numbers_are_refused(tune: Tune, tmp_path: Path, asked: tuple[str, str]) -> None:
    said = tune("sweep", tmp_path / "train.yaml", *asked)
    assert said.code == 2 and "holds what is no number" in said.err and asked[0] in said.err
