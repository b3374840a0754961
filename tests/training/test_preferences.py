"""Learning from preference pairs, on a model so small that a training takes a second or two."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import BadInput, NotFound, ProblemsFound
from core.home import new_id
from core.jobspec import DPO_LEARNING_RATE, JobSpec, MethodSpec
from core.run_folder import RunFolder
from dataset.render import Renderer
from training.pairs import load_pairs, preference_problems, sides
from training.rows import load_part
from training.stop import Stopped

from .conftest import Train, adapter_weights, chat, colour_rows, losses_of, quietly, steps_of, write_rows


def _pairs(rows: list[dict[str, list[dict[str, str]]]]) -> list[dict[str, str]]:
    asked = [(row["messages"][0]["content"], row["messages"][1]["content"]) for row in rows]
    return [{"prompt": prompt, "chosen": answer, "rejected": f"no {answer[::-1]}"} for prompt, answer in asked]


@pytest.fixture
def pairs_file(tmp_path: Path) -> str:
    return write_rows(tmp_path / "pairs.jsonl", _pairs(colour_rows()[:16]))


@pytest.fixture
def preferring(spec: JobSpec, pairs_file: str, tmp_path: Path) -> JobSpec:
    held_out = write_rows(tmp_path / "pairs-held-out.jsonl", _pairs(colour_rows()[40:]))
    told = {"objective": "dpo", "dataset": pairs_file, "validation": held_out, "epochs": 2.0, "eval_steps": 2}
    return spec.model_copy(update=told | {"learning_rate": 1e-2, "save_steps": 2})


def test_the_chosen_answers_become_the_likelier_ones_and_an_ordinary_adapter_is_left(
    preferring: JobSpec, train: Train, base: Path
) -> None:
    result, folder = train(preferring)
    losses = losses_of(folder)
    assert losses[1] == pytest.approx(0.6931, abs=1e-3), "before the first step model and reference are the same"
    events = [event for event in RunFolder(folder.path).events() if event.kind == "validation"]
    assert events[-1].values["validation_reward_margin"] > 0 and losses[max(losses)] < 0.6
    assert result.metrics["validation_pair_accuracy"] >= 0.75
    step = next(event.values for event in folder.events() if event.kind == "step")
    assert {"reward_margin", "pair_accuracy"} <= set(step)
    assert {path.name for path in folder.adapter.iterdir()} == {
        "adapter_config.json", "adapter_model.safetensors", "lineage.json"
    }  # fmt: skip
    with quietly():
        from serving.model import ChatModel

        model = ChatModel.load(base, {"preferred": folder.adapter}, precision="float32")
        ids = Renderer.from_folder(base).encode_text("Please paint")
        assert model.generate([ids], adapter="preferred", max_new_tokens=2)


def test_a_stopped_preference_training_goes_on_as_if_it_had_never_stopped(preferring: JobSpec, train: Train) -> None:
    start, _ = train(preferring.model_copy(update={"epochs": 1.0}))
    going = preferring.model_copy(update={"adapter": start.adapter})
    _, straight = train(going)
    folder = RunFolder.create(new_id("job"), going)
    with pytest.raises(Stopped):
        train(going, folder, stop=lambda: 2 in losses_of(folder))
    train(going, folder)
    assert steps_of(folder) == [1, 2, 3, 4] and losses_of(folder) == losses_of(straight)
    one, other = adapter_weights(folder.adapter), adapter_weights(straight.adapter)
    assert all(one[name].equal(other[name]) for name in other)
    assert losses_of(straight)[1] == pytest.approx(0.6931, abs=1e-3), "the adapter it starts from is the reference"
    before = adapter_weights(Path(str(start.adapter)))
    assert set(before) == set(other) and not all(before[name].equal(other[name]) for name in other)


def test_pairs_and_plain_rows_are_not_taken_for_each_other(preferring: JobSpec, spec: JobSpec, train: Train) -> None:
    with pytest.raises(BadInput, match="preference pairs") as pairs:
        train(spec.model_copy(update={"dataset": preferring.dataset}))
    assert "objective: dpo" in pairs.value.hint
    with pytest.raises(BadInput, match="holds no preference pairs") as plain:
        train(preferring.model_copy(update={"dataset": spec.dataset}))
    assert "a chosen and a rejected answer" in plain.value.hint


def test_the_judge_takes_the_chosen_answers_as_references(preferring: JobSpec, pairs_file: str) -> None:
    from evaluation.rows import judged_rows

    judging = preferring.model_copy(update={"kind": "evaluate", "test": preferring.validation, "validation": None})
    assert {row.answer for row in judged_rows(judging).test} <= {row["messages"][1]["content"] for row in colour_rows()}


def test_a_pair_is_rendered_as_other_rows_are(preferring: JobSpec, base: Path, tmp_path: Path) -> None:
    renderer = Renderer.from_folder(base)
    part = load_pairs(preferring, str(preferring.dataset), renderer, 128)
    plain = load_part(JobSpec(), write_rows(tmp_path / "plain.jsonl", list(colour_rows()[:16])), renderer, 128)
    assert [row.input_ids for row in part.rows] == [row.input_ids for row in plain.rows]
    prompt, chosen, rejected = sides(part.rows[0], part.rejected[0])
    assert renderer.decode(chosen, skip_special_tokens=False) == "red door<|im_end|>"
    assert renderer.decode(rejected, skip_special_tokens=False) == "no rood der<|im_end|>"
    assert prompt == plain.rows[0].input_ids[: len(prompt)] and plain.rows[0].labels[len(prompt)] >= 0
    assert part.token_counts[0] == 2 * max(len(part.rows[0].input_ids), len(part.rejected[0].input_ids))


def test_pairs_with_nothing_to_compare_are_left_out_and_counted(spec: JobSpec, base: Path, tmp_path: Path) -> None:
    good, same, empty = _pairs([chat("Which colour?", "red")]) * 3
    rows = [good, same | {"rejected": "red"}, empty | {"rejected": ""}]
    preferring = spec.model_copy(update={"objective": "dpo"})
    part = load_pairs(preferring, write_rows(tmp_path / "odd.jsonl", rows), Renderer.from_folder(base), 128)
    assert (len(part.rows), part.without_answer, part.lines) == (1, 2, [1])
    with pytest.raises(BadInput, match="no usable pair"):
        load_pairs(preferring, write_rows(tmp_path / "none.jsonl", rows[1:]), Renderer.from_folder(base), 128)


def test_what_does_not_go_with_preference_tuning_is_said_at_once(preferring: JobSpec, train: Train) -> None:
    odd = preferring.model_copy(update={"method": MethodSpec(kind="ia3"), "n_gpus": 2, "inputs": ["prompt"]})
    assert [each.where for each in preference_problems(odd)] == ["method.kind", "n_gpus", "inputs"]
    assert preference_problems(JobSpec(job="job-20261124-1a2b3c4d"))[0].where == "job"
    with pytest.raises(ProblemsFound):
        train(odd)
    with pytest.raises(NotFound, match="no adapter"):
        train(preferring.model_copy(update={"adapter": "/nowhere"}))


def test_the_usual_rate_is_that_of_preference_tuning() -> None:
    assert JobSpec(objective="dpo").learning_rate == DPO_LEARNING_RATE < JobSpec().learning_rate
    assert JobSpec(objective="dpo", learning_rate=0.5).learning_rate == 0.5
    assert JobSpec.model_validate(json.loads(JobSpec(objective="dpo").model_dump_json())) == JobSpec(objective="dpo")
