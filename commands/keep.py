"""What is kept goes out or is looked at again: export, rejudge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.printing import NO, OK, AsJson, command, print_json

if TYPE_CHECKING:
    from evaluation.freshness import Since
    from evaluation.report import EvaluationReport

TrainJob = Annotated[str, typer.Argument(help="Train job whose adapter it is.", metavar="JOB", show_default=False)]


def export(
    job_id: TrainJob,
    target: Annotated[
        Path, typer.Argument(help="A new folder, or a new file.zip.", metavar="FOLDER", show_default=False)
    ],
    reason: Annotated[
        str, typer.Option(help="Why one in quarantine leaves all the same: 15 characters or more.", show_default=False)
    ] = "",
    name: Annotated[str, typer.Option(help="Who answers for that.", show_default=False)] = "",
    as_json: AsJson = False,
) -> int:
    """Copy an adapter with lineage and model card. Exit 1 for one in quarantine."""
    from core.store import open_store
    from shelf import quarantine
    from shelf.adapters import adapter
    from shelf.export import export as copy
    from shelf.export import free_target

    store = open_store()
    found = adapter(store, job_id)
    free_target(target)  # before anything is released for nothing
    if not found.may_leave and (reason or name):
        quarantine.release(store, job_id, name=name, reason=reason)
        found = adapter(store, job_id)
    if not found.may_leave:
        if as_json:
            print_json({"job_id": job_id, "exported": None, "quarantined": True, "quarantine": found.quarantine})
        else:
            typer.echo(f"Not exported: `{found.name}` is in quarantine. {found.quarantine}")
            typer.echo(
                f'Judge it, or: {command()} export {job_id} {target} --name "Your name" --reason "Why all the same"'
            )
        return NO
    made = copy(store, job_id, target)
    if as_json:
        release = found.release.model_dump(mode="json") if found.release else None
        print_json({"job_id": job_id, "exported": str(made), "quarantined": found.quarantined, "release": release})
    else:
        typer.echo(f"{found.name} is in {made}.")
        if found.release is not None:
            typer.echo(f"Released from quarantine by {found.release.name}: {found.release.reason}")
    return OK


def rejudge(
    job_id: TrainJob,
    rows: Annotated[
        Path | None, typer.Option(help="New held-out rows, in place of the last ones.", show_default=False)
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(help="Another revision of the base, in place of the last one.", show_default=False),
    ] = None,
    wait: Annotated[bool, typer.Option(help="Wait for the verdict; exit 1 unless it is ship.")] = True,
    as_json: AsJson = False,
) -> int:
    """Judge a kept adapter again, and say what has changed since its last verdict."""
    from backends.again import launch_again
    from commands.jobs import follow
    from commands.judged import print_report
    from commands.results import report_of
    from core.errors import NotFound
    from core.run_folder import RunFolder
    from core.store import open_store
    from evaluation.freshness import judge_again, since
    from evaluation.keep import keep_verdict
    from evaluation.report import read_report
    from shelf.adapters import adapter

    store = open_store()
    found = adapter(store, job_id)
    if not found.history:
        raise NotFound(f"`{found.name}` was never judged.", f"Judge it first: {command()} evaluate SPEC")
    last = found.history[0].job_id
    before = read_report(RunFolder.of(last).evaluation_file)
    spec = judge_again(store.job(last).spec, job_id, rows=rows, base_revision=base)
    record = launch_again(store, spec, plan_id=store.job(job_id).plan_id)[-1]
    if not wait:
        if as_json:
            print_json({"job_id": record.id, "state": "queued", "compared_with": last})
        else:
            typer.echo(f"{record.id} has started. Watch it with: {command()} show {record.id}")
        return OK
    code = follow(record.id, as_json, quiet=as_json)
    if code != OK:
        return code
    report = report_of(record.id)
    keep_verdict(store, record, report)
    changed = since(before, report)
    if as_json:
        print_json(_as_json(record.id, last, changed, report))
    else:
        print_report(report)
        typer.echo(changed.sentence)
    return OK if report.verdict == "ship" else NO


def _as_json(job_id: str, last: str, changed: Since, report: EvaluationReport) -> dict[str, object]:
    """As `evaluate --json` prints it, with what has changed."""
    told = report.model_dump(mode="json")
    models: dict[str, object] = told["models"]
    return {"job_id": job_id, "compared_with": last, "since": changed.model_dump(mode="json")} | models | told
