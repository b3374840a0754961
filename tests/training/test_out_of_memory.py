"""Out of memory: what would fit is said, and tried once where that is allowed, with the same rows in each step."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import EngineError
from core.home import new_id
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from training.out_of_memory import TryAgain, is_out_of_memory, smaller_of, smaller_plan
from training.plan import TrainingPlan
from training.report import say_last
from training.stop import Stop, last_word
from training.supervise import AGAIN, supervise

from .conftest import Train, losses_of

PLAN = TrainingPlan(
    device="cpu", precision="float32", micro_batch=8, grad_checkpointing=False, grad_accumulation=1,
    steps_per_epoch=5, total_steps=15, eval_steps=2, save_steps=2, log_steps=1,
)  # fmt: skip


@pytest.fixture
def room_for_rows(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """`room_for_rows(4)`: a device on which the model runs out of memory with more than 4 rows at a time."""

    def limit(rows: int) -> None:
        import torch
        from transformers import LlamaForCausalLM

        forward = LlamaForCausalLM.forward

        def limited(self: object, input_ids: torch.Tensor, **named: object) -> object:
            if input_ids.shape[0] > rows:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
            return forward(self, input_ids=input_ids, **named)

        monkeypatch.setattr(LlamaForCausalLM, "forward", limited)

    return limit


def test_the_next_smaller_plan_has_the_same_rows_in_a_step() -> None:
    cuts = []
    plan: TrainingPlan | None = PLAN
    while plan is not None:
        cuts.append((plan.micro_batch, plan.grad_accumulation, plan.grad_checkpointing))
        assert plan.step_rows == 8
        plan = smaller_plan(plan)
    assert cuts == [(8, 1, False), (4, 2, False), (2, 4, False), (1, 8, False), (1, 8, True)]
    odd = smaller_plan(PLAN.model_copy(update={"micro_batch": 9, "grad_accumulation": 2}))
    assert odd is not None and (odd.micro_batch, odd.grad_accumulation) == (3, 6)


def test_out_of_memory_names_the_knobs_and_what_the_next_smaller_plan_needs(
    spec: JobSpec, train: Train, room_for_rows: Callable[[int], None]
) -> None:
    room_for_rows(4)
    with pytest.raises(EngineError, match=r"Out of memory with 8 rows at a time, 1 times a step \(about \d") as found:
        train(spec)
    assert "`micro_batch: 4`, `grad_accumulation: 2`, `grad_checkpointing: off`, about" in found.value.hint
    assert all(knob in found.value.hint for knob in ("retry_smaller", "max_tokens", "method.bits"))


def test_where_it_is_allowed_one_more_try_is_made_and_it_learns_the_same(
    spec: JobSpec, train: Train, room_for_rows: Callable[[int], None]
) -> None:
    allowed = spec.model_copy(update={"retry_smaller": True, "epochs": 1.0})
    _, straight = train(allowed)
    room_for_rows(4)
    folder = RunFolder.create(new_id("job"), allowed)
    with pytest.raises(TryAgain):
        train(allowed, folder)
    smaller = smaller_of(folder)
    assert smaller is not None and (smaller.micro_batch, smaller.grad_accumulation) == (4, 2)
    result, _ = train(allowed, folder)
    assert losses_of(folder) == pytest.approx(losses_of(straight), rel=1e-4)
    assert any("tried once more, with 4 rows at a time, 2 times a step" in note for note in result.notes)
    assert any("tried once more" in event.message for event in folder.events() if event.kind == "warning")
    room_for_rows(2)
    (again := RunFolder.create(new_id("job"), allowed)).path.joinpath("smaller.json").write_text(
        smaller.model_dump_json()
    )
    with pytest.raises(EngineError, match="Out of memory with 4 rows at a time"):
        train(allowed, again)


def test_a_worker_that_asks_for_another_try_gets_a_fresh_process(tmp_path: Path) -> None:
    folder = RunFolder.create(new_id("job"), JobSpec())
    tried = tmp_path / "tried"

    def work() -> int:
        with tried.open("a") as file:
            file.write(f"{os.getpid()}\n")
        if len(tried.read_text().split()) == 1:
            os._exit(AGAIN)
        say_last(folder, last_word("succeeded"))
        os._exit(0)

    assert supervise(folder, Stop(folder), work) == 0
    first, second = tried.read_text().split()
    assert first != second


def test_one_that_the_system_kills_for_its_memory_gets_its_smaller_try_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import training.supervise
    from training.worker import _try_smaller

    kills = iter([0, 1, 1, 1])
    monkeypatch.setattr(training.supervise, "oom_kills", lambda: next(kills))
    spec = JobSpec(retry_smaller=True)
    folder = RunFolder.create(new_id("job"), spec)
    (folder.path / "plan.json").write_text(PLAN.model_dump_json())

    def work() -> int:
        if smaller_of(folder) is None:
            os.kill(os.getpid(), 9)
        say_last(folder, last_word("succeeded"))
        os._exit(0)

    assert supervise(folder, Stop(folder), work, lambda: _try_smaller(folder, spec)) == 0
    assert any("with 4 rows at a time" in event.message for event in folder.events() if event.kind == "warning")


def test_every_library_is_understood_when_it_runs_out_of_memory() -> None:
    said = ["CUDA out of memory.", "DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"]
    assert all(is_out_of_memory(RuntimeError(text)) for text in said) and is_out_of_memory(MemoryError())
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
