"""What will it take, was it worth it, and what do we have: estimate, evaluate, shelf, chat."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.printing import (
    NO,
    OK,
    AsJson,
    InputFile,
    command,
    print_json,
    print_table,
    seconds_in_words,
    usd_in_words,
)

if TYPE_CHECKING:
    from core.estimate import Estimate
    from core.jobspec import JobSpec
    from evaluation.report import EvaluationReport
    from shelf.adapters import Adapter


def estimate(
    spec: InputFile,
    plain: Annotated[bool, typer.Option("--plain", help="Without what this machine's own runs showed.")] = False,
    as_json: AsJson = False,
) -> int:
    """Say what a job will need before it starts: memory, minutes, dollars. Exit 1 when it does not fit."""
    from backends.engines import engine
    from backends.estimates import estimate_local
    from core.jobspec import read_spec

    wanted = read_spec(spec)
    _refuse_missing_rows(wanted)
    here = plain and wanted.engine == "local"  # no other engine learns from its runs
    found = estimate_local(wanted, plain=True) if here else engine(wanted.engine).estimate(wanted)
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        cells = [
            ["memory", _range(found.memory_gib, _gib)],
            ["time", _range(found.seconds, seconds_in_words)],
            ["speed", _range(found.tokens_per_second, lambda value: f"{value:,.0f} tokens/s")],
            ["dollars", _range(found.usd, usd_in_words)],
            ["fits", {True: "yes", False: "no", None: "unknown"}[found.fits]],
        ]
        print_table("Before the launch", ["", "likely (low to high)"], cells)
        if found.breakdown:
            parts = sorted(found.breakdown.items(), key=lambda part: -part[1])
            typer.echo("  memory: " + ", ".join(f"{name} {_gib(value)}" for name, value in parts if value >= 0.05))
        planned = found.plan.get("why")
        why = [str(text) for text in planned] if isinstance(planned, list) else []
        for text in dict.fromkeys([*why, *found.memory_gib.because, *found.seconds.because, *found.usd.because]):
            typer.echo(f"  - {text}")
    return NO if found.fits is False else OK


def evaluate(
    spec: InputFile,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the verdict; exit 1 unless it is ship.")] = False,
    as_json: AsJson = False,
) -> int:
    """Judge base, best prompt and tuned model on held-out rows."""
    from backends.launch import launch
    from commands.jobs import follow
    from commands.judged import print_report
    from core.jobspec import read_spec
    from core.store import open_store
    from evaluation.keep import keep_verdict

    wanted = read_spec(spec).model_copy(update={"kind": "evaluate"})
    record = launch(open_store(), wanted)
    if not wait:
        if as_json:
            print_json({"job_id": record.id, "state": "queued"})
        else:
            typer.echo(f"{record.id} has started. Watch it with: {command()} show {record.id}")
        return OK
    code = follow(record.id, as_json, quiet=as_json)
    if code != OK:
        return code
    report = report_of(record.id)
    keep_verdict(open_store(), record, report)
    if as_json:
        found = report.model_dump(mode="json")
        print_json({"job_id": record.id} | found["models"] | found)
    else:
        print_report(report)
    return OK if report.verdict == "ship" else NO


def shelf(
    archived: Annotated[bool, typer.Option(help="Show the archived ones.")] = False, as_json: AsJson = False
) -> int:
    """List the adapters with their lineage and scores."""
    from core.store import open_store
    from shelf.adapters import adapters

    kept = [adapter for adapter in adapters(open_store()) if adapter.archived == archived]
    if as_json:
        print_json({"adapters": [adapter.model_dump(mode="json") for adapter in kept]})
    elif not kept:
        typer.echo(f"No adapters yet. Train one with: {command()} run SPEC")
    else:
        cells = [
            [a.job_id, a.name, _kind(a), f"{a.size_bytes / 2**20:.1f} MiB", _standing(a), str(a.path)] for a in kept
        ]
        print_table("Shelf", ["job", "name", "base or kind", "size", "verdict", "folder"], cells)
    return OK


def _kind(adapter: Adapter) -> str:
    """The base of an adapter; of a classifier that it is one."""
    from shelf.classifier_words import FORM_WORDS

    return adapter.base_model if adapter.form == "adapter" else FORM_WORDS[adapter.form]


def _standing(adapter: Adapter) -> str:
    """Verdict, and whether the adapter may leave."""
    rest = ", released" if adapter.release else ", quarantined" if adapter.quarantined else ""
    return (adapter.verdict or "not judged") + rest


def chat(
    job_id: Annotated[str, typer.Argument(help="Train job whose adapter answers.", show_default=False)],
    message: Annotated[str, typer.Argument(help="What to ask.", show_default=False)],
    system: Annotated[str, typer.Option(help="Instruction before the message.")] = "",
    max_tokens: Annotated[int, typer.Option(help="Longest answer in tokens.", min=1, max=4096)] = 256,
    as_json: AsJson = False,
) -> int:
    """Ask base and tuned model the same thing, side by side."""
    from core.errors import NotFound
    from core.store import open_store
    from serving import client
    from shelf.adapters import adapters

    adapter = next((each for each in adapters(open_store()) if each.job_id == job_id), None)
    if adapter is None:
        raise NotFound(f"no adapter of the job `{job_id[:60]}`.", "See `tuneworthy shelf`.")
    if adapter.form != "adapter":
        return _sort(adapter, message, as_json)
    messages = [{"role": "system", "content": system}] if system else []
    messages.append({"role": "user", "content": message})
    endpoint = client.start(adapter.base_model, {job_id: Path(adapter.path)}, revision=adapter.base_revision)
    endpoint = client.wait(endpoint)
    answers = {"base": client.chat(endpoint, "base", messages, max_tokens)}
    answers["tuned"] = client.chat(endpoint, job_id, messages, max_tokens)
    if as_json:
        print_json({"job_id": job_id, "judged": adapter.judged, "quarantined": adapter.quarantined} | answers)
    else:
        trial = f" (a trial; in quarantine: {adapter.quarantine.rstrip('.')})" if adapter.quarantined else ""
        typer.echo(f"base: {answers['base']}\n\ntuned{trial}: {answers['tuned']}")
    return OK


def _sort(classifier: Adapter, message: str, as_json: bool) -> int:
    """What a small classifier makes of a text: it has no base to stand beside."""
    from serving.classify import sort_texts

    (said,) = sort_texts(classifier.path, [message])
    if as_json:
        told = {"job_id": classifier.job_id, "judged": classifier.judged, "quarantined": classifier.quarantined}
        print_json(told | {"tuned": said.label, "share": said.share})
    else:
        trial = f" (a trial; in quarantine: {classifier.quarantine.rstrip('.')})" if classifier.quarantined else ""
        typer.echo(f"classifier{trial}: {said.label} ({said.share:.0%} sure, not calibrated)")
    return OK


def _refuse_missing_rows(spec: JobSpec) -> None:
    """Raise `ProblemsFound` for files of rows that are not there: an estimate without them would not say so."""
    from core.errors import Problem, ProblemsFound
    from core.paths import is_file

    fields = {"dataset": spec.dataset, "validation": spec.validation, "test": spec.test}
    missing = [
        Problem(what=f"no file at {path}.", where=field, hint="Check the path.")
        for field, path in fields.items()
        if path is not None and not is_file(Path(path))
    ]
    if missing:
        raise ProblemsFound(missing)


def report_of(job_id: str) -> EvaluationReport:
    """The report of an ended evaluation."""
    from backends.engines import engine
    from core.errors import EngineError
    from core.store import open_store
    from evaluation.report import read_report

    record = open_store().job(job_id)
    result = engine(record.engine).result(record.ref) if record.ref else None
    if result is None or result.evaluation is None:
        raise EngineError(f"job {job_id} left no report.", "Run it again.")
    return read_report(Path(result.evaluation))


def _range(found: Estimate, words: Any) -> str:
    if found.likely is None:
        return "unknown"
    if found.low is None or found.high is None or found.low == found.high:
        return str(words(found.likely))
    return f"{words(found.likely)} ({words(found.low)} to {words(found.high)})"


def _gib(value: float) -> str:
    return f"{value:.1f} GiB"
