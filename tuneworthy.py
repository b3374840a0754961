"""Tuneworthy on the command line: is it worth tuning, what will it cost, then do it and prove that it worked."""

from __future__ import annotations

import sys
from collections.abc import Callable

import typer

from commands import advice, clean, compare, data, jobs, journey, keep, learning, machine, memo, merge, results, sweep
from commands.probe import probe
from commands.rescue import rescue
from commands.tournament import tournament

cli = typer.Typer(
    name="tuneworthy",
    help="Is it worth tuning? What will it cost? Then do it, and prove that it worked.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

STOPS: dict[str, list[Callable[..., int]]] = {
    "Decide and price": [advice.advise, advice.cost, advice.prices, memo.memo],
    "Look at the data": [data.check, data.split, clean.clean],
    "Run": [jobs.run, jobs.jobs, jobs.show, jobs.cancel, jobs.resume, jobs.delete, probe, results.estimate],
    "Judge and keep": [
        tournament,
        results.evaluate,
        learning.learning_curve,
        learning.quality_experiment,
        compare.compare_methods,
        sweep.sweep,
        results.shelf,
        results.chat,
        keep.export,
        keep.rejudge,
        merge.merge,
        merge.export_script,
    ],
    "The whole way": [journey.demo, machine.app, machine.doctor],
}
for stop, verbs in STOPS.items():
    for verb in verbs:
        cli.command(verb.__name__.replace("_", "-"), rich_help_panel=stop)(verb)
cli.add_typer(rescue, name="rescue", rich_help_panel="Judge and keep")


def main() -> None:
    """Run the command line. Exit codes: 0 success, 1 the answer is "no", 2 bad usage or bad input."""
    try:
        code = cli(standalone_mode=False)
    except typer.Abort:
        print("Stopped.", file=sys.stderr)
        code = 2
    except KeyboardInterrupt:
        code = 130
    except Exception as error:
        for line in _explained(error):
            print(f"tuneworthy: {line}", file=sys.stderr)
        code = 2
    sys.exit(code if isinstance(code, int) else 0)


def _explained(error: Exception) -> list[str]:
    """An error that is meant for people, in lines; any other is raised again."""
    # Imported here: pydantic behind it would double the time of `--help`.
    from core.errors import TuneworthyError

    if isinstance(error, TuneworthyError):
        return [str(problem) for problem in error.problems()]
    # Typer carries its own copy of click: a usage error is known by what it can do.
    if hasattr(error, "format_message"):
        return [f"{error.format_message()} See `tuneworthy --help`."]
    raise error


if __name__ == "__main__":
    main()
