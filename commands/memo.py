"""Tell those who were not in the room: the decision memo of a plan, and what has changed since."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from commands.printing import OK, AsJson, print_json


def memo(
    plan: Annotated[str, typer.Argument(help="The id of a plan, as its link has it.", show_default=False)],
    pdf: Annotated[Path | None, typer.Option(help="Write two A4 pages here.", show_default=False)] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the Markdown here.", show_default=False)] = None,
    as_json: AsJson = False,
) -> int:
    """Print the decision memo of a plan, with what has changed since the decision at its end."""
    from advisor.memo import markdown as markdown_of
    from advisor.memo_write import write_memo
    from core.store import open_store
    from evaluation.newest import newest_report

    store = open_store()
    kept = store.plan(plan)
    written = write_memo(kept, today=date.today(), evaluation=newest_report(store.jobs(kept.id)))
    text = markdown_of(written)
    files: list[Path] = []
    if markdown is not None:
        files.append(_write(markdown, text.encode()))
    if pdf is not None:
        from advisor.memo_pdf import memo_pdf

        files.append(_write(pdf, memo_pdf(written)))
    if as_json:
        told = [reminder.model_dump(mode="json") for reminder in written.reminders]
        print_json({"plan": kept.id, "markdown": text, "reminders": told, "files": [str(file) for file in files]})
    elif files:
        typer.echo("\n".join(f"{file} is written." for file in files))
        typer.echo("\n".join(["Reminders:", *(f"  - {each.says}" for each in written.reminders)])
                   if written.reminders else "Nothing has changed since the decision.")  # fmt: skip
    else:
        typer.echo(text, nl=False)
    return OK


def _write(path: Path, content: bytes) -> Path:
    from core.errors import StoreError

    try:
        path.write_bytes(content)
    except OSError as error:
        raise StoreError(f"cannot write {path} ({error.strerror}).", "Check the folder and the disk.") from error
    return path
