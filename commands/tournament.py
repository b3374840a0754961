"""Which prompt is best, before anything is tuned: tournament."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.printing import NO, OK, AsJson, command, print_json, print_table

if TYPE_CHECKING:
    from evaluation.tournament_report import TournamentReport


SpecOrJob = Annotated[
    str, typer.Argument(help="A tournament spec, or the id of an earlier job.", metavar="SPEC", show_default=False)
]


def tournament(
    spec: SpecOrJob,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for the result; exit 1 unless one prompt beats the others.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Ask the base or a hosted model in four ways on held-out rows: which prompt must a tune beat?"""
    from backends.launch import launch
    from core.jobspec import read_spec
    from core.store import open_store

    if spec.startswith("job-") and not Path(spec).exists():
        return _follow_and_tell(spec, as_json) if wait else _tell(spec, as_json)
    wanted = read_spec(Path(spec)).model_copy(update={"kind": "tournament"})
    record = launch(open_store(), wanted)
    if not wait:
        if as_json:
            print_json({"job_id": record.id, "state": "queued"})
        else:
            typer.echo(f"{record.id} has started. Watch it with: {command()} show {record.id}")
        return OK
    return _follow_and_tell(record.id, as_json)


def _follow_and_tell(job_id: str, as_json: bool) -> int:
    """Wait for a tournament and print it."""
    from commands.jobs import follow

    code = follow(job_id, as_json, quiet=as_json)
    return code if code != OK else _tell(job_id, as_json)


def _tell(job_id: str, as_json: bool) -> int:
    from evaluation.tournament_report import read_tournament, tournament_file

    report = read_tournament(tournament_file(job_id))
    if as_json:
        print_json({"job_id": job_id} | report.model_dump(mode="json"))
    else:
        print_tournament(report)
    return OK if report.beats_others else NO


def print_tournament(report: TournamentReport) -> None:
    """A tournament for people: the table, who won, what was left out."""
    cells = []
    for rung in report.rungs:
        usd = rung.usd_per_1000_calls
        cells.append(
            [
                rung.words,
                f"{rung.score.score:.3f} ({rung.score.low:.3f} to {rung.score.high:.3f})",
                f"{rung.prompt_tokens:,.0f}",
                f"{rung.answer_tokens:,.0f}",
                f"{rung.seconds_per_answer:.2f} s",
                "not priced" if usd is None else f"${usd:,.3f}",
            ]
        )
    columns = ["prompt", f"{report.metric_words} (95 %)", "tokens in", "out", "an answer", "1,000 calls"]
    print_table(f"On the same {report.rows} held-out rows", columns, cells)
    typer.echo(report.sentence)
    if report.classic is not None:
        low, high = report.classic.low, report.classic.high
        typer.echo(f"A classifier without a language model: {report.classic.score:.2f} ({low:.2f} to {high:.2f}).")
    for name, why in report.left_out.items():
        typer.echo(f"  - not asked: {name.replace('_', '-')}. {why}")
    for text in report.limits:
        typer.echo(f"  - {text}")
