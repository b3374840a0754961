"""One of several processes of a training: `python -m training.rank RUN BASE PARENT`, started by `training.ranks`."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.errors import StoreError, TuneworthyError
from core.job import Result
from core.run_folder import RunFolder
from training.out_of_memory import TryAgain
from training.ranks import Word, say
from training.report import Report
from training.stop import Stop, Stopped
from training.together import leads, rank

_PR_SET_PDEATHSIG = 1


class NotAbrupt:
    """Parts that have nothing to save end when the parent does; here nobody is waited for."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop

    @contextmanager
    def allowed(self, patience_seconds: float = 0.0) -> Iterator[None]:
        """Raises `Stopped` at its end, if a stop was asked meanwhile."""
        yield
        if self._stop():
            raise Stopped


def main(arguments: list[str]) -> int:
    """Train as one of several. Returns 0 unless it failed."""
    folder, base, parent = RunFolder(Path(arguments[0])), Path(arguments[1]), int(arguments[2])
    _die_with(parent)
    stop = Stop(folder)
    stop.listen()
    try:
        word = Word(ended="done", result=_train(folder, base, stop))
    except Stopped as stopped:
        word = Word(ended="stopped", result=stopped.args[0] if stopped.args else Result())
    except TryAgain:
        word = Word(ended="again")
    except TuneworthyError as error:
        word = Word(ended="failed", message=error.message, hint=error.hint)
    except Exception as error:
        traceback.print_exc()
        first_line = (str(error).strip().splitlines() or [""])[0][:300]
        word = Word(ended="failed", message=f"{type(error).__name__}: {first_line}", hint="See the end of its log.")
    with suppress(StoreError):
        say(folder, rank(), word)
    sys.stdout.flush()
    # Not by the usual way: a group of which one member is gone would be waited for.
    os._exit(1 if word.ended == "failed" else 0)


def _train(folder: RunFolder, base: Path, stop: Stop) -> Result:
    from training.sft import run_train

    report = Report(folder) if leads() else Report()
    return run_train(folder.spec(), folder, base, report, stop, NotAbrupt(stop))


def _die_with(parent: int) -> None:
    """End when the parent ends, however it does (Linux; elsewhere its own end is waited for by the group)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it was gone before the line above
        os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
