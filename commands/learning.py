"""What rows are worth: learning-curve, quality-experiment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.groups import is_group, refuse_epochs
from commands.printing import NO, OK, AsJson, command, print_json, print_table

if TYPE_CHECKING:
    from backends.learning import LearningJobs
    from backends.quality import QualityJobs
    from evaluation.learning_curve import LearningCurve
    from evaluation.quality import QualityResult

SpecOrGroup = Annotated[
    str, typer.Argument(help="A train spec, or the group of an earlier launch.", metavar="SPEC", show_default=False)
]
Epochs = Annotated[float | None, typer.Option(help="Passes over the rows, in place of the spec's.", show_default=False)]


def learning_curve(
    spec: SpecOrGroup,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the curve; exit 1 unless more labels pay.")] = False,
    share: Annotated[
        list[float] | None, typer.Option(help="Share of the rows to train on; may be repeated.", show_default=False)
    ] = None,
    epochs: Epochs = None,
    worth: Annotated[float, typer.Option(help="Gain in score that would be worth twice the rows.", min=0.001)] = 0.02,
    as_json: AsJson = False,
) -> int:
    """Train on 10, 30 and 100 % of the rows, and say what more labels would buy."""
    from backends.learning import SHARES, launch_learning, learning_jobs
    from core.jobspec import read_spec
    from core.store import open_store

    refuse_epochs(epochs)
    if is_group(spec):
        jobs = learning_jobs(spec)
    else:
        jobs = launch_learning(open_store(), read_spec(Path(spec)), shares=share or SHARES, epochs=epochs)
    if wait and (code := _follow_all(jobs, as_json)) != OK:
        return code
    return _tell(jobs, worth, as_json)


def quality_experiment(
    spec: SpecOrGroup,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the result; exit 1 unless dropping helps.")] = False,
    drop: Annotated[
        int | None, typer.Option(help="Drop this many suspects instead of all.", min=1, show_default=False)
    ] = None,
    epochs: Epochs = None,
    as_json: AsJson = False,
) -> int:
    """Train with and without the rows whose labels are doubtful, and say what dropping them brings."""
    from backends.quality import launch_quality, quality_jobs
    from core.jobspec import read_spec
    from core.store import open_store

    refuse_epochs(epochs)
    if is_group(spec):
        jobs = quality_jobs(spec)
    else:
        jobs = launch_quality(open_store(), read_spec(Path(spec)), drop=drop, epochs=epochs)
    if wait and (code := _follow_all(jobs, as_json)) != OK:
        return code
    return _tell_quality(jobs, as_json)


def _follow_all(jobs: LearningJobs | QualityJobs, as_json: bool) -> int:
    """Wait for each job in turn; the first that fails ends it."""
    from commands.jobs import follow

    for job_id in jobs.job_ids:
        code = follow(job_id, as_json, quiet=as_json)
        if code != OK:
            return code
    return OK


def _tell(jobs: LearningJobs, worth: float, as_json: bool) -> int:
    from evaluation.learned import learned

    listed = {"group": jobs.group, "jobs": [share.model_dump() for share in jobs.shares]}
    curve = learned(jobs, worth=worth)
    if curve is None:
        return _tell_states(jobs, listed, "learning-curve", as_json)
    if as_json:
        print_json(listed | curve.model_dump(mode="json"))
    else:
        _print_curve(curve)
    return OK if curve.verdict == "label_more" else NO


def _tell_quality(jobs: QualityJobs, as_json: bool) -> int:
    from evaluation.quality import quality_result

    listed = {
        "group": jobs.group,
        "jobs": [arm.model_dump() for arm in jobs.arms],
        "dropped_lines": jobs.dropped,
    }
    result = quality_result(jobs)
    if result is None:
        return _tell_states(jobs, listed, "quality-experiment", as_json)
    if as_json:
        print_json(listed | result.model_dump(mode="json"))
    else:
        _print_quality(jobs, result)
    return OK if result.verdict == "helped" else NO


def _tell_states(jobs: LearningJobs | QualityJobs, listed: dict[str, Any], verb: str, as_json: bool) -> int:
    """Where each job is while the last judgement is not there yet."""
    from core.store import open_store
    from evaluation.learned import states

    found = states(open_store(), jobs)
    if as_json:
        print_json(listed | {"states": {job_id: state.state for job_id, state in found.items()}})
    else:
        for job_id, state in found.items():
            typer.echo(f"{job_id} is {state.state}. {state.note or state.reason}".rstrip())
        typer.echo(f"See what came of it with: {command()} {verb} {jobs.group}")
    return NO if any(state.state in ("failed", "cancelled") for state in found.values()) else OK


def _print_curve(curve: LearningCurve) -> None:
    cells = [[f"{each.rows:,}", "measured", f"{each.score:.3f} ({each.low:.3f} to {each.high:.3f})"]
             for each in curve.points]  # fmt: skip
    cells += [[f"{each.rows:,}", "from the curve", f"{each.score:.3f} ({each.low:.3f} to {each.high:.3f})"]
              for each in curve.band]  # fmt: skip
    columns = ["training rows", "", f"{curve.metric_words} (95 %)"]
    print_table(f"On the same {curve.judged_rows:,} held-out rows", columns, cells)
    typer.echo(curve.words)
    for limit in curve.limits:
        typer.echo(f"  - {limit}")


def _print_quality(jobs: QualityJobs, result: QualityResult) -> None:
    from backends.quality import ARMS

    rows = {arm.arm: arm.rows for arm in jobs.arms}
    cells = []
    for arm, words in ARMS.items():
        found = result.scores[arm]
        cells.append([words, f"{rows[arm]:,}", f"{found.score:.3f} ({found.low:.3f} to {found.high:.3f})"])
    columns = ["trained on", "rows", f"{result.metric_words} (95 %)"]
    print_table(f"On the same {result.judged_rows:,} held-out rows", columns, cells)
    typer.echo(result.words)
    for limit in result.limits:
        typer.echo(f"  - {limit}")
