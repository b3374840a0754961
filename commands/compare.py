"""Which method, and which settings of it: compare-methods, sweep."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.groups import is_group, predicted_seconds, refuse_epochs, wait_for
from commands.printing import NO, OK, AsJson, command, print_json, print_table, seconds_in_words

if TYPE_CHECKING:
    from backends.comparison import ComparisonJobs
    from core.jobspec import JobSpec
    from core.store import Store
    from evaluation.compared import Comparison

DataOrGroup = Annotated[
    str,
    typer.Argument(help="Rows, a train spec, or the group of an earlier launch.", metavar="DATA", show_default=False),
]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for the table, with progress.")]
Epochs = Annotated[float | None, typer.Option(help="Passes over the rows.", show_default=False)]
SPEC_SUFFIXES = (".yaml", ".yml")


def compare_methods(
    data: DataOrGroup,
    methods: Annotated[str, typer.Option(help="Methods, with commas between; all when left out.")] = "",
    validation: Annotated[str | None, typer.Option(help="Rows for the validation loss.", show_default=False)] = None,
    test: Annotated[str | None, typer.Option(help="Rows that only the judge reads.", show_default=False)] = None,
    base: Annotated[str | None, typer.Option(help="Base model: a folder or a Hub id.", show_default=False)] = None,
    epochs: Epochs = None,
    n: Annotated[int | None, typer.Option("--n", help="Rows to judge on at most.", min=1, show_default=False)] = None,
    knowledge: Annotated[bool, typer.Option("--knowledge", help="Also ask what general knowledge is kept.")] = False,
    wait: Wait = False,
    as_json: AsJson = False,
) -> int:
    """Train the chosen methods on the same split, and show what each takes and what it is worth."""
    from backends.comparison import comparison_jobs, launch_comparison
    from core.store import open_store
    from training.methods.variants import VARIANTS

    refuse_epochs(epochs)
    store = open_store()
    if is_group(data):
        jobs = comparison_jobs(data)
    else:
        told = {"validation": validation, "test": test, "base_model": base, "n": n}
        names = [name.strip() for name in methods.split(",") if name.strip()] or list(VARIANTS)
        jobs = launch_comparison(store, _spec(data, told), names, knowledge=knowledge, epochs=epochs)
        if not as_json:
            _announce(store, jobs)
    if wait:
        wait_for(store, jobs.job_ids, as_json)
    return _tell(store, jobs, as_json)


def _spec(data: str, told: dict[str, Any]) -> JobSpec:
    """The train spec in a YAML file, or the usual one on rows; what was told on the command line comes before both."""
    from core.jobspec import JobSpec, read_spec

    path = Path(data)
    if told["base_model"] and Path(told["base_model"]).is_dir():  # workers have a working directory of their own
        told = told | {"base_model": str(Path(told["base_model"]).resolve())}
    spec = read_spec(path) if path.suffix in SPEC_SUFFIXES else JobSpec(dataset=str(path), name=path.stem[:60])
    return spec.model_copy(update={name: value for name, value in told.items() if value is not None})


def _announce(store: Store, jobs: ComparisonJobs) -> None:
    """What was left out, and how long the others will take, before anything is waited for."""
    from training.methods.variants import VARIANTS

    for name, why in jobs.left_out.items():
        typer.echo(f"{VARIANTS[name].words} is left out. {why}")
    rows = ", ".join(f"{count:,} {part}" for part, count in jobs.rows.items())
    count = len(jobs.methods)
    typer.echo(
        f"{count} method{'s' if count != 1 else ''} on the same rows ({rows}), one after the other: predicted to take "
        f"{seconds_in_words(predicted_seconds(store, jobs.job_ids))} in all. The group is {jobs.group}."
    )


def _tell(store: Store, jobs: ComparisonJobs, as_json: bool) -> int:
    from evaluation.compared import compared

    found = compared(store, jobs)
    if as_json:
        listed = {"jobs": [each.model_dump() for each in jobs.methods], "baseline": jobs.baseline}
        print_json(
            listed | {"predicted_seconds": predicted_seconds(store, jobs.job_ids)} | found.model_dump(mode="json")
        )
    else:
        _print(found, jobs)
    return NO if any(row.state in ("failed", "cancelled") for row in found.methods) else OK


def _print(found: Comparison, jobs: ComparisonJobs) -> None:
    from evaluation.compared_table import head, reasons, table

    on = f"On the same {found.judged_rows:,} held-out rows" if found.judged_rows else found.name
    print_table(on, head(found), table(found))
    typer.echo(found.words)
    for text in [*reasons(found), *(found.limits if found.done else [])]:
        typer.echo(f"  - {text}")
    if not found.done:
        typer.echo(f"See what came of it with: {command()} compare-methods {jobs.group}")
