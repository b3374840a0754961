"""The process behind a local job: `python -m training.worker RUN_DIR [--lock-fd N] [--ticket PATH --ticket-fd N]`.

It says that it is there before it imports anything heavy, waits for its turn, then forks: the child works, this
process waits for it. This is the one place where evaluation, serving and training meet.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from pathlib import Path

from core.endpoint_address import is_endpoint
from core.errors import EngineError, TuneworthyError
from core.home import cache_dir
from core.job import Result
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.tickets import Ticket
from training.disk import disk_full_explained
from training.report import Report, say_last
from training.stop import AbruptEnd, Stop, Stopped, last_word
from training.supervise import AGAIN, MEMORY_HINT, supervise
from training.waiting import further_cards, wait_for_turn

EVALUATION_PATIENCE_SECONDS = 20.0
"""An evaluation looks for a stop between batches of answers; after this it is ended from outside."""


def main(arguments: list[str] | None = None) -> int:
    """Run one job folder to its end. Returns 0 for success, 1 for any other outcome, 2 for a wrong call."""
    options = _options(arguments)
    folder = RunFolder(options.run_dir.resolve())
    try:
        lock = _lock(folder, options.lock_fd)
    except TuneworthyError as error:
        print(error, file=sys.stderr)
        return 2
    ticket = Ticket.inherited(options.ticket, options.ticket_fd) if options.ticket_fd is not None else None
    for descriptor in (lock, options.ticket_fd):
        if descriptor is not None:
            os.set_inheritable(descriptor, False)  # a fork keeps it, a started pip does not
    stop = Stop(folder)
    stop.listen()
    report = Report(folder)
    try:
        with disk_full_explained(folder.path):
            folder.announce(os.getpid())
            folder.keep_room()
            print(f"worker {os.getpid()} is at {folder.job_id}", flush=True)
            folder.emit("stage", "queued")
            spec = folder.spec()
            ticket = wait_for_turn(folder, spec, stop, report, ticket)
    except Stopped:
        say_last(folder, stop.outcome())
        return 1
    except TuneworthyError as error:
        say_last(folder, last_word("failed", error.message, error.hint))
        return 1
    parent = os.getpid()
    try:
        return supervise(folder, stop, lambda: _work(folder, spec, stop), lambda: _try_smaller(folder, spec))
    finally:
        if ticket is not None and os.getpid() == parent:
            ticket.release()


def _work(folder: RunFolder, spec: JobSpec, stop: Stop) -> int:
    """In the child: do the job and write its last word."""
    folder = RunFolder(folder.path)  # a child before this one may have moved the count of events on
    report = Report(folder)
    _settle_environment()
    from training.out_of_memory import TryAgain, is_out_of_memory  # heavier than the supervisor should be

    abrupt = AbruptEnd(stop)
    try:
        with disk_full_explained(folder.path, cache_dir()):
            outcome = last_word("succeeded", result=_dispatch(folder, spec, stop, report, abrupt))
    except Stopped as stopped:
        kept = stopped.args[0] if stopped.args else Result()
        outcome = stop.outcome(kept)
    except TryAgain:
        return AGAIN
    except TuneworthyError as error:
        outcome = last_word("failed", error.message, error.hint)
    except Exception as error:
        traceback.print_exc()
        if is_out_of_memory(error):
            outcome = last_word("failed", f"Out of memory: {_one_line(error)}", MEMORY_HINT)
        else:
            outcome = last_word("failed", f"{type(error).__name__}: {_one_line(error)}", "See the end of its log.")
    say_last(folder, outcome)
    return 0 if outcome.state == "succeeded" else 1


def _try_smaller(folder: RunFolder, spec: JobSpec) -> bool:
    """In the supervisor, for a child that the system killed for its memory: may there be another, with less?"""
    from training.out_of_memory import allow_another_try, try_again_words

    smaller = allow_another_try(folder, spec)
    if smaller is not None:
        Report(RunFolder(folder.path)).warning(try_again_words(smaller))
    return smaller is not None


def _dispatch(folder: RunFolder, spec: JobSpec, stop: Stop, report: Report, abrupt: AbruptEnd) -> Result:
    """The work of each kind of job. Imports are made here, each kind its own."""
    if _needs_no_base(spec):
        return _without_base(folder, spec, stop, report, abrupt)
    with abrupt.allowed():
        report.stage("Starting")
        from training.prepare import prepare_base, run_prepare

        if spec.kind == "prepare":
            return run_prepare(spec.base_model, spec.base_revision, report, allow_network=spec.allow_network)
        base = prepare_base(spec.base_model, spec.base_revision, report, allow_network=spec.allow_network)
        # From here on nothing may reach out: what is needed is on this machine.
        os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
        report.stage("Loading the libraries")
        import torch

        print(f"torch {torch.__version__}", flush=True)
    if spec.kind == "train":
        return _train(folder, spec, base, stop, report, abrupt)
    if spec.kind == "probe":
        from training.probe import run_probe

        return run_probe(spec, folder, base, report, stop, abrupt)
    if spec.kind == "tournament":
        return _tournament(folder, spec, stop, abrupt)
    return _evaluate_or_merge(folder, spec, base, stop, report, abrupt)


def _train(folder: RunFolder, spec: JobSpec, base: Path, stop: Stop, report: Report, abrupt: AbruptEnd) -> Result:
    from training.mix_prompts import mixes

    if mixes(spec):
        with abrupt.allowed():
            _mix(folder, spec, base, report)
    if spec.n_gpus > 1:
        from training.ranks import run_ranks

        with further_cards(folder, spec, stop, report):
            return run_ranks(spec, folder, base, report, stop)
    from training.sft import run_train

    return run_train(spec, folder, base, report, stop, abrupt)


def _mix(folder: RunFolder, spec: JobSpec, base: Path, report: Report) -> None:
    """Make the rows that are mixed in, before several processes would each do so. Who refuses, the judge says."""
    from dataset.render import Renderer
    from evaluation.refusals import judge
    from training.base_answers import BaseAnswers
    from training.mix import make_mix
    from training.rows import load_part, longest_row

    renderer, most = Renderer.from_folder(base), longest_row(spec, base)
    own = len(load_part(spec, str(spec.dataset), renderer, most).rows)
    answers = BaseAnswers(spec, base, renderer)
    make_mix(spec, folder, own, most, renderer, answers, lambda *said: judge(*said).label, report)


def _evaluate_or_merge(
    folder: RunFolder, spec: JobSpec, base: Path, stop: Stop, report: Report, abrupt: AbruptEnd
) -> Result:
    if spec.kind == "export":
        with abrupt.allowed():
            from training.merge import run_merge

            return run_merge(spec, folder, base, report)
    from evaluation.run import run_evaluation

    with abrupt.allowed(EVALUATION_PATIENCE_SECONDS):
        return run_evaluation(spec, folder, stop)


def _needs_no_base(spec: JobSpec) -> bool:
    """Can the job do without the base of its spec? A hosted tournament, and what concerns a small classifier alone."""
    if spec.kind == "tournament":
        return is_endpoint(spec.base_model)
    alone = spec.kind == "evaluate" and spec.models is not None and not {"base", "best_prompt"} & set(spec.models)
    return spec.learner != "llm" and (spec.kind == "train" or alone)


def _without_base(folder: RunFolder, spec: JobSpec, stop: Stop, report: Report, abrupt: AbruptEnd) -> Result:
    if spec.kind == "tournament":
        return _tournament(folder, spec, stop, abrupt)
    report.stage("Starting")
    if spec.kind == "train":
        from training.classifier import run_classifier

        return run_classifier(spec, folder, report, stop, abrupt)
    from evaluation.run import run_evaluation

    with abrupt.allowed(EVALUATION_PATIENCE_SECONDS):
        return run_evaluation(spec, folder, stop)


def _tournament(folder: RunFolder, spec: JobSpec, stop: Stop, abrupt: AbruptEnd) -> Result:
    from evaluation.tournament import run_tournament

    with abrupt.allowed(EVALUATION_PATIENCE_SECONDS):
        return run_tournament(spec, folder, stop)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.worker", description="Run one local job.")
    parser.add_argument("run_dir", type=Path, help="folder of the job, with its spec.json")
    parser.add_argument("--lock-fd", type=int, help="descriptor of the folder's lock, when the parent holds it")
    parser.add_argument("--ticket", type=Path, help="file of the device ticket that the parent took")
    parser.add_argument("--ticket-fd", type=int, help="descriptor of that ticket")
    options = parser.parse_args(arguments)
    if (options.ticket is None) != (options.ticket_fd is None):
        parser.error("--ticket and --ticket-fd go together")
    return options


def _lock(folder: RunFolder, descriptor: int | None) -> int:
    """The folder's lock: the parent's, or taken here. Then the log is ours to open as well."""
    if not folder.spec_file.is_file():
        raise EngineError(f"{folder.path} is not a job folder: it has no spec.json.", "Launch the job again.")
    if descriptor is not None:
        try:
            same = os.path.samestat(os.fstat(descriptor), folder.lock_file.stat())
        except OSError:
            same = False
        if not same:
            raise EngineError(f"descriptor {descriptor} is not the lock of {folder.job_id}.", "Leave --lock-fd out.")
        return descriptor
    lock = folder.acquire()
    if (found := folder.outcome()) is not None:
        os.close(lock)
        raise EngineError(f"{folder.job_id} has ended already ({found.state}).", "Resume it with `tuneworthy resume`.")
    print(f"the log is {folder.log_file}", flush=True)
    log = os.open(folder.log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(log)
    return lock


def _settle_environment() -> None:
    """Before the libraries load: no telemetry, no bars in the log, threads that do not burn each other's cores."""
    settings = {
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
        "WANDB_SILENT": "true",
        "PYTHONUNBUFFERED": "1",
    }
    for name, value in settings.items():
        os.environ.setdefault(name, value)


def _one_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]


if __name__ == "__main__":
    sys.exit(main())
