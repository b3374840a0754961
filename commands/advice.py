"""Decide and price: advise, cost, prices."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.printing import NO, OK, AsJson, InputFile, print_json, print_table, usd_in_words

if TYPE_CHECKING:
    from advisor.advice import Advice
    from cost_models.report import CostReport

SHOWN_MONTHS = (1, 6, 12, 24)


def advise(file: InputFile, as_json: AsJson = False) -> int:
    """Rank the approaches for the answers in FILE, with the reasons and what would change them."""
    from advisor.advise import advise as advise_on
    from cost_models.curves import cost as cost_of

    request = _request(file)
    today = date.today()
    costs = cost_of(request.answers, today=today, overrides=request.prices, options=request.options)
    advice = advise_on(request.answers, today=today, cost=costs, overrides=request.prices)
    if as_json:
        print_json(advice.model_dump(mode="json", by_alias=True))
    else:
        _print_advice(advice)
    return OK


def cost(file: InputFile, as_json: AsJson = False) -> int:
    """Show what each approach costs over time for the answers in FILE, and where they break even."""
    from cost_models.curves import cost as cost_of

    request = _request(file)
    report = cost_of(request.answers, today=date.today(), overrides=request.prices, options=request.options)
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        _print_cost(report)
    return OK


def prices(
    stale: Annotated[
        int | None, typer.Option(help="Only rows that nobody checked for so many days.", min=0, show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> int:
    """List the dated prices that the curves use. With `--stale 90`, exit 1 when a row is that old."""
    from cost_models.prices import PriceBook

    today = date.today()
    book = PriceBook.load(today=today)
    rows = book.rows() if stale is None else book.stale(stale, today)
    if as_json:
        print_json({"prices": [row.model_dump(mode="json") for row in rows]})
    elif not rows:
        typer.echo(f"Every price was checked within {stale} days.")
    else:
        cells = [
            [row.item, f"{row.usd:g}", row.unit, str(row.valid_from), str(row.checked), row.source] for row in rows
        ]
        print_table("Prices (USD)", ["item", "amount", "unit", "valid from", "checked", "source"], cells)
    return NO if stale is not None and rows else OK


def _request(file: Path) -> Any:
    """The file of `advise` and `cost`: answers, and what the curves may be told. All problems at once."""
    from pydantic import Field, ValidationError

    from advisor.scenarios import Expected
    from core.answers import Answers
    from core.errors import ProblemsFound, problems_of
    from core.jobspec import read_mapping
    from cost_models.options import CostOptions

    class Request(CostOptions):
        answers: Answers = Answers()
        prices: dict[str, float] = Field(default_factory=dict)
        name: str = ""
        about: str = ""
        expect: Expected | None = None
        """Who the team is and what it should hear, as in examples/plans/: for the reader and the tests."""

        @property
        def options(self) -> CostOptions:
            return CostOptions.model_validate(self.model_dump(include=set(CostOptions.model_fields)))

    try:
        request = Request.model_validate(read_mapping(file, "answers:"))
    except ValidationError as error:
        raise ProblemsFound(problems_of(error, str(file))) from error
    return request


def _print_advice(advice: Advice) -> None:
    from core.answers import APPROACHES

    typer.echo(f"Recommended: {APPROACHES[advice.recommendation]}. {advice.headline}")
    best = advice.ranking[0].score
    for row in advice.ranking:
        behind = "ruled out" if row.vetoed else f"{best - row.score} points behind" if row.score < best else ""
        typer.echo(f"\n{APPROACHES[row.approach]}: {', '.join(filter(None, (row.verdict, behind)))}")
        for reason in row.reasons:
            typer.echo(f"  {reason.points:+4d}  {reason.because} ({reason.source.title})")
    typer.echo("")
    for title, texts in (
        ("Pulls apart", [conflict.says for conflict in advice.conflicts]),
        ("Assumed", [assumed.says for assumed in advice.assumptions]),
        ("Ask next", [question.question for question in advice.questions]),
        (
            "Would change it",
            [f"{flip.field}: {flip.from_} to {flip.to}, then {APPROACHES[flip.then]}" for flip in advice.flips],
        ),
        ("In any case", advice.notes),
    ):
        if texts:
            typer.echo(f"{title}:\n" + "\n".join(f"  - {text}" for text in texts))


def _print_cost(report: CostReport) -> None:
    from core.answers import APPROACHES

    months = [month for month in SHOWN_MONTHS if month <= report.months[-1]]
    cells = []
    for approach, band in report.curves.items():
        row = [APPROACHES[approach]]
        for month in months:
            at = report.months.index(month)
            row.append(f"{usd_in_words(band.p50[at])} ({usd_in_words(band.p10[at])} to {usd_in_words(band.p90[at])})")
        cells.append(row)
    columns = ["approach", *(f"month {month}" for month in months)]
    print_table("Cumulative cost: the middle, and 8 in 10 draws", columns, cells)
    for point in report.break_even:
        if point.month_p50 is not None:
            typer.echo(
                f"{APPROACHES[point.cheaper]} has cost less than {APPROACHES[point.than]} from month "
                f"{point.month_p50:.1f} on ({point.never:.0%} of the draws: never)."
            )
    for event in report.events:
        typer.echo(f"Month {event.month:g}, {APPROACHES[event.approach]}: {event.what}")
    for text in report.not_counted:
        typer.echo(f"Not counted: {text}")
