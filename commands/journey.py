"""The whole way without a page: `tuneworthy demo`."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from commands.printing import NO, OK, AsJson, command, print_json, seconds_in_words, usd_in_words

if TYPE_CHECKING:
    from advisor.advice import Advice
    from core.answers import Answers
    from core.plan import DataRef, Plan
    from core.store import JobRecord, Store
    from cost_models.report import CostReport
    from evaluation.report import EvaluationReport

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "course_office"
TASK = "Turn messages to a university's course office into tickets for its software."


def demo(as_json: AsJson = False) -> int:
    """Go the whole way on the course office: decide, price, look at the data, tune, judge."""
    from backends.chain import is_baseline, launch_tune
    from commands.judged import print_report
    from commands.results import report_of
    from core.store import open_store
    from evaluation.keep import keep_verdict
    from evaluation.plan import plan_evaluation

    started = time.monotonic()
    store = open_store()
    say = _silent if as_json else typer.echo
    data = _taken_in(say)
    plan, advice, costs = _decided(store, data, say)
    spec = _spec(plan.answers, advice, data)
    store.update_plan(plan.id, data=data, spec=spec)
    answers = {part: [row.answer for row in _rows(getattr(data, part))] for part in ("train", "test")}
    written = plan_evaluation(answers["train"], answers["test"], spec, now=datetime.now(UTC))
    say(f"\n4. What would count as success, written down before the launch:\n   {written.success}")
    jobs = launch_tune(store, plan, spec, written)
    say(f"\n5. Baseline, tune and judge on this machine{_in_all(jobs)}")
    for job in jobs:
        say(f"   {job.id} {_step(job)}")
        if (code := _waited(job.id, as_json)) != OK:
            return code
        if is_baseline(job.spec):
            say(f"   {_baseline_words(report_of(job.id))}")
    trained = next(job for job in jobs if job.kind == "train")
    report = report_of(jobs[-1].id)
    keep_verdict(store, jobs[-1], report)
    if as_json:
        took = time.monotonic() - started
        print_json(_summary(plan.id, advice, costs, report.model_dump(mode="json"), trained.id, took))
    else:
        say("")
        print_report(report)
        _last_words(advice, costs, report, trained.id, time.monotonic() - started)
    return OK if report.verdict == "ship" else NO


def _answers(rows: int) -> Answers:
    """What the course office would say: tickets in the house's form, many of them, and data that stays at home."""
    from core.answers import Answers

    return Answers(
        task=TASK,
        task_kind="extract",
        knowledge_need="low",
        volume_per_month=200_000,
        labelled_examples=rows,
        format_strictness="very_high",
        privacy="strict",
        has_eval_set=True,
        prompt_tried="few_shot",
        prompt_quality=0.2,
        target_quality=0.8,
        input_tokens=50,
        output_tokens=40,
        team_ml_fte=0.5,
        stakes="low",
        task_stability="stable",
        label_quality="checked",
        portability=True,
        switch_gap="form",
        languages=["en"],
    )


def _taken_in(say: Any) -> DataRef:
    """Our own copies of the rows, checked. Raises `BadInput` where the check finds an error."""
    from commands.data import renderer_of
    from core.errors import BadInput
    from dataset.prepare import adopt

    held_out = EXAMPLE / "heldout.jsonl"
    data = adopt(
        EXAMPLE / "train.jsonl",
        "course_office.jsonl",
        test=(held_out, held_out.name),
        renderer=renderer_of(""),
        today=date.today(),
    )
    errors = [found for found in data.findings if found["severity"] == "error"]
    if errors:
        raise BadInput(str(errors[0]["message"]), str(errors[0]["fix"]), file=data.name)
    say("1. Look at the data")
    say(
        f"   {data.rows} rows: {data.train_rows} to train on, {data.validation_rows} to steer by; "
        f"{data.test_rows} held out, worded by another hand. Findings: {len(data.findings) or 'none'}."
    )
    return data


def _decided(store: Store, data: DataRef, say: Any) -> tuple[Plan, Advice, CostReport]:
    from advisor.advise import advise
    from core.answers import APPROACHES
    from cost_models.curves import cost

    today = date.today()
    answers = _answers(data.rows)
    costs = cost(answers, today=today)
    advice = advise(answers, today=today, cost=costs)
    say(f"\n2. Decide\n   {APPROACHES[advice.recommendation]}. {advice.headline}")
    say("\n3. Price, over 24 months")
    ruled_out = {row.approach for row in advice.ranking if row.vetoed}
    for approach, band in sorted(costs.curves.items(), key=lambda item: item[1].p50[-1]):
        low, middle, high = (usd_in_words(curve[-1]) for curve in (band.p10, band.p50, band.p90))
        note = "  ruled out" if approach in ruled_out else ""
        say(f"   {APPROACHES[approach]:<26} {middle:>12}   ({low} to {high}){note}")
    plan = store.update_plan(
        store.new_plan("Course office demo").id,
        answers=answers,
        recommendation=advice.recommendation,
        ranking=[row.model_dump(mode="json") for row in advice.ranking],
        prices_used=[price.model_dump(mode="json") for price in costs.prices],
        decided_by="tuneworthy demo",
        decided_at=datetime.now(UTC),
    )
    return plan, advice, costs


def _spec(answers: Answers, advice: Advice, data: DataRef) -> Any:
    """The advisor's own job. Raises `Refused` where it does not advise a tune, since then there is nothing to show."""
    from advisor.launch import suggest_launch
    from core.errors import Refused

    launch = suggest_launch(answers, advice, data)
    if launch.spec is None or launch.kind != "tune":
        raise Refused(f"the advisor says: {launch.button}.", "The demo needs an advice to tune.")
    return launch.spec.model_copy(update={"name": "Course office"})


def _rows(path: str) -> Any:
    from dataset.read import read

    return read(Path(path)).rows


def _waited(job_id: str, as_json: bool) -> int:
    from commands.jobs import follow

    return follow(job_id, as_json, quiet=True)


def _step(job: JobRecord) -> str:
    """What a job of the chain does, with what it was predicted to take."""
    from backends.chain import is_baseline

    name = "baseline" if is_baseline(job.spec) else "judge" if job.kind == "evaluate" else job.kind
    seconds = job.predicted.seconds.likely if job.predicted else None
    return name if seconds is None else f"{name}, predicted to take {seconds_in_words(seconds)}"


def _in_all(jobs: list[JobRecord]) -> str:
    """The predicted time of all jobs together, as an ending; nothing where that of one is unknown."""
    each = [job.predicted.seconds.likely if job.predicted else None for job in jobs]
    known = [seconds for seconds in each if seconds is not None]
    return f", predicted to take {seconds_in_words(sum(known))} in all" if len(known) == len(jobs) else ""


def _baseline_words(report: EvaluationReport) -> str:
    """What there is to beat, and why no tune could, where that is so."""
    from evaluation.headroom import nothing_to_gain
    from evaluation.report import MODEL_WORDS

    scores = ", ".join(
        f"{words} {report.models[name]['task'].score:.2f}"
        for name, words in MODEL_WORDS.items()
        if name in report.models
    )
    found = nothing_to_gain(report)
    return f"{report.metric_words}: {scores}" + (f". {found}." if found else "")


def _last_words(advice: Advice, costs: CostReport, report: Any, train_job: str, took_seconds: float) -> None:
    from core.answers import APPROACHES

    scores = {name: axes["task"] for name, axes in report.models.items()}
    typer.echo(f"\nDecided: {APPROACHES[advice.recommendation]}.")
    typer.echo(
        f"Cost here: {seconds_in_words(took_seconds)} of this machine and no dollar; over 24 months in use about "
        f"{usd_in_words(costs.curves[advice.recommendation].p50[-1])}."
    )
    if {"tuned", "best_prompt"} <= scores.keys():
        tuned, prompt = scores["tuned"], scores["best_prompt"]
        typer.echo(
            f"Better by: {report.metric_words} {prompt.score:.2f} with the best prompt, {tuned.score:.2f} tuned "
            f"(95 %: {prompt.low:.2f} to {prompt.high:.2f}, and {tuned.low:.2f} to {tuned.high:.2f})."
        )
    typer.echo(f"See it: {command()} app")
    typer.echo(f"Talk to it: {command()} chat {train_job} 'please drop me from mat 101 by friday'")


def _summary(
    plan_id: str, advice: Advice, costs: CostReport, report: dict[str, Any], train_job: str, took_seconds: float
) -> dict[str, Any]:
    return {
        "plan": plan_id,
        "recommendation": advice.recommendation,
        "usd_24_months": costs.curves[advice.recommendation].p50[-1],
        "seconds": round(took_seconds, 1),
        "train_job": train_job,
        "models": report["models"],
        "verdict": report["verdict"],
        "reasons": report["reasons"],
    }


def _silent(_text: str) -> None:
    """With `--json` only the object is printed."""
