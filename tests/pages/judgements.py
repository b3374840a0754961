"""Ended judgements for the tests of the Judge page: by a rule through the judge's own door, or from given scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from core.job import EngineRef, Outcome
from core.jobspec import AXES, JobSpec
from core.run_folder import RunFolder
from core.store import JobRecord, open_store
from evaluation.judged_model import Opened
from evaluation.report import EvaluationReport, JudgedAnswer, Leak, WorseRow
from evaluation.run import run_evaluation
from evaluation.stats import interval
from evaluation.verdict import judge
from tests.evaluation.conftest import Rule, RuleModel, RuleRenderer, write_tickets

ROOT = Path(__file__).parents[2]
WORTH_IT: dict[str, Sequence[float]] = {
    "base": [0.0] * 40,
    "best_prompt": [0.0] * 30 + [1.0] * 10,
    "tuned": [1.0] * 36 + [0.0] * 4,
}


def opened(**query: str) -> AppTest:
    """The Judge page at an address."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    app.run()
    app.switch_page("app_pages/judge.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def text(app: AppTest) -> str:
    """Everything that is written on it outside tables."""
    parts = [*app.header, *app.subheader, *app.markdown, *app.caption, *app.success, *app.error, *app.warning]
    return "\n".join(str(part.value) for part in [*parts, *app.info, *app.code, *app.text])


def report_of(scores: Mapping[str, Sequence[float]]) -> EvaluationReport:
    """A report on the task alone."""
    found = judge(scores, metric_words="exact match")
    rows = len(next(iter(scores.values())))
    answers = [
        JudgedAnswer(
            line=row + 1,
            input=f"question {row + 1}",
            expected="=1+1",
            answers={name: "=1+1" if values[row] else "no" for name, values in scores.items()},
            scores={name: values[row] for name, values in scores.items()},
        )
        for row in range(rows)
    ]
    return EvaluationReport(
        verdict=found.verdict,
        reasons=found.reasons,
        metric="exact_match",
        metric_words="exact match",
        models={name: {"task": interval(values)} for name, values in scores.items()},
        paired=found.paired,
        worse_rows=[WorseRow(line=3, input="question 3", expected="=1+1", tuned="no", base="=1+1")],
        answers=answers,
        leak=Leak(overlap=1, lines=[41], naive={name: interval(values) for name, values in scores.items()}),
        limits=["Bias was not measured."],
        base_model="some/base",
        test_file="test.jsonl",
        test_sha256="00",
        rows=rows,
        rows_in_file=rows + 1,
        seed=7,
        created_at=datetime.now(UTC),
    )


def evaluated(
    report: EvaluationReport | None,
    *,
    plan_id: str | None = None,
    reason: str = "",
    train_id: str = "job-20260101-00000001",
    name: str = "Tickets: judge",
    dataset: str | None = None,
) -> JobRecord:
    """An ended judgement with its report."""
    store = open_store()
    spec = JobSpec(kind="evaluate", name=name, job=train_id, dataset=dataset)
    record = store.add_job(spec, plan_id=plan_id)
    folder = RunFolder.create(record.id, spec)
    folder.announce(1)
    if report is not None:
        report.save(folder.evaluation_file)
    ended(record, folder, reason)
    return store.job(record.id)


def judged_by_rule(place: Path, rule: Rule, **changes: Any) -> JobRecord:
    """A judgement of tickets on every axis, a quick look, answered by a rule."""
    adapter, base = place / "adapter", place / "base"
    for folder in (adapter, base):
        folder.mkdir()
    (adapter / "adapter_config.json").write_text("{}")
    (adapter / "adapter_model.safetensors").write_bytes(b"weights")
    (base / "model.safetensors").write_bytes(b"base")
    spec = JobSpec(
        kind="evaluate",
        name="Tickets",
        axes=list(AXES),
        look="quick",
        device="cpu",
        dataset=write_tickets(place / "train.jsonl", range(100, 160)).as_posix(),
        validation=write_tickets(place / "validation.jsonl", range(200, 212)).as_posix(),
        test=write_tickets(place / "test.jsonl", range(300, 340)).as_posix(),
        adapter=str(adapter),
    ).model_copy(update=changes)
    record = open_store().add_job(spec, plan_id=None)
    run = RunFolder.create(record.id, spec)
    run.announce(1)
    run_evaluation(spec, run, lambda: False, lambda *_: Opened(RuleModel(rule), RuleRenderer(), base))
    ended(record, run)
    return open_store().job(record.id)


def ended(record: JobRecord, folder: RunFolder, reason: str = "") -> None:
    """Let a job have ended."""
    state = "failed" if reason else "succeeded"
    folder.finish(Outcome.model_validate({"state": state, "reason": reason, "at": datetime.now(UTC)}))
    open_store().set_ref(record.id, EngineRef(engine="local", ref=record.id))
