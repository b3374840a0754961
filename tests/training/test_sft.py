"""The trainer itself, on a model so small that a whole training takes a second or two."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from core.errors import BadInput, EngineError, NotFound, ProblemsFound, Refused, StoreError
from core.home import new_id
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from training.checkpoints import all_checkpoints, is_whole, step_of
from training.stop import Stopped

from .conftest import (
    Train,
    adapter_weights,
    chat,
    colour_rows,
    losses_of,
    quietly,
    steps_of,
    validation_losses_of,
    write_rows,
)


def test_the_loss_falls_and_an_adapter_with_its_lineage_is_left(spec: JobSpec, train: Train, base: Path) -> None:
    result, folder = train(spec)
    losses = losses_of(folder)
    assert list(losses) == list(range(1, 16))
    assert losses[15] < losses[1] * 0.7
    assert result.adapter == str(folder.adapter)
    assert any(weight.abs().max() > 0 for name, weight in adapter_weights(folder.adapter).items() if "lora_B" in name)
    lineage = json.loads((folder.path / "lineage.json").read_bytes())
    assert lineage["base_model"] == str(base)
    assert lineage["dataset_sha256"] == hashlib.sha256(Path(str(spec.dataset)).read_bytes()).hexdigest()
    assert lineage["base_sha256"] == {
        "model.safetensors": hashlib.sha256((base / "model.safetensors").read_bytes()).hexdigest()
    }
    assert (lineage["dataset_rows"], lineage["adapter_step"], lineage["seed"]) == (40, 15, 7)
    assert JobSpec.model_validate(lineage["spec"]) == spec
    assert set(lineage["versions"]) >= {"torch", "transformers", "peft", "trl"}
    assert (folder.adapter / "lineage.json").read_bytes() == (folder.path / "lineage.json").read_bytes()
    measured = result.measured
    assert measured.memory_gib and measured.tokens_per_second and measured.usd is None
    assert result.metrics["steps"] == 15 and result.metrics["epochs"] == 3 and result.metrics["rows"] == 40
    assert len(all_checkpoints(folder.checkpoints)) == 1
    values = next(event.values for event in folder.events() if event.kind == "step")
    assert set(values) == {"loss", "learning_rate", "tokens_per_second", "eta_seconds"}


def test_the_same_seed_gives_the_same_adapter_and_another_seed_another(spec: JobSpec, train: Train) -> None:
    short = spec.model_copy(update={"epochs": 1.0})
    weights = [adapter_weights(train(each)[1].adapter) for each in (short, short, short.model_copy(update={"seed": 8}))]
    assert all(weights[0][name].equal(weights[1][name]) for name in weights[0])
    assert not all(weights[0][name].equal(weights[2][name]) for name in weights[0])


def test_the_trainer_learns_the_assistant_tokens_and_nothing_else(spec: JobSpec, base: Path, tmp_path: Path) -> None:
    from dataset.render import Renderer
    from training.adapter import BestAdapter
    from training.plan import make_plan
    from training.report import Report
    from training.rows import load_part
    from training.watcher import Watcher

    with quietly():
        from training.trainer import build_trainer

        renderer = Renderer.from_folder(base)
        part = load_part(spec, str(spec.dataset), renderer, 128)
        report = Report()
        trainer = build_trainer(
            spec,
            make_plan(spec, base, part, report),
            base,
            part,
            None,
            checkpoints=tmp_path / "checkpoints",
            trackers=[],
            watcher=Watcher(report, lambda: False, BestAdapter(tmp_path, "x", None), None),
            checkpoints_kept=2,
        )
        answers = []
        for batch in trainer.get_train_dataloader():
            assert batch["input_ids"].shape == batch["labels"].shape
            for ids, labels, attended in zip(batch["input_ids"], batch["labels"], batch["attention_mask"], strict=True):
                learned = labels >= 0
                assert labels[learned].equal(ids[learned]) and bool((attended[learned] == 1).all())
                answers.append(renderer.decode(ids[learned].tolist(), skip_special_tokens=False))
    expected = [f"{row['messages'][1]['content']}<|im_end|>" for row in colour_rows()[:40]]
    assert sorted(answers) == sorted(expected)


def test_the_best_adapter_is_kept_and_training_stops_early(
    spec: JobSpec, train: Train, tmp_path: Path, validation_file: str
) -> None:
    # Rows that contradict each other cannot be learned for long: the validation loss turns up.
    wild = write_rows(tmp_path / "wild.jsonl", [chat(f"Say number {at % 4}.", str(at * 37 % 101)) for at in range(24)])
    stubborn = spec.model_copy(
        update={
            "dataset": wild,
            "validation": validation_file,
            "epochs": 40.0,
            "early_stopping": 2,
            "learning_rate": 5e-2,
        }
    )
    result, folder = train(stubborn)
    losses = validation_losses_of(folder)
    best = min(losses, key=lambda step: losses[step])
    last = max(steps_of(folder))
    assert last < 120 and list(losses)[list(losses).index(best) :] == [step for step in losses if step >= best]
    assert sum(step > best for step in losses) == 2
    assert result.metrics["adapter_step"] == best and result.metrics["validation_loss"] == pytest.approx(losses[best])
    assert any("Stopped early" in note for note in result.notes) and any(f"step {best}," in n for n in result.notes)
    assert not (folder.path / "best").exists() and not (folder.adapter / "best.json").exists()
    # The adapter of the best step, and not that of the last one.
    last_checkpoint = all_checkpoints(folder.checkpoints)[0]
    assert step_of(last_checkpoint) == last
    kept, ended = adapter_weights(folder.adapter), adapter_weights(last_checkpoint)
    assert not all(kept[name].equal(ended[name]) for name in kept)


def test_a_stopped_training_goes_on_as_if_it_had_never_stopped(
    spec: JobSpec, train: Train, validation_file: str
) -> None:
    method = spec.method.model_copy(update={"dropout": 0.2})
    whole = spec.model_copy(update={"validation": validation_file, "save_steps": 4, "method": method})
    _, straight = train(whole)
    folder = RunFolder.create(new_id("job"), whole)
    with pytest.raises(Stopped) as stopped:
        train(whole, folder, stop=lambda: 6 in validation_losses_of(folder))
    assert stopped.value.args[0].adapter is None
    assert "step 7" in stopped.value.args[0].notes[-1]
    newest = all_checkpoints(folder.checkpoints)[0]
    assert step_of(newest) == 7 and is_whole(newest)
    assert not folder.adapter.exists()
    train(whole, folder)
    assert steps_of(folder) == list(range(1, 16))
    assert losses_of(folder) == losses_of(straight)
    assert validation_losses_of(folder) == validation_losses_of(straight)
    weights = adapter_weights(folder.adapter)
    for name, weight in adapter_weights(straight.adapter).items():
        assert weight.equal(weights[name]), name


def test_a_stop_during_validation_leaves_a_checkpoint(spec: JobSpec, train: Train, validation_file: str) -> None:
    asked = {"times": 0}

    def stop() -> bool:
        # After step 2 the trainer validates; the answer changes between the end of the step and the first batch.
        asked["times"] += 1
        return asked["times"] > 2

    folder = RunFolder.create(new_id("job"), spec)
    validating = spec.model_copy(update={"validation": validation_file, "eval_steps": 2, "save_steps": 100})
    with pytest.raises(Stopped):
        train(validating, folder, stop)
    assert validation_losses_of(folder) == {}
    assert [step_of(path) for path in all_checkpoints(folder.checkpoints)] == [2]
    train(validating, folder)
    assert steps_of(folder) == list(range(1, 16))


def test_the_last_weights_are_validated_even_when_the_stop_came_just_then(
    spec: JobSpec, train: Train, validation_file: str
) -> None:
    folder = RunFolder.create(new_id("job"), spec)
    late = spec.model_copy(update={"validation": validation_file, "eval_steps": 100})
    calls = {"after_the_last_step": 0}

    def stop() -> bool:
        calls["after_the_last_step"] += 15 in losses_of(folder)
        return calls["after_the_last_step"] > 0

    with pytest.raises(Stopped):
        train(late, folder, stop)
    assert validation_losses_of(folder) == {}
    result, _ = train(late, folder)
    assert list(validation_losses_of(folder)) == [15] and result.metrics["adapter_step"] == 15


def test_a_torn_checkpoint_is_passed_over_for_the_one_before(spec: JobSpec, train: Train) -> None:
    saving = spec.model_copy(update={"save_steps": 3})
    folder = RunFolder.create(new_id("job"), saving)
    with pytest.raises(Stopped):
        train(saving, folder, stop=lambda: 8 in losses_of(folder))
    newest, before = all_checkpoints(folder.checkpoints)
    assert (step_of(newest), step_of(before)) == (9, 6)
    weights = newest / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    unsealed = folder.checkpoints / "checkpoint-12"
    shutil.copytree(before, unsealed)
    (unsealed / "sealed.json").unlink()
    result, _ = train(saving, folder)
    assert steps_of(folder) == [*range(1, 10), *range(7, 16)]
    assert result.metrics["steps"] == 15
    warnings = [event.message for event in folder.events() if event.kind == "warning"]
    assert any("checkpoint-9 was not saved whole" in message for message in warnings)
    assert any("checkpoint-12 was not saved whole" in message for message in warnings)


def test_another_job_goes_on_from_the_checkpoint_of_a_finished_one(spec: JobSpec, train: Train) -> None:
    _, first = train(spec.model_copy(update={"epochs": 1.0}))
    _, second = train(spec.model_copy(update={"epochs": 2.0, "resume_of": first.job_id}))
    assert steps_of(first) == [1, 2, 3, 4, 5] and steps_of(second) == [6, 7, 8, 9, 10]
    with pytest.raises(BadInput, match="at step 5 already"):
        train(spec.model_copy(update={"epochs": 1.0, "resume_of": first.job_id}))
    empty = RunFolder.create(new_id("job"), spec)
    with pytest.raises(NotFound, match="no checkpoint"):
        train(spec.model_copy(update={"resume_of": empty.job_id}))


def test_rows_that_are_cut_or_teach_nothing_are_counted(spec: JobSpec, train: Train, tmp_path: Path) -> None:
    rows = [*colour_rows()[:8], chat("Tell me all. " * 60, "no"), chat("Say more.", "word " * 200), chat("Quiet?", " ")]
    path = tmp_path / "odd.jsonl"
    write_rows(path, rows)
    path.write_text(path.read_text() + "{not json\n")
    result, folder = train(spec.model_copy(update={"dataset": str(path), "epochs": 1.0}))
    assert result.metrics["rows"] == 9 and result.metrics["rows_cut"] == 2 and result.metrics["rows_left_out"] == 3
    assert "2 rows of 11 training rows were cut to 128 tokens." in result.notes
    assert any(note.startswith("2 rows of the training rows had no token to learn") for note in result.notes)
    assert any("could not be read" in note for note in result.notes)
    shown = [event.message for event in folder.events() if event.kind == "warning"]
    assert all(note in shown for note in result.notes)


def test_data_without_a_trainable_token_is_refused_with_the_reason(spec: JobSpec, train: Train, tmp_path: Path) -> None:
    far = write_rows(tmp_path / "far.jsonl", [chat("Tell me all. " * 60, "no")] * 3)
    with pytest.raises(BadInput, match="all answers lie behind the first 128 tokens") as caught:
        train(spec.model_copy(update={"dataset": far}))
    assert "max_tokens" in caught.value.hint
    mute = write_rows(tmp_path / "mute.jsonl", [chat("Anybody?", "")] * 3)
    with pytest.raises(BadInput, match="no assistant turn has a text"):
        train(spec.model_copy(update={"dataset": mute}))


def test_changed_training_data_is_refused(spec: JobSpec, train: Train) -> None:
    asked = spec.model_copy(update={"dataset_sha256": "0" * 64})
    with pytest.raises(Refused, match="has changed since the job was asked for"):
        train(asked)


def test_what_cannot_be_trained_is_said_before_anything_is_loaded(spec: JobSpec, train: Train) -> None:
    asked = {"packing": True, "early_stopping": 3, "report_to": ["paper"]}
    with pytest.raises(ProblemsFound) as caught:
        train(spec.model_copy(update=asked))
    assert {problem.where for problem in caught.value.found} == {"packing", "early_stopping", "report_to"}


def test_layers_that_the_model_lacks_are_named(spec: JobSpec, train: Train) -> None:
    method = spec.method.model_copy(update={"targets": ["query_key_value"]})
    with pytest.raises(BadInput, match="query_key_value"):
        train(spec.model_copy(update={"method": method}))


def test_a_loss_that_is_no_number_ends_with_advice(spec: JobSpec, train: Train, base: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    broken = tmp_path / "broken"
    shutil.copytree(base, broken)
    weights = load_file(broken / "model.safetensors")
    weights["model.norm.weight"] = torch.full_like(weights["model.norm.weight"], float("nan"))
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EngineError, match="no longer a number at step 1") as caught:
        train(spec.model_copy(update={"base_model": str(broken)}))
    assert "learning_rate" in caught.value.hint


def test_a_missing_tracker_is_a_warning_and_the_run_goes_on(
    spec: JobSpec, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training import trackers

    monkeypatch.setitem(trackers.PACKAGES, "mlflow", ("a_package_that_nobody_has",))
    result, folder = train(spec.model_copy(update={"report_to": ["mlflow"], "epochs": 0.2}))
    assert any("mlflow is not installed" in e.message for e in folder.events() if e.kind == "warning")
    assert result.adapter


def test_a_disk_that_fills_up_is_said_and_the_torn_checkpoint_goes(
    spec: JobSpec, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    import training.watcher

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(training.watcher, "seal", full)
    folder = RunFolder.create(new_id("job"), spec)
    with pytest.raises(StoreError, match="is full"):
        train(spec, folder)
    assert all_checkpoints(folder.checkpoints) == []
