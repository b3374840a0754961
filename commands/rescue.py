"""Rescue mode for tunes that die: rescue list, record, retune, parity."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.printing import NO, OK, AsJson, command, print_json, print_table, usd_in_words

if TYPE_CHECKING:
    from backends.rescue.record import Recorded
    from backends.rescue.retune import Retune
    from evaluation.parity import Parity

rescue = typer.Typer(
    help="Save a tuned model that its host shuts down: list, record, retune, parity.", no_args_is_help=True
)
Host = Annotated[str, typer.Option(help="Host of managed tuning: openai, azure, nebius or compatible.")]
Address = Annotated[str, typer.Option(help="Address of a host that has none of its own, such as a resource of Azure.")]
Columns = Annotated[
    list[str] | None, typer.Option("--input", help="Column of the input; may be repeated.", show_default=False)
]
PROGRESS_EVERY = 20


@rescue.command("list")
def list_models(host: Host = "openai", base_url: Address = "", as_json: AsJson = False) -> int:
    """List the account's tuned models, with the days that each has left."""
    from datetime import date

    from backends.rescue.host import open_host
    from backends.rescue.tuned_models import days_in_words, list_tuned
    from cost_models.prices import PriceBook

    today = date.today()
    found = list_tuned(open_host(host, base_url), PriceBook.load(today=today))
    if as_json:
        models = [model.model_dump(mode="json") | {"days_left": model.life.days_left(today)} for model in found.models]
        print_json(found.model_dump(mode="json") | {"models": models})
        return OK
    if not found.models:
        typer.echo(f"{host} lists no tuned model of this account.")
    else:
        cells = [
            [
                model.id,
                model.base or "unknown",
                f"{model.created_at:%Y-%m-%d}" if model.created_at else "unknown",
                str(model.life.retires or "unknown"),
                days_in_words(model.life.days_left(today)) if model.listed else "not listed any more",
            ]
            for model in found.models
        ]
        print_table(f"Tuned models at {host}", ["model", "base", "made", "shut down on", "days left"], cells)
        living = [model.id for model in found.models if model.may_answer(today)]
        if living:
            typer.echo(f"Record what one answers: {command()} rescue record {living[0]} --prompts FILE")
    sources = {model.life.source for model in found.models if model.life.source}
    for text in [*found.notes, *(f"Days: {source}." for source in sorted(sources))]:
        typer.echo(f"  - {text}")
    return OK


@rescue.command()
def record(
    model: Annotated[str, typer.Argument(help="Tuned model, as the host names it.", show_default=False)],
    prompts: Annotated[
        Path, typer.Option(help="Prompts in any usual format; answers in it are not sent.", show_default=False)
    ],
    n: Annotated[int | None, typer.Option("--n", help="Prompts to ask; all when left out.", min=1)] = None,
    budget_usd: Annotated[
        float | None, typer.Option(help="Dollars that may not be passed.", min=0, show_default=False)
    ] = None,
    max_tokens: Annotated[int, typer.Option(help="Longest answer in tokens.", min=1, max=65_536)] = 1024,
    columns: Columns = None,
    host: Host = "openai",
    base_url: Address = "",
    as_json: AsJson = False,
) -> int:
    """Record a golden set: a tuned model's answers on your prompts. Exit 1 while some are left to ask."""
    from datetime import date

    from backends.rescue import record as recording
    from backends.rescue.host import open_host
    from cost_models.prices import PriceBook

    def told(done: int, wanted: int) -> None:
        if not as_json and (done == wanted or done % PROGRESS_EVERY == 0):
            typer.echo(f"  {done:,} of {wanted:,} answered")

    found = recording.record(
        open_host(host, base_url),
        model,
        prompts,
        PriceBook.load(today=date.today()),
        inputs=columns,
        n=n,
        budget_usd=budget_usd,
        max_tokens=max_tokens,
        told=told,
    )
    if as_json:
        golden = found.golden.model_dump(mode="json") | {"complete": found.golden.complete}
        print_json({"folder": str(found.folder), "asked": found.asked, "over_budget": found.over_budget} | golden)
    else:
        _print_recorded(found)
    return OK if found.golden.complete else NO


@rescue.command()
def retune(
    data: Annotated[
        str,
        typer.Argument(
            help="A golden set, or the file that the old model was tuned on.",
            metavar="GOLDEN_OR_FILE",
            show_default=False,
        ),
    ],
    base: Annotated[str | None, typer.Option(help="Open base model: a folder or a Hub id.", show_default=False)] = None,
    spec: Annotated[
        Path | None, typer.Option(help="Train spec whose settings are taken, but for its rows.", show_default=False)
    ] = None,
    golden: Annotated[str | None, typer.Option(help="Golden set that the file belongs to.", show_default=False)] = None,
    as_json: AsJson = False,
) -> int:
    """Tune an open base on the same rows: baseline, training, judgement."""
    from backends.rescue import retune as tuning
    from core.jobspec import JobSpec, read_spec
    from core.store import open_store

    wanted = read_spec(spec) if spec else JobSpec()
    if base:  # workers have a working directory of their own
        wanted = wanted.model_copy(update={"base_model": str(Path(base).resolve()) if Path(base).is_dir() else base})
    found = tuning.retune(open_store(), data, wanted, golden=golden)
    if as_json:
        print_json(
            {"plan": found.plan.id, "train_job": found.train.id, "from_golden": found.from_golden}
            | {"jobs": [{"job_id": job.id, "kind": job.kind} for job in found.jobs]}
        )
    else:
        _print_retune(found)
    return OK


@rescue.command()
def parity(
    job_id: Annotated[str, typer.Argument(help="Train job of the new model.", metavar="JOB", show_default=False)],
    golden: Annotated[str, typer.Option(help="Golden set: its model, its folder or a file in it.", show_default=False)],
    labels: Annotated[
        Path | None, typer.Option(help="Rows with the right answers to the same inputs.", show_default=False)
    ] = None,
    margin: Annotated[float, typer.Option(help="Largest loss that is put up with.", min=0.001, max=0.5)] = 0.05,
    usd_per_hour: Annotated[
        float | None, typer.Option(help="What an hour of the new model's machine costs.", min=0, show_default=False)
    ] = None,
    wait: Annotated[bool, typer.Option(help="Wait for the training, and for the new model's answers.")] = True,
    as_json: AsJson = False,
) -> int:
    """Say whether the new model is as good as the old one. Exit 1 unless it is."""
    from datetime import date

    from backends.launch import state_of
    from backends.rescue.golden import require_golden
    from backends.rescue.parity_job import launch_parity
    from commands.jobs import follow
    from core.store import open_store
    from evaluation.parity import parity as compare

    folder = require_golden(golden)
    store = open_store()
    if wait and not state_of(store.job(job_id)).done:  # the training, first
        follow(job_id, as_json, quiet=True)
    record = launch_parity(store, job_id, folder)
    if not wait and not state_of(record).done:
        if as_json:
            print_json({"job_id": record.id, "state": state_of(record).state})
        else:
            typer.echo(f"{record.id} asks the new model. Give the same command again when it has ended.")
        return OK
    if (code := follow(record.id, as_json, quiet=True)) != OK:
        return code
    found = compare(record, folder, today=date.today(), labels=labels, margin=margin, usd_per_hour=usd_per_hour)
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        _print_parity(found)
    return OK if found.verdict == "as_good" else NO


def _print_recorded(found: Recorded) -> None:
    golden = found.golden
    typer.echo(f"{golden.answered:,} of {golden.wanted:,} answers of {golden.model} are in {found.folder}.")
    typer.echo(
        f"Asked now: {found.asked:,}. Tokens: {golden.prompt_tokens:,} in, {golden.answer_tokens:,} out. "
        f"List price: {_usd(golden.usd)}. An answer takes {golden.seconds_per_answer or 0:.1f} s."
    )
    if golden.temperature is None:
        typer.echo("The host refused temperature 0: it may answer otherwise the next time.")
    for count, what in (
        (golden.empty - golden.refused, "without a word"),
        (golden.refused, "that the host refused to give"),
        (golden.truncated, "cut at the length limit"),
    ):
        if count:
            typer.echo(f"Answers {what}: {count:,}.")
    if found.over_budget:
        typer.echo("Stopped before the budget could be passed. A larger --budget-usd goes on from here.")
    if golden.complete:
        typer.echo(f"Next: {command()} rescue retune {golden.model} --base MODEL")


def _usd(amount: float | None) -> str:
    return "less than $0.01" if amount is not None and 0 < amount < 0.01 else usd_in_words(amount)


def _print_retune(found: Retune) -> None:
    rows = found.plan.data
    if rows is not None:
        typer.echo(f"{rows.train_rows:,} rows to train on, {rows.validation_rows:,} and {rows.test_rows:,} held out.")
    if found.from_golden:
        typer.echo("These are the old model's own answers: what it gets wrong is learned too.")
    for job in found.jobs:
        typer.echo(f"  {job.id}  {job.name}")
    typer.echo(f"When they have ended: {command()} rescue parity {found.train.id} --golden {found.golden or 'SET'}")


def _print_parity(found: Parity) -> None:
    from evaluation.parity_table import HEAD, table

    print_table(f"On the same {found.rows:,} rows", HEAD, table(found))
    typer.echo(found.sentence)
    for text in [*found.reasons, *found.limits]:
        typer.echo(f"  - {text}")
    if found.left_out:
        typer.echo(f"  - Left out, because training has seen them: {found.left_out:,} rows.")
