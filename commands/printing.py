"""How verbs answer: one JSON object with `--json`, plain text for people otherwise."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
InputFile = Annotated[Path, typer.Argument(help="A YAML or JSON file.", show_default=False)]

OK, NO, BAD_INPUT = 0, 1, 2
"""Exit codes: success; the answer is "no"; bad usage or bad input."""


def print_json(value: dict[str, Any]) -> None:
    """One JSON object on standard output. Whoever prints dumps its nouns first: what is no JSON is an error."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def command() -> str:
    """How this command is called from here: `tuneworthy`, or its path where that is not on the search path."""
    if shutil.which("tuneworthy"):
        return "tuneworthy"
    own = Path(sys.executable).with_name("tuneworthy")  # beside this Python, where the set-up puts it
    if not own.is_file():
        return f"{sys.executable} -m tuneworthy"
    return str(own.relative_to(Path.cwd())) if own.is_relative_to(Path.cwd()) else str(own)


def print_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """A table for people, its cells as they are. Rich is imported only when something is printed."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(title), title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")  # the name of a model or job is copied: never cut
    for row in rows:
        table.add_row(*map(escape, row))  # rows of data hold `[/INST]` and the like
    Console().print(table)


def seconds_in_words(seconds: float | None) -> str:
    """`45 s`, `3 min 20 s`, `2 h 5 min`; `unknown` for None."""
    if seconds is None:
        return "unknown"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def usd_in_words(amount: float | None) -> str:
    """`$0.42`, `$1,250`; `unknown` for None."""
    if amount is None:
        return "unknown"
    return f"${amount:,.2f}" if abs(amount) < 100 else f"${amount:,.0f}"
