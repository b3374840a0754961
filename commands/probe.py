"""A dry run of a training, from its spec: `tuneworthy probe`; and how good the predictions of this machine were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.printing import OK, AsJson, InputFile, command, print_json, print_table, seconds_in_words

if TYPE_CHECKING:
    from core.estimate import RunEstimate
    from cost_models.past_runs import PastRun

SHOWN_RUNS = 20


def probe(
    spec: InputFile,
    wait: Annotated[bool, typer.Option(help="Wait for what it measures.")] = True,
    as_json: AsJson = False,
) -> int:
    """Measure a training in under two minutes: some steps of its longest rows, then save, load and answer once."""
    from backends.engines import engine
    from backends.launch import launch
    from commands.jobs import described, follow
    from core.jobspec import read_spec
    from core.run_folder import RunFolder
    from core.store import open_store

    wanted = read_spec(spec)
    record = launch(open_store(), wanted.model_copy(update={"kind": "probe"}))
    if not wait:
        if as_json:
            print_json({"job_id": record.id, "state": "queued"})
        else:
            typer.echo(f"{record.id} has started. Watch it with: {command()} show {record.id}")
        return OK
    code = follow(record.id, as_json, quiet=True)
    if code != OK:
        return code
    outcome = RunFolder.of(record.id).outcome() if record.engine == "local" else None
    metrics = outcome.result.metrics if outcome else {}
    run = engine(wanted.engine).estimate(wanted.model_copy(update={"kind": "train"}))
    if as_json:
        print_json(described(record.id) | {"metrics": metrics, "run": run.model_dump(mode="json")})
        return OK
    shown = described(record.id)
    rows = [
        [label, _shown(getattr(record.predicted, figure).likely, words), _shown(shown["measured"][figure], words)]
        for figure, (label, words) in FIGURE_WORDS.items()
    ]
    print_table("Dry run", ["", "predicted", "measured"], rows)
    for note in shown["notes"]:
        typer.echo(note)
    typer.echo(f"The run itself, by this: {_run_words(run)}")
    return OK


def print_errors(as_json: bool) -> int:
    """Predicted beside measured of this machine's own jobs, and how far off that was."""
    from backends.history import past_runs, reset_at
    from core.store import open_store
    from cost_models.past_runs import errors

    runs = past_runs(open_store())
    found = errors(runs)
    if as_json:
        since = reset_at()
        listed = [_as_json(run) for run in runs]
        summed = [{"figure": e.figure, "runs": e.runs, "median_off": e.median_off, "inside_share": e.inside_share}
                  for e in found]  # fmt: skip
        print_json({"runs": listed, "errors": summed, "correction_since": since.isoformat() if since else None})
        return OK
    if not runs:
        typer.echo("No job of this machine has both a prediction and a measurement yet.")
        return OK
    cells = [
        [run.job_id, run.spec.kind, run.name, *(_pair(run, figure) for figure in FIGURE_WORDS)]
        for run in runs[:SHOWN_RUNS]
    ]
    titles = [label for label, _ in FIGURE_WORDS.values()]
    print_table("Measured of predicted", ["id", "kind", "name", *titles], cells)
    for each in found:
        label = FIGURE_WORDS[each.figure][0]
        typer.echo(
            f"{label}: off by {each.median_off:.0%} in the middle of {each.runs} run{'s' if each.runs > 1 else ''}, "
            f"{each.inside_share:.0%} inside the range."
        )
    return OK


def _gib(value: float) -> str:
    return f"{value:.2f} GiB"


def _speed(value: float) -> str:
    return f"{value:,.0f} tokens/s"


FIGURE_WORDS: dict[str, tuple[str, Any]] = {
    "memory_gib": ("memory", _gib),
    "seconds": ("time", seconds_in_words),
    "tokens_per_second": ("speed", _speed),
}


def _shown(value: float | None, words: Any) -> str:
    return "unknown" if value is None else str(words(value))


def _pair(run: PastRun, figure: str) -> str:
    """`2.41 GiB of 2.60 GiB (0.93)`; empty where it was not measured."""
    words, ratio = FIGURE_WORDS[figure][1], run.ratio(figure)
    if ratio is None:
        return ""
    return f"{words(run.measured_of(figure))} of {words(run.predicted_of(figure).likely)} ({ratio:.2f})"


def _as_json(run: PastRun) -> dict[str, Any]:
    figures = {
        figure: {
            "predicted": run.predicted_of(figure).model_dump(mode="json", exclude={"because"}),
            "measured": run.measured_of(figure),
            "ratio": run.ratio(figure),
        }
        for figure in FIGURE_WORDS
    }
    return {"job_id": run.job_id, "name": run.name, "kind": run.spec.kind, "at": run.at.isoformat()} | figures


def _run_words(run: RunEstimate) -> str:
    memory, seconds = run.memory_gib.likely, run.seconds.likely
    fits = {True: "It fits.", False: "It does not fit.", None: ""}[run.fits]
    return f"{_shown(memory, _gib)}, {_shown(seconds, seconds_in_words)}. {fits}".strip()
