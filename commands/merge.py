"""A tune in another form: merged into its base, or as a plain script that runs without us."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.printing import OK, AsJson, command, print_json

if TYPE_CHECKING:
    from core.jobspec import JobSpec

KEPT = (
    *("name", "base_model", "base_revision", "device", "max_tokens", "allow_network"),
    *("dataset", "validation", "test", "inputs", "output", "records", "template", "system_prompt"),
)
"""Fields of the training that its merging takes over: the rows are for the comparison."""


def merge(
    what: Annotated[
        str, typer.Argument(help="A train job, or an adapter's folder.", metavar="JOB_OR_ADAPTER", show_default=False)
    ],
    base: Annotated[
        str | None, typer.Option(help="Base of an adapter's folder, where its lineage names none.", show_default=False)
    ] = None,
    wait: Annotated[bool, typer.Option(help="Wait until it is merged and compared.")] = True,
    as_json: AsJson = False,
) -> int:
    """Add an adapter into its base's weights, and compare the answers of both."""
    from backends.launch import launch
    from commands.jobs import follow
    from core.run_folder import RunFolder, read_json
    from core.store import open_store

    store = open_store()
    spec, plan_id = _merge_spec(what, base)
    record = launch(store, spec, plan_id=plan_id)
    if not wait:
        if as_json:
            print_json({"job_id": record.id, "state": "queued"})
        else:
            typer.echo(f"{record.id} has started. Watch it with: {command()} show {record.id}")
        return OK
    code = follow(record.id, as_json, quiet=True)
    if code != OK:
        return code
    folder = RunFolder.of(record.id).path
    if as_json:
        paths = {"merged": str(folder / "merged"), "judge": str(folder / "judge.yaml")}
        print_json({"job_id": record.id} | paths | {"compared": read_json(folder / "merge.json")})
    else:
        outcome = RunFolder.of(record.id).outcome()
        for note in outcome.result.notes if outcome else []:
            typer.echo(note)
    return OK


def export_script(
    job_id: Annotated[str, typer.Argument(help="A train job.", metavar="JOB", show_default=False)],
    target: Annotated[Path, typer.Argument(help="A new folder.", metavar="FOLDER", show_default=False)],
    notebook: Annotated[bool, typer.Option("--notebook", help="A notebook in place of a script.")] = False,
    as_json: AsJson = False,
) -> int:
    """Write a training as a plain script with its rows, to run without Tuneworthy."""
    from core.errors import TuneworthyError
    from core.run_folder import RunFolder
    from core.store import open_store
    from training.script import export_script as write

    spec = open_store().job(job_id).spec
    try:
        folder = RunFolder.of(job_id)
    except TuneworthyError:
        folder = None  # of another engine, or not begun
    files = write(spec, folder, target, notebook=notebook)
    if as_json:
        print_json({"job_id": job_id, "files": [str(file) for file in files]})
    else:
        typer.echo(f"{files[0].parent} holds {', '.join(sorted(file.name for file in files))}.")
        typer.echo("The rows go with it: whoever has the folder can read them.")
    return OK


def _merge_spec(what: str, base: str | None) -> tuple[JobSpec, str | None]:
    """The export job, and the plan that it belongs to."""
    from core.errors import BadInput
    from core.jobspec import JobSpec
    from core.paths import is_folder, resolved, typed_path
    from core.run_folder import read_json
    from core.store import open_store

    folder = typed_path(what)
    if not is_folder(folder):
        record = open_store().job(what)
        if record.kind != "train":
            raise BadInput(f"{what} is no training but a job of kind {record.kind}.", "Name a train job.")
        _refuse_quarantined(what)
        return JobSpec(kind="export", job=what, **{name: getattr(record.spec, name) for name in KEPT}), record.plan_id
    for name, key in (("lineage.json", "base_model"), ("adapter_config.json", "base_model_name_or_path")):
        if base is None and (folder / name).is_file():
            base = str(read_json(folder / name).get(key) or "") or None
    if base is None:
        raise BadInput("it does not say which base it was trained on.", "Name it with --base.", file=str(folder))
    return JobSpec(kind="export", adapter=str(resolved(folder)), base_model=base), None


def _refuse_quarantined(job_id: str) -> None:
    """A merged model can be carried anywhere, as an export can."""
    from core.errors import NotFound
    from core.store import open_store
    from shelf.adapters import adapter
    from shelf.quarantine import refuse_quarantined

    try:
        found = adapter(open_store(), job_id)
    except NotFound:
        return  # the job itself says what is missing
    refuse_quarantined(found)
