"""One training on several devices of one host: a process for each, all of them children of the worker's child.

Each reads the same rows and loads the same model; a step's rows are shared among them and their gradients are averaged
(DDP). The first of them, the leader, writes into the run folder. If one dies, the others cannot go on: all are ended.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import EngineError
from core.job import Result
from core.jobspec import JobSpec
from core.machine import machine
from core.run_folder import RunFolder, write_atomically
from training.out_of_memory import TryAgain, allow_another_try, explained_death, try_again_words
from training.report import Report
from training.stop import Stop, Stopped
from training.supervise import oom_kills
from training.together import RANK, WORLD

POLL_SECONDS = 0.2
OTHERS_SECONDS = 10.0
"""Once one has failed, the others get so long to say what they saw: the one with the reason may be the slower."""
STOP_SECONDS = 60.0
"""Once all but one have ended, that one waits for somebody who is gone."""
ROOT = Path(__file__).resolve().parent.parent


class Word(BaseModel):
    """The last word of one process, in `ranks/N.json`."""

    model_config = ConfigDict(extra="forbid")
    ended: Literal["done", "stopped", "again", "failed"]
    message: str = ""
    hint: str = ""
    result: Result = Result()


def run_ranks(spec: JobSpec, folder: RunFolder, base: Path, report: Report, stop: Stop) -> Result:
    """Train on `spec.n_gpus` devices. Raises what `run_train` raises in one process, and `EngineError` for a death."""
    room = folder.path / "ranks"
    room.mkdir(exist_ok=True)
    for old in room.glob("*.json"):
        old.unlink()
    report.stage(f"Starting {spec.n_gpus} processes")
    kills_before = oom_kills()
    started = _start(spec, folder, base, room)
    try:
        _wait(started, stop)
    finally:
        for process in started:
            if process.poll() is None:
                process.kill()
            process.wait()
    codes = [process.returncode for process in started]
    return _judge(spec, folder, report, codes, for_memory=oom_kills() > kills_before)


def say(folder: RunFolder, rank: int, word: Word) -> None:
    """Leave the last word of this process."""
    write_atomically(folder.path / "ranks" / f"{rank}.json", word.model_dump_json(indent=2))


def _start(spec: JobSpec, folder: RunFolder, base: Path, room: Path) -> list[subprocess.Popen[bytes]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    count = spec.n_gpus
    shared = os.environ | {
        WORLD: str(count),
        "LOCAL_WORLD_SIZE": str(count),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(max(1, machine().cores // count))),
    }
    started = []
    for rank in range(count):
        own = shared | {RANK: str(rank), "LOCAL_RANK": str(rank)}
        command = [sys.executable, "-m", "training.rank", str(folder.path), str(base), str(os.getpid())]
        # The leader prints into the job's log, each other one into its own.
        with (room / f"log-{rank}.txt").open("ab") as log:
            out = log if rank else None
            started.append(
                subprocess.Popen(command, cwd=ROOT, env=own, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
            )
    return started


def _wait(started: list[subprocess.Popen[bytes]], stop: Stop) -> None:
    told, failed_at, first_ended_at = False, None, None
    while True:
        codes = [process.poll() for process in started]
        if all(code is not None for code in codes):
            return
        now = time.monotonic()
        if any(code is not None for code in codes):
            first_ended_at = first_ended_at or now
        if any(code not in (None, 0) for code in codes):
            failed_at = failed_at or now
        if failed_at and now - failed_at > OTHERS_SECONDS:
            return
        if first_ended_at and now - first_ended_at > STOP_SECONDS:
            return
        if stop() and not told:
            told = True
            for process in started:
                if process.poll() is None:
                    process.send_signal(signal.SIGTERM)
        time.sleep(POLL_SECONDS)


def _judge(spec: JobSpec, folder: RunFolder, report: Report, codes: list[int], *, for_memory: bool) -> Result:
    """What came of all of them together; `for_memory`: the kernel has killed for memory meanwhile."""
    words = [_word(folder, rank) for rank in range(spec.n_gpus)]
    said = [word for word in words if word is not None]
    if any(word.ended == "again" for word in said):
        raise TryAgain
    failed = [word for word in said if word.ended == "failed"]
    if failed:
        # A loss that is no number in one makes the gradients of all no numbers: the first is the reason.
        first = next((word for word in failed if word.message.startswith("The loss is")), failed[0])
        raise EngineError(first.message, first.hint)
    leader = words[0]
    dead = [rank for rank, code in enumerate(codes) if words[rank] is None]
    if dead or leader is None:
        rank, code = dead[0], codes[dead[0]]
        if for_memory and (smaller := allow_another_try(folder, spec)) is not None:
            report.warning(try_again_words(smaller))
            raise TryAgain
        raise EngineError(*explained_death(rank, spec.n_gpus, code))
    if leader.ended == "stopped":
        raise Stopped(leader.result)
    return leader.result


def _word(folder: RunFolder, rank: int) -> Word | None:
    try:
        return Word.model_validate_json((folder.path / "ranks" / f"{rank}.json").read_bytes())
    except (OSError, ValidationError):
        return None
