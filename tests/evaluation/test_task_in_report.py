from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

from core.jobspec import JobSpec
from core.run_folder import RunFolder
from evaluation.judged_model import Opened
from evaluation.metrics import METRICS
from evaluation.report import EvaluationReport, read_report
from evaluation.run import run_evaluation
from evaluation.task_details import SCHEMA_VALID

from .conftest import RuleModel, question, right_answer

Open = Callable[[RuleModel], Callable[[JobSpec, Path | None], Opened]]


def judged(
    spec: JobSpec, rule: Callable[[str, bool], str], open_rule: Open, run: Callable[[JobSpec], RunFolder]
) -> EvaluationReport:
    folder = run(spec)
    run_evaluation(spec, folder, lambda: False, open_rule(RuleModel(rule)))
    return read_report(folder.evaluation_file)


def asked_rows(path: Path, rows: list[tuple[str, str]]) -> str:
    turns = [
        {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]}
        for asked, answer in rows
    ]
    path.write_text("\n".join(map(json.dumps, turns)) + "\n")
    return str(path)


def test_fields_schema_and_waiting_stand_in_the_report(
    tickets: JobSpec, open_rule: Open, run: Callable[[JobSpec], RunFolder]
) -> None:
    spec = tickets.model_copy(update={"latency_ms": 1000})
    report = judged(spec, lambda prompt, tuned: right_answer(prompt) if tuned else "no idea", open_rule, run)
    assert report.metric == "json_match"
    assert report.details.beside[SCHEMA_VALID]["tuned"].score == 1
    assert report.details.beside[METRICS["field_f1"]]["base"].score == 0
    assert set(report.latency) == {"base", "best_prompt", "tuned"}
    waited = report.latency["tuned"].within
    assert report.latency["tuned"].n == 20 and waited is not None and waited.score == 1


def test_nobody_is_timed_who_was_not_asked_how_long_is_too_long(
    tickets: JobSpec, open_rule: Open, run: Callable[[JobSpec], RunFolder]
) -> None:
    assert judged(tickets, lambda prompt, tuned: right_answer(prompt), open_rule, run).latency == {}


def test_queries_are_run_on_the_database_of_the_spec(
    tickets: JobSpec, open_rule: Open, run: Callable[[JobSpec], RunFolder], tmp_path: Path
) -> None:
    database = tmp_path / "shop.db"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE parcels (id INTEGER)")
        connection.executemany("INSERT INTO parcels VALUES (?)", [(at,) for at in range(200)])
    connection.close()
    rows = [(f"Parcel {at}?", f"SELECT id FROM parcels WHERE id = {at}") for at in range(120)]
    spec = tickets.model_copy(
        update={
            "sqlite": str(database),
            "dataset": asked_rows(tmp_path / "sql_train.jsonl", rows[:60]),
            "validation": asked_rows(tmp_path / "sql_validation.jsonl", rows[60:80]),
            "test": asked_rows(tmp_path / "sql_test.jsonl", rows[80:]),
        }
    )

    def rule(prompt: str, tuned: bool) -> str:
        number = question(prompt).split()[1].rstrip("?")
        return f"SELECT id FROM parcels WHERE {number} = id" if tuned else "DROP TABLE parcels"

    report = judged(spec, rule, open_rule, run)
    assert (report.metric, report.verdict) == ("sql_rows", "ship")
    assert report.models["tuned"]["task"].score == 1 and report.models["base"]["task"].score == 0
    # As text the tuned queries are others: only running them shows that they are right.
    assert report.details.beside[METRICS["sql_match"]]["tuned"].score == 0
