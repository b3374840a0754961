"""Which settings of a method: sweep."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from commands.groups import is_group, refuse_epochs, wait_for
from commands.printing import NO, OK, AsJson, command, print_json, print_table, seconds_in_words

if TYPE_CHECKING:
    from backends.sweep import SweepJobs
    from core.store import Store
    from evaluation.swept import Swept

Number = TypeVar("Number", int, float)
SpecOrGroup = Annotated[
    str, typer.Argument(help="A train spec, or the group of an earlier launch.", metavar="SPEC", show_default=False)
]


def sweep(
    spec: SpecOrGroup,
    rank: Annotated[str, typer.Option(help="Ranks to try, with commas between: 4,16,64.")] = "",
    learning_rate: Annotated[str, typer.Option(help="Rates to try, with commas between: 3e-4,1e-3.")] = "",
    seeds: Annotated[int, typer.Option(help="Seeds of the best setting, where a run is short.", min=1, max=10)] = 3,
    epochs: Annotated[float | None, typer.Option(help="Passes over the rows.", show_default=False)] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the verdict; exit 1 unless it is to ship.")] = False,
    as_json: AsJson = False,
) -> int:
    """Train several settings, choose by validation loss, and judge the best one once, with other seeds beside it."""
    from backends.sweep import go_on, launch_sweep, sweep_jobs
    from core.jobspec import read_spec
    from core.store import open_store

    refuse_epochs(epochs)
    store = open_store()
    if is_group(spec):
        jobs = go_on(store, sweep_jobs(spec))
    else:
        ranks, rates = _numbers(rank, int, "--rank"), _numbers(learning_rate, float, "--learning-rate")
        jobs = launch_sweep(store, read_spec(Path(spec)), ranks=ranks, rates=rates, seeds=seeds, epochs=epochs)
        if not as_json:
            typer.echo(
                f"{len(jobs.settings)} settings on the same rows, then the best one judged: predicted to take "
                f"{seconds_in_words(jobs.predicted_seconds)} in all. The group is {jobs.group}."
            )
    if wait:
        wait_for(store, jobs.job_ids, as_json)
        jobs = go_on(store, jobs)
        wait_for(store, [*jobs.seed_jobs, *([jobs.judge] if jobs.judge else [])], as_json)
    return _tell(store, jobs, as_json)


def _numbers(text: str, kind: Callable[[str], Number], option: str) -> list[Number]:
    from core.errors import BadInput

    try:
        return [kind(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise BadInput(f"`{option} {text[:40]}` holds what is no number.", "Put commas between numbers.") from None


def _tell(store: Store, jobs: SweepJobs, as_json: bool) -> int:
    from evaluation.swept import states, swept

    found, where = swept(store, jobs), states(store, jobs)
    if as_json:
        listed = {"judge": jobs.judge, "seed_jobs": jobs.seed_jobs, "predicted_seconds": jobs.predicted_seconds}
        told = {"states": {job: state.state for job, state in where.items()}}
        print_json(listed | told | found.model_dump(mode="json"))
    else:
        _print(found, jobs)
    if found.judged:
        return OK if found.verdict == "ship" else NO
    return NO if any(state.state in ("failed", "cancelled") for state in where.values()) else OK


def _print(found: Swept, jobs: SweepJobs) -> None:
    from evaluation.report import VERDICT_WORDS
    from evaluation.swept_table import HEAD, table

    print_table(found.name, HEAD, table(found))
    typer.echo(found.words)
    for name, score in found.scores.items():
        typer.echo(f"  - {name}: {found.metric_words} {score.score:.3f} ({score.low:.3f} to {score.high:.3f})")
    if found.seed_words:
        typer.echo(found.seed_words)
    if found.verdict:
        typer.echo(f"{VERDICT_WORDS[found.verdict]}. See all of it with: {command()} show {jobs.judge}")
    else:
        typer.echo(f"Go on with it: {command()} sweep {jobs.group} --wait")
