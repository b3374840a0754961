"""Going on: exactly where it stopped, in the middle of a step too, and never with what is not its own."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from core.errors import Refused
from core.home import new_id
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from training.checkpoints import SEAL, all_checkpoints, is_whole, step_of
from training.row_order import epoch_order
from training.stop import Stopped

from .conftest import Train, adapter_weights, colour_rows, losses_of, steps_of, validation_losses_of, write_rows

SHORT_EPOCHS = 1.0


@pytest.fixture
def short(spec: JobSpec) -> JobSpec:
    """Five steps of two micro batches each, with dropout."""
    method = spec.method.model_copy(update={"dropout": 0.2})
    cut = {"epochs": SHORT_EPOCHS, "micro_batch": 4, "grad_accumulation": 2, "method": method, "save_steps": 2}
    return spec.model_copy(update=cut)


def test_a_stop_in_the_middle_of_a_step_goes_back_to_the_last_whole_one_and_changes_nothing(
    short: JobSpec, train: Train
) -> None:
    _, straight = train(short)
    folder = RunFolder.create(new_id("job"), short)
    with pytest.raises(Stopped):
        # A step is told after its end has been asked about, so this is seen between the micro batches of the next.
        train(short, folder, stop=lambda: 3 in losses_of(folder))
    assert step_of(all_checkpoints(folder.checkpoints)[0]) == 3 and is_whole(folder.checkpoints / "checkpoint-3")
    train(short, folder)
    assert losses_of(folder) == losses_of(straight)
    weights = adapter_weights(folder.adapter)
    assert all(weight.equal(weights[name]) for name, weight in adapter_weights(straight.adapter).items())


def test_a_run_that_was_stopped_where_it_would_have_validated_validates_first(
    spec: JobSpec, train: Train, validation_file: str
) -> None:
    validating = spec.model_copy(update={"validation": validation_file, "eval_steps": 2, "epochs": SHORT_EPOCHS})
    folder = RunFolder.create(new_id("job"), validating)
    asked = {"times": 0}

    def stop() -> bool:
        asked["times"] += 1
        return asked["times"] >= 2  # at the end of step 2, before its validation

    with pytest.raises(Stopped):
        train(validating, folder, stop)
    assert validation_losses_of(folder) == {} and step_of(all_checkpoints(folder.checkpoints)[0]) == 2
    train(validating, folder)
    assert list(validation_losses_of(folder)) == [2, 4, 5]


def test_what_does_not_belong_to_the_run_is_not_gone_on_from_and_the_reason_is_said(
    short: JobSpec, train: Train, tmp_path: Path
) -> None:
    folder = RunFolder.create(new_id("job"), short)
    with pytest.raises(Stopped):
        train(short, folder, stop=lambda: 2 in losses_of(folder))
    other_method = short.method.model_copy(update={"rank": 4})
    blocked = {
        r"`method.rank` was 16 and is 4": short.model_copy(update={"method": other_method}),
        r"`learning_rate` was 0.02 and is 0.1": short.model_copy(update={"learning_rate": 0.1}),
        r"`seed` was 7 and is 8; `system_prompt` was None and is Be brief": short.model_copy(
            update={"seed": 8, "system_prompt": "Be brief"}
        ),
    }
    for reason, changed in blocked.items():
        with pytest.raises(Refused, match=reason):
            train(changed, folder)
    write_rows(Path(str(short.dataset)), colour_rows()[1:41])
    with pytest.raises(Refused, match="the training rows have changed"):
        train(short, folder)
    write_rows(Path(str(short.dataset)), colour_rows()[:40])
    base = tmp_path / "another"
    shutil.copytree(short.base_model, base)
    with pytest.raises(Refused, match="the base model is another"):
        train(short.model_copy(update={"base_model": str(base)}), folder)
    # Half as many at a time and twice as often is the same step.
    train(short.model_copy(update={"micro_batch": 2, "grad_accumulation": 4}), folder)
    assert steps_of(folder)[-1] == 5


def test_a_checkpoint_of_another_folder_or_format_is_refused(short: JobSpec, train: Train) -> None:
    from training.origin import Origin
    from training.resuming import require_same

    folder = RunFolder.create(new_id("job"), short)
    with pytest.raises(Stopped):
        train(short, folder, stop=lambda: 1 in losses_of(folder))
    strange = RunFolder.create(new_id("job"), short)
    shutil.copytree(folder.checkpoints, strange.checkpoints)
    with pytest.raises(Refused, match=f"is of the job {folder.job_id}, not of {strange.job_id}"):
        train(short, strange)
    checkpoint = all_checkpoints(folder.checkpoints)[0]
    told = json.loads((checkpoint / SEAL).read_bytes())
    now = Origin.model_validate(told["origin"])
    require_same(checkpoint, now, folder.job_id)
    (checkpoint / SEAL).write_text(json.dumps(told["files"]))
    assert is_whole(checkpoint)
    with pytest.raises(Refused, match="is in format 1, and this release goes on from format 2"):
        require_same(checkpoint, now, folder.job_id)


def test_checkpoints_are_saved_by_the_clock_too(spec: JobSpec, train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    import training.watcher

    clock = [0.0]

    class Clock:
        @staticmethod
        def monotonic() -> float:
            clock[0] += 1.0
            return clock[0]

    monkeypatch.setattr(training.watcher, "time", Clock)
    _, folder = train(spec.model_copy(update={"save_steps": 100, "save_minutes": 0.2}))
    saved = [event.step for event in folder.events() if event.kind == "checkpoint"]
    gaps = {later - earlier for earlier, later in pairwise(saved[:-1])}
    assert len(saved) > 2 and saved[-1] == 15
    assert max(gaps) - min(gaps) <= 1, "each time the clock starts anew"


def test_the_order_of_rows_does_not_depend_on_how_a_step_is_cut() -> None:
    lengths = [(place * 37) % 23 for place in range(44)]
    order = epoch_order(lengths, 8, seed=7, epoch=1)
    assert sorted(order) == list(range(44))
    assert order == epoch_order(lengths, 8, seed=7, epoch=1) != epoch_order(lengths, 8, seed=7, epoch=2)
    steps = [[lengths[place] for place in order[at : at + 8]] for at in (0, 8)]
    assert max(max(step) - min(step) for step in steps) <= 8, "rows of like length are side by side"
