"""A dry run on a tiny model: measured, saved, loaded again, and nothing of it kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import BadInput, EngineError, ProblemsFound
from core.home import new_id
from core.job import Result
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from training.probe_specs import check_probe_spec
from training.stop import Stopped

from .conftest import NeverAbrupt, quietly, steps_of


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSFORMERS_OFFLINE", "1")  # the worker sets it, and here it has to end with the test
    monkeypatch.setattr("cost_models.probe.MOST_TIMED_STEPS", 4)


def probe(spec: JobSpec, *, stop: bool = False) -> tuple[Result, RunFolder]:
    """As the worker does it, in this process."""
    from training.report import Report
    from training.worker import _dispatch

    folder = RunFolder.create(new_id("job"), spec)
    with quietly():
        return _dispatch(folder, spec, lambda: stop, Report(folder), NeverAbrupt()), folder  # type: ignore[arg-type]


@pytest.fixture
def dry(spec: JobSpec) -> JobSpec:
    return spec.model_copy(update={"kind": "probe"})


def test_memory_speed_and_the_way_back_are_measured_and_no_adapter_is_kept(light: None, dry: JobSpec) -> None:
    result, folder = probe(dry)
    measured, found = result.measured, result.metrics
    assert measured.memory_gib and measured.tokens_per_second and measured.seconds is not None
    assert steps_of(folder) == [1, 2, 3, 4, 5] and found["steps"] == 5, "one to warm up, four timed"
    assert found["rows"] == 8
    assert measured.tokens_per_second == pytest.approx(_tokens_of_longest(dry, 8) / found["step_seconds"], rel=0.01)
    assert found["same_logits"] == 1 and found["logits_off"] < 1e-3 < found["logits_moved"]
    assert found["load_seconds"] > 0 and found["answer_seconds"] > 0 and found["save_seconds"] > 0
    assert result.adapter is None and not folder.adapter.exists() and not folder.checkpoints.exists()
    assert {path.name for path in folder.path.iterdir()} <= {"spec.json", "events.jsonl", "plan.json", "lock"}


def test_an_adapter_that_is_lost_on_its_way_is_named(
    light: None, dry: JobSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    with quietly():
        import training.probe
    save = training.probe.save_adapter

    def save_untrained(model: object, *where: object) -> None:
        with quietly():
            for name, weight in model.named_parameters():  # type: ignore[attr-defined]
                if "lora_B" in name:
                    kept = weight.data.clone()
                    weight.data.zero_()
                    saved.append((weight, kept))
        save(model, *where)  # type: ignore[arg-type]
        for weight, kept in saved:
            weight.data.copy_(kept)

    saved: list[tuple[object, object]] = []  # type: ignore[assignment]
    monkeypatch.setattr(training.probe, "save_adapter", save_untrained)
    result, _ = probe(dry)
    assert result.metrics["same_logits"] == 0
    assert result.notes[-1].startswith("Reloaded, it does not say what it said when trained")


def test_a_stop_ends_it_and_memory_that_does_not_suffice_names_the_knob(
    light: None, dry: JobSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Stopped):
        probe(dry, stop=True)
    with quietly():
        import training.probe

    def full(*_: object) -> None:
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(training.probe, "build", full)
    with pytest.raises(EngineError, match="Out of memory with 8 rows") as raised:
        probe(dry)
    assert "micro_batch: 4" in raised.value.hint


def test_what_stops_the_training_stops_its_dry_run_and_some_things_have_none(dry: JobSpec, tmp_path: Path) -> None:
    assert check_probe_spec(dry) == []
    odd = dry.model_copy(update={"packing": True, "n_gpus": 2})
    assert {problem.where for problem in check_probe_spec(odd)} == {"packing", "n_gpus"}
    small = dry.model_copy(update={"learner": "classic"})
    assert "learner" in {problem.where for problem in check_probe_spec(small)}
    with pytest.raises(ProblemsFound):
        probe(dry.model_copy(update={"packing": True}))
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    with pytest.raises(BadInput):
        probe(dry.model_copy(update={"dataset": str(empty)}))


def _tokens_of_longest(spec: JobSpec, rows: int) -> int:
    from dataset.render import Renderer
    from training.rows import load_part

    part = load_part(spec, str(spec.dataset), Renderer.from_folder(Path(spec.base_model)), spec.max_tokens)
    return sum(sorted(part.token_counts)[-rows:])
