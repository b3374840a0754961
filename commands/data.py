"""Look at the data: check, split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.printing import NO, OK, AsJson, print_json, print_table

if TYPE_CHECKING:
    from dataset.finding import Finding
    from dataset.label_errors import LabelSearch
    from dataset.person_names import Finder
    from dataset.read import Dataset
    from dataset.render import Renderer
    from dataset.row import Row

DataFile = Annotated[
    Path, typer.Argument(help="JSONL, JSON, CSV, TSV, Parquet or Excel; also in a .gz or .zip.", show_default=False)
]
Input = Annotated[list[str] | None, typer.Option("--input", help="Column that makes the input; may be repeated.")]
Output = Annotated[str | None, typer.Option(help="Column that holds the answer.", show_default=False)]
Records = Annotated[str | None, typer.Option(help="Path to the rows in nested JSON.", show_default=False)]
Template = Annotated[
    str | None,
    typer.Option(help="Prompt with columns in braces, in place of --input: 'Sort: {subject}'.", show_default=False),
]
Group = Annotated[
    str | None, typer.Option(help="Column whose values must stay on one side of a split.", show_default=False)
]
SHOWN_LINES = 8
SHOWN_SUSPECTS = 20
SHOWN_CHARACTERS = 60


def check(
    file: DataFile,
    validation: Annotated[Path | None, typer.Option(help="Held-out file, looked at for leaks.")] = None,
    inputs: Input = None,
    output: Output = None,
    records: Records = None,
    template: Template = None,
    group: Group = None,
    base_model: Annotated[str, typer.Option(help="Whose tokenizer counts; estimated where it is not here.")] = "",
    max_tokens: Annotated[int, typer.Option(help="Longest row that will be trained on.", min=8)] = 512,
    labels: Annotated[bool, typer.Option("--labels", help="Search for wrong labels too; takes seconds.")] = False,
    names: Annotated[
        str, typer.Option(help="spaCy model that looks for people's names too; extra `pii`.", metavar="MODEL")
    ] = "",
    moderate: Annotated[
        str,
        typer.Option(help="Send up to 500 answers to this moderation endpoint; key: OPENAI_API_KEY.", metavar="URL"),
    ] = "",
    as_json: AsJson = False,
) -> int:
    """Check a data set, and a held-out one against it. Exit 1 when something must be mended."""
    from dataset.check import check as check_data
    from dataset.finding import by_severity
    from dataset.label_errors import search_labels
    from dataset.person_names import person_finder

    find_names = person_finder(names) if names else None  # before the rows are read: what is missing shows at once
    data = _read(file, inputs, output, records, template)
    held_out = None if validation is None else _read(validation, inputs, output, records, template)
    report = check_data(
        data,
        validation=held_out,
        renderer=renderer_of(base_model),
        max_tokens=max_tokens,
        group=group,
        today=date.today(),
    )
    searched = search_labels(data.rows) if labels else None
    more = _asked_for(data.rows, searched, find_names, moderate)
    report = report.model_copy(update={"findings": by_severity([*report.findings, *more])})
    if as_json:
        suspects = {"suspects": [asdict(each) for each in searched.suspects]} if searched else {}
        print_json(report.model_dump(mode="json") | suspects)
    else:
        typer.echo(f"{file}: {report.rows:,} rows, {report.format}, {report.encoding}")
        tokens = report.tokens
        typer.echo(
            f"tokens: {tokens.total:,} in all; half of the rows up to {tokens.p50:,}, 95 % up to {tokens.p95:,}, "
            f"longest {tokens.max:,} ({tokens.tokenizer})"
        )
        cells = [
            [found.severity, found.check, f"{found.count:,}", _lines(found.rows), f"{found.message} {found.fix}"]
            for found in report.findings
        ]
        if cells:
            print_table("Findings", ["severity", "check", "count", "lines", "what and what to do"], cells)
        else:
            typer.echo("No findings.")
        if searched:
            _print_suspects(searched, data.rows)
    return NO if report.has_errors else OK


def _asked_for(
    rows: Sequence[Row], searched: LabelSearch | None, find_names: Finder | None, moderate: str
) -> list[Finding]:
    """Findings of the checks that run on request only."""
    found: list[Finding] = []
    if searched:
        from dataset.checks.label_error import check_label_errors

        found.extend(check_label_errors(searched))
    if find_names:
        from dataset.checks.names import check_names

        found.extend(check_names(rows, find_names))
    if moderate:
        from dataset.checks.toxicity import check_moderated
        from evaluation.harm import ModerationEndpoint

        guard = ModerationEndpoint(moderate)
        found.extend(check_moderated(rows, lambda texts: (each.harmful for each in guard.judge(texts)), guard.name))
    return found


def _print_suspects(searched: LabelSearch, rows: Sequence[Row]) -> None:
    if searched.why_not:
        typer.echo(f"Labels were not searched. {searched.why_not}")
    if searched.suspects:
        cells = [
            [
                str(each.line),
                " ".join(rows[each.place].user_text.split())[:SHOWN_CHARACTERS],
                each.given[:40],
                each.likely[:40],
                f"{each.confidence:.0%}",
            ]
            for each in searched.suspects[:SHOWN_SUSPECTS]
        ]
        title = f"Doubtful labels: the first {len(cells)} of {len(searched.suspects):,}"
        print_table(title, ["line", "asked", "label", "likely label", "sure"], cells)


def split(
    file: DataFile,
    out: Annotated[Path, typer.Option(help="Folder for train, validation and test.jsonl.", show_default=False)],
    inputs: Input = None,
    output: Output = None,
    records: Records = None,
    template: Template = None,
    group: Group = None,
    validation_share: Annotated[float, typer.Option(help="Share of rows to steer by.", min=0, max=0.9)] = 0.1,
    test_share: Annotated[float, typer.Option(help="Share of rows that only the judge reads.", min=0, max=0.9)] = 0.2,
    shifted: Annotated[
        int, typer.Option(help="Rows least like the others, set aside as a slice of their own.", min=0)
    ] = 0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same split.", min=0)] = 7,
    as_json: AsJson = False,
) -> int:
    """Split a data set so that no row, nor a near copy of it, stands on two sides. Existing files are not touched."""
    from core.errors import BadInput, StoreError
    from dataset.preference import FORMAT as PREFERENCE
    from dataset.split import split as split_rows
    from dataset.write import without_unusable, write_chat

    data = _read(file, inputs, output, records, template).usable(pairs=True)
    kept, dropped = without_unusable(data.rows)
    parts = split_rows(
        kept, seed=seed, validation_share=validation_share, test_share=test_share, group=group, shifted=shifted
    )
    names = ("train", "validation", "test", *(("shifted",) if shifted else ()))
    files = {name: out / f"{name}.jsonl" for name in names if getattr(parts, name)}
    there = [path for path in files.values() if path.exists()]
    if there:
        raise BadInput(f"{there[0]} exists already.", "Give another folder with --out.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, path in files.items():
            write_chat(getattr(parts, name), path, pairs=data.format == PREFERENCE)
    except OSError as error:
        raise StoreError(f"cannot write to {out} ({error.strerror}).", "Check the folder and the disk.") from error
    counts = {name: len(getattr(parts, name)) for name in names}
    if as_json:
        written = {name: str(path) for name, path in files.items()}
        left_out = [{"line": row.line, "reason": row.reason} for row in dropped]
        print_json({"files": written, "rows": counts, "left_out": left_out, "notes": list(parts.notes)})
        return OK
    for name, path in files.items():
        typer.echo(f"{path}: {counts[name]:,} rows")
    for row in dropped[:SHOWN_LINES]:
        typer.echo(f"left out: line {row.line}: {row.reason}")
    if len(dropped) > SHOWN_LINES:
        typer.echo(f"left out: {len(dropped) - SHOWN_LINES} more")
    for note in parts.notes:
        typer.echo(f"note: {note}")
    return OK


def _read(
    file: Path, inputs: list[str] | None, output: str | None, records: str | None, template: str | None
) -> Dataset:
    from dataset.read import read

    return read(file, inputs=inputs or None, output=output, records=records, template=template)


def renderer_of(base_model: str) -> Renderer | None:
    """Tokenizer and template of a base model that is here; None for the default while it is not."""
    from core.base_models import locate
    from core.errors import BaseModelUnavailable
    from core.jobspec import DEFAULT_BASE_MODEL
    from dataset.render import Renderer

    place = locate(base_model or DEFAULT_BASE_MODEL)
    if place.path is None:
        if base_model:
            raise BaseModelUnavailable(f"{base_model} is not on this machine yet.", "Leave --base-model out.")
        return None
    return Renderer.from_folder(place.path, name=place.model)


def _lines(lines: list[int]) -> str:
    shown = ", ".join(map(str, lines[:SHOWN_LINES]))
    return shown + (" ..." if len(lines) > SHOWN_LINES else "")
