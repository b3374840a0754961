"""Several processes learn what one learns, end together, and say why."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.errors import EngineError
from core.home import new_id
from core.job import Result
from core.jobspec import JobSpec
from core.machine import Machine
from core.run_folder import RunFolder
from training import ranks
from training.out_of_memory import TryAgain
from training.ranks import Word, run_ranks, say
from training.report import Report
from training.stop import Stop, Stopped

from .conftest import Train, adapter_weights, losses_of, validation_losses_of


def test_two_processes_with_half_the_rows_and_half_the_base_each_learn_as_one_does(
    spec: JobSpec, train: Train, base: Path, validation_file: str
) -> None:
    # With a base that is not spread the way is the same, less `training/shard.py`.
    asked = {"epochs": 2.0, "validation": validation_file, "eval_steps": 5}
    one = spec.model_copy(update=asked)
    result, alone = train(one)
    two = one.model_copy(update={"micro_batch": 4, "n_gpus": 2, "shard_base": True})
    folder = RunFolder.create(new_id("job"), two)
    together = run_ranks(two, folder, base, Report(folder), Stop(folder))
    assert losses_of(folder) == pytest.approx(losses_of(alone), rel=1e-3)
    assert validation_losses_of(folder) == pytest.approx(validation_losses_of(alone), rel=1e-2)
    assert together.metrics["steps"] == result.metrics["steps"] == 10 and together.adapter == str(folder.adapter)
    weights = adapter_weights(folder.adapter)
    for name, weight in adapter_weights(alone.adapter).items():
        assert weight.allclose(weights[name], atol=2e-3), name
    (checkpoint,) = (path.name for path in folder.checkpoints.iterdir())
    assert checkpoint == "checkpoint-10"
    assert {"rng_state_0.pth", "rng_state_1.pth"} <= {file.name for file in (folder.checkpoints / checkpoint).iterdir()}
    events = folder.events()
    assert [event.seq for event in events] == list(range(1, len(events) + 1)), "one of them writes"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Two processes in the place of the two that would train: one ends at once, the other would sleep."""
    monkeypatch.setattr(ranks, "OTHERS_SECONDS", 0.2)
    found: list[subprocess.Popen[bytes]] = []

    def start(*_: object) -> list[subprocess.Popen[bytes]]:
        found.append(subprocess.Popen([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]))
        found.append(subprocess.Popen(["sleep", "60"]))
        return found

    monkeypatch.setattr(ranks, "_start", start)
    return found


def test_if_one_is_killed_the_others_are_ended_and_it_is_said(started: list[subprocess.Popen[bytes]]) -> None:
    spec = JobSpec(n_gpus=2)
    folder = RunFolder.create(new_id("job"), spec)
    began = time.monotonic()
    with pytest.raises(EngineError, match=r"Process 1 of 2 was killed by signal 9 \(SIGKILL\)") as found:
        run_ranks(spec, folder, Path(), Report(folder), Stop(folder))
    assert found.value.hint == "Resume it."
    assert started[1].returncode == -9 and time.monotonic() - began < 30


def test_a_process_dies_with_the_one_that_started_it() -> None:
    child = "import os, time; from training.rank import _die_with; _die_with(os.getppid()); print('up', flush=True)"
    parent = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {child + "; time.sleep(60)"!r}], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(60)
"""
    started = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, cwd=ranks.ROOT)
    assert started.stdout is not None
    child_pid = int(started.stdout.readline())
    started.kill()
    started.communicate()
    end = time.monotonic() + 20
    while _alive(child_pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not _alive(child_pid)


def _alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_the_cards_behind_the_first_are_waited_for_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.tickets import Ticket, queue
    from training import waiting

    monkeypatch.setattr(waiting, "resolve_device", lambda _: "cuda:0")
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.01)
    spec = JobSpec(n_gpus=3)
    folder = RunFolder.create(new_id("job"), spec)
    stop = Stop(folder)
    other = Ticket.take("cuda:2", "job-other")
    monkeypatch.setattr(waiting.time, "sleep", lambda _: other.release() if other.path.exists() else None)
    with waiting.further_cards(folder, spec, stop, Report(folder)):
        assert [queue(f"cuda:{place}") for place in range(3)] == [[], [folder.job_id], [folder.job_id]]
    assert queue("cuda:1") == queue("cuda:2") == []
    assert "1 job ahead in the queue" in [event.message for event in folder.events()]


def test_the_reason_that_is_given_is_that_of_the_one_that_saw_it() -> None:
    spec = JobSpec(n_gpus=2)
    folder = RunFolder.create(new_id("job"), spec)
    (folder.path / "ranks").mkdir()

    def said(*words: Word) -> Result:
        for rank, word in enumerate(words):
            say(folder, rank, word)
        return ranks._judge(spec, folder, Report(folder), [0, 0], for_memory=False)

    done = Word(ended="done", result=Result(notes=["first"]))
    assert said(done, Word(ended="done")).notes == ["first"]
    with pytest.raises(EngineError, match="The loss is no longer"):
        said(
            Word(ended="failed", message="The gradients are no"), Word(ended="failed", message="The loss is no longer")
        )
    with pytest.raises(TryAgain):
        said(Word(ended="again"), Word(ended="failed", message="Out of memory"))
    with pytest.raises(Stopped) as stopped:
        said(Word(ended="stopped", result=Result(notes=["kept"])), Word(ended="stopped"))
    assert stopped.value.args[0].notes == ["kept"]


def test_more_cards_than_are_here_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import core.machine
    from training import specs

    here = Machine(cores=8, memory_gib=64, gpus=["H100", "H100"], gpu_memory_gib=[80, 80])
    for module in (core.machine, specs):
        monkeypatch.setattr(module, "machine", lambda: here)
    assert specs._cards_problems(JobSpec(n_gpus=2)) == []
    (problem,) = specs._cards_problems(JobSpec(n_gpus=2, device="cuda:1"))
    assert problem.where == "n_gpus" and "2 cards are asked for, and 1 are here" in problem.what
    assert specs._cards_problems(JobSpec(n_gpus=4, device="cpu")) == []
    spread = JobSpec.model_validate({"n_gpus": 2, "shard_base": True, "method": {"kind": "full"}})
    assert specs._cards_problems(spread)[0].where == "shard_base"
