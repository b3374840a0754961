"""Look at the data: a cleaned copy, the original left as it is."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from commands.data import DataFile, Input, Output, Records, Template
from commands.printing import OK, AsJson, print_json, print_table

SHOWN_ROWS = 8


def clean(
    file: DataFile,
    out: Annotated[Path, typer.Option(help="The cleaned copy: a new JSONL file.", show_default=False)],
    fixes: Annotated[
        list[str], typer.Option("--fix", help="Id of a fix, most often that of the check; may be repeated.")
    ],
    training: Annotated[
        Path | None, typer.Option(help="Training file that held-out rows are compared with.", show_default=False)
    ] = None,
    keep: Annotated[
        list[str] | None, typer.Option("--keep", help="Column to keep beside the turns; may be repeated.")
    ] = None,
    inputs: Input = None,
    output: Output = None,
    records: Records = None,
    template: Template = None,
    as_json: AsJson = False,
) -> int:
    """Write a cleaned copy with a manifest of what was dropped and why. The original is never altered."""
    from dataset.clean import clean as clean_rows
    from dataset.cleaned_copy import manifest_path, write_cleaned
    from dataset.read import Dataset, read

    def rows_of(path: Path) -> Dataset:
        return read(path, inputs=inputs or None, output=output, records=records, template=template).usable()

    data = rows_of(file)
    seen = None if training is None else rows_of(training).rows
    cleaned = clean_rows(data.rows, fixes, training=seen)
    manifest = write_cleaned(data, cleaned, out, today=date.today(), keep=keep or ())
    if as_json:
        print_json(
            {"file": str(out), "manifest": str(manifest_path(out))}
            | manifest.model_dump(mode="json", exclude={"lines"})
        )
        return OK
    typer.echo(f"{out}: {manifest.rows_kept:,} of {manifest.rows_read:,} rows; {manifest.in_words}")
    typer.echo(f"{manifest_path(out)}: every line that was touched, and why")
    cells = [[done.fix, f"{done.dropped:,}", f"{done.changed:,}"] for done in manifest.fixes]
    print_table("Fixes", ["fix", "dropped", "changed"], cells)
    for verb, touched in (("dropped", manifest.dropped), ("changed", manifest.changed)):
        for one in touched[:SHOWN_ROWS]:
            typer.echo(f"{verb}: line {one.line}: {one.reason}")
        if len(touched) > SHOWN_ROWS:
            typer.echo(f"{verb}: {len(touched) - SHOWN_ROWS:,} more")
    return OK
