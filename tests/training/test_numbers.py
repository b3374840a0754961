"""A loss or a gradient that is no number names the rows of its batch, before any weight is changed by it."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.errors import EngineError
from core.jobspec import JobSpec
from dataset.render import Encoded
from training.checkpoints import all_checkpoints
from training.rows import Part

from .conftest import Train, chat, colour_rows, steps_of, write_rows

PART = Part(
    "rows.jsonl", "ab", [Encoded([5, 6, place], [5, 6, place], False, 3, 3) for place in range(4)], 4, 0, 0, 0, 0,
    lines=[1, 2, 4, 7],
)  # fmt: skip


def test_the_line_of_a_row_that_breaks_the_loss_is_named(
    spec: JobSpec, train: Train, base: Path, tmp_path: Path
) -> None:
    import torch
    from safetensors.torch import load_file, save_file
    from tokenizers import Tokenizer

    broken = tmp_path / "broken"
    shutil.copytree(base, broken)
    weights = load_file(broken / "model.safetensors")
    odd = Tokenizer.from_file(str(base / "tokenizer.json")).encode("~", add_special_tokens=False).ids[0]
    weights["model.embed_tokens.weight"][odd] = float("nan")
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    rows = [*colour_rows()[:5], chat("Paint it ~.", "red"), *colour_rows()[5:9]]
    data = write_rows(tmp_path / "odd.jsonl", rows)
    asked = {"base_model": str(broken), "dataset": data, "micro_batch": 1, "epochs": 1.0, "save_steps": 1}
    assert torch.isnan(load_file(broken / "model.safetensors")["model.embed_tokens.weight"]).any()
    from core.home import new_id
    from core.run_folder import RunFolder

    folder = RunFolder.create(new_id("job"), spec.model_copy(update=asked))
    why = r"loss is no longer a number at step \d+, in the batch of line 6 of"
    with pytest.raises(EngineError, match=why) as found:
        train(spec.model_copy(update=asked), folder)
    assert "Look at these rows" in found.value.hint and "learning_rate" in found.value.hint
    steps = steps_of(folder)
    assert f"at step {len(steps) + 1}," in found.value.message, "the step before was still fine"
    if steps:
        assert all_checkpoints(folder.checkpoints)[0].name == f"checkpoint-{len(steps)}"


def watched(losses: list[float], norm: float, *, at_once: bool) -> Any:
    import torch

    from training.numbers import NumberWatch

    given = iter(losses)
    trainer = SimpleNamespace(
        compute_loss=lambda model, inputs, **_: torch.tensor(next(given)), _get_grad_norm=lambda model: norm
    )
    watch = NumberWatch(PART, at_once=at_once)
    watch.attach(trainer)
    for place in range(len(losses)):
        ids = torch.tensor([[5, 6, place], [0, 0, 0]])
        attended = torch.tensor([[1, 1, 1], [0, 0, 0]])
        trainer.compute_loss(SimpleNamespace(training=True), {"input_ids": ids, "attention_mask": attended})
    trainer._get_grad_norm(None)
    return watch


def test_gradients_without_end_name_all_rows_of_the_step() -> None:
    watch = watched([1.0, 2.0, 3.0], float("inf"), at_once=True)
    why = "gradients are no longer numbers at step 9, in the batch of lines 1, 2, 4 of"
    with pytest.raises(EngineError, match=why):
        watch.before_the_weights_change(9)


def test_a_card_is_not_waited_for_and_the_first_bad_batch_is_still_known() -> None:
    watch = watched([1.0, 2.0, float("nan"), float("nan")], 1.0, at_once=False)
    watch.before_the_weights_change(4)
    with pytest.raises(EngineError, match=r"in the batch of line 4 of rows\.jsonl"):
        watch.look(4)
    watch.look(5)
