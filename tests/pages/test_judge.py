"""The Judge page: nothing judged, running, failed, and a verdict with all that it rests on."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app_pages.answers_view import CUT, GAINED, LOST, WRONG, as_csv, chosen, mark
from app_pages.judge_view import look_of, table
from core.job import EngineRef, Outcome
from core.jobspec import JobSpec
from core.plan import EvaluationPlan
from core.run_folder import RunFolder
from core.store import JobRecord, open_store
from tests.pages.judgements import WORTH_IT, evaluated, opened, report_of, text
from tests.shelf.conftest import write_adapter
from tests.training.conftest import colour_rows, write_rows


def trained(spec: JobSpec, plan_id: str | None = None) -> tuple[JobRecord, RunFolder]:
    store = open_store()
    record = store.add_job(spec, plan_id=plan_id)
    folder = RunFolder.create(record.id, spec)
    write_adapter(folder.adapter)
    folder.finish(Outcome(state="succeeded", at=datetime.now(UTC)))
    store.set_ref(record.id, EngineRef(engine=spec.engine, ref=record.id))
    return store.job(record.id), folder


def test_with_nothing_judged_the_page_says_what_to_do_next() -> None:
    app = opened()
    assert not app.exception
    assert "launch panel" in app.info[0].value


def test_a_verdict_is_said_in_words_with_intervals_limits_and_the_rows_that_got_worse() -> None:
    evaluated(report_of(WORTH_IT))
    app = opened()
    assert not app.exception
    assert [header.value for header in app.header] == ["Worth it"]
    assert "beats" in app.success[0].value
    assert app.table[1].value["Score"].to_list()[2].startswith("0.90 (")
    assert "Bias was not measured." in text(app)
    assert "question 3" in text(app)
    assert "1 held-out row stands in the training rows too" in app.warning[0].value


def test_the_plan_from_before_the_launch_stands_beside_what_was_found() -> None:
    store = open_store()
    plan = store.new_plan("Tickets")
    written = EvaluationPlan(
        metric="exact match",
        rows=41,
        models=["base", "tuned"],
        success="Ten points more.",
        written_at=datetime.now(UTC),
    )
    record = evaluated(report_of(WORTH_IT), plan_id=plan.id)
    store.update_plan(plan.id, evaluation_plans={record.id: written})
    app = opened(job=record.id)
    assert "Ten points more." in app.table[2].value["Planned"].to_list()
    assert "Worth it" in app.table[2].value["Found"].to_list()
    assert store.plan(plan.id).verdict == "ship"
    assert store.verdicts() == {"job-20260101-00000001": "ship"}


def test_a_plan_written_after_the_launch_is_not_shown_as_written_before() -> None:
    store = open_store()
    plan = store.new_plan("Tickets")
    record = evaluated(report_of(WORTH_IT), plan_id=plan.id)
    late = datetime.now(UTC) + timedelta(hours=1)
    written = EvaluationPlan(metric="m", rows=1, models=["base"], success="Anything.", written_at=late)
    store.update_plan(plan.id, evaluation_plan=written, evaluation_plans={record.id: written})
    app = opened(job=record.id)
    assert "Anything." not in str([table.value for table in app.table])
    assert "No evaluation plan is kept with this judgement." in text(app)


def test_the_first_verdict_keeps_its_plan_when_the_plan_is_launched_again() -> None:
    store = open_store()
    plan = store.new_plan("Tickets")
    first = evaluated(report_of(WORTH_IT), plan_id=plan.id)
    second = evaluated(report_of(WORTH_IT), plan_id=plan.id)
    before = datetime.now(UTC) - timedelta(hours=1)
    plans = {
        record.id: EvaluationPlan(metric="m", rows=1, models=["base"], success=words, written_at=before)
        for record, words in ((first, "Ten points more."), (second, "Twenty points more."))
    }
    store.update_plan(plan.id, evaluation_plan=plans[second.id], evaluation_plans=plans)
    assert "Ten points more." in app_table(opened(job=first.id))
    assert "Twenty points more." in app_table(opened(job=second.id))


def app_table(app: AppTest) -> list[str]:
    """What was planned, on the page."""
    return [str(value) for value in app.table[2].value["Planned"]]


def test_an_older_verdict_that_is_looked_at_again_does_not_become_the_plans() -> None:
    store = open_store()
    plan = store.new_plan("Tickets")
    older = report_of(WORTH_IT).model_copy(update={"created_at": datetime.now(UTC) - timedelta(days=1)})
    newer = report_of(WORTH_IT).model_copy(update={"verdict": "do_not_ship"})
    first = evaluated(older, plan_id=plan.id)
    opened(job=evaluated(newer, plan_id=plan.id).id)
    opened(job=first.id)
    assert store.plan(plan.id).verdict == "do_not_ship"


def test_a_failed_judgement_shows_its_reason() -> None:
    record = evaluated(None, reason="The disk is full.")
    app = opened(job=record.id)
    assert "The disk is full." in app.error[0].value


def test_a_broken_report_is_a_message_and_no_traceback() -> None:
    record = evaluated(None)
    RunFolder.of(record.id).evaluation_file.write_text("{", encoding="utf-8")
    app = opened(job=record.id)
    assert not app.exception
    assert "is not an evaluation report" in app.error[0].value


def test_a_training_without_a_judgement_is_offered_one() -> None:
    record, _ = trained(JobSpec(name="Tickets"))
    app = opened()
    assert not app.exception
    app.button(key=f"judge.launch.{record.id}").click().run()
    assert not app.exception
    assert "no rows to judge on" in app.error[0].value.casefold(), "a job that cannot run was started"


def test_judging_later_writes_down_first_what_would_count_as_success(tmp_path: Path) -> None:
    store = open_store()
    plan = store.new_plan("Colours")
    path = write_rows(tmp_path / "rows.jsonl", colour_rows()[:30])
    spec = JobSpec(name="Colours", engine="fake", dataset=path, test=path, fake={"seconds": 60.0})
    train, _ = trained(spec, plan.id)
    app = opened(plan=plan.id)
    app.button(key=f"judge.launch.{train.id}").click().run()
    assert not app.exception and not app.error
    (judge_job,) = [job for job in store.jobs(plan.id) if job.kind == "evaluate"]
    written = store.plan(plan.id).evaluation_plans[judge_job.id]
    assert written.rows == 30 and written.written_at <= judge_job.created_at and "tuned" in written.models


def test_an_adapter_that_was_trained_on_since_its_verdict_is_offered_again() -> None:
    record, folder = trained(JobSpec(name="Tickets"))
    weights = (folder.adapter / "adapter_model.safetensors").read_bytes()
    report = report_of(WORTH_IT).model_copy(update={"adapter_sha256": hashlib.sha256(weights).hexdigest()})
    judged_before = evaluated(report, train_id=record.id)
    assert f"judge.launch.{record.id}" not in [button.key for button in opened(job=judged_before.id).button]
    write_adapter(folder.adapter, fill=2.0)
    assert opened(job=judged_before.id).button(key=f"judge.launch.{record.id}")


def test_a_link_to_a_training_of_another_plan_leads_to_it() -> None:
    store = open_store()
    here, elsewhere = store.new_plan("Here"), store.new_plan("Elsewhere")
    trained(JobSpec(name="Mine"), here.id)
    other, _ = trained(JobSpec(name="Theirs"), elsewhere.id)
    app = opened(plan=here.id, train=other.id)
    assert app.button(key=f"judge.launch.{other.id}")


def test_the_table_of_models_names_them_in_full() -> None:
    assert [row["Model"] for row in table(report_of(WORTH_IT))] == ["Base", "Base with the best prompt", "Tuned"]


def test_without_a_tuned_model_there_is_no_verdict_to_give() -> None:
    report = report_of({"base": [0.0] * 30, "best_prompt": [1.0] * 30})
    assert look_of(report).label == "Measured"


def test_the_filters_pick_what_they_say() -> None:
    answers = report_of(WORTH_IT).answers
    assert len(chosen(answers, GAINED, "")) == 30
    assert len(chosen(answers, LOST, "")) == 4
    assert len(chosen(answers, WRONG, "")) == 4
    assert chosen(answers, CUT, "") == []
    assert [answer.line for answer in chosen(answers, "All", "question 40")] == [40]


def test_right_and_wrong_are_words_too() -> None:
    assert "right" in mark(1.0)
    assert "wrong" in mark(0.0)
    assert "0.50" in mark(0.5)
    assert mark(None) == ""


def test_the_download_holds_every_row_and_no_formula() -> None:
    rows = list(csv.reader(io.StringIO(as_csv(report_of(WORTH_IT).answers))))
    assert len(rows) == 41
    assert rows[1][rows[0].index("expected")] == "'=1+1"
    assert rows[1][rows[0].index("tuned")] == "'=1+1"


@pytest.mark.parametrize("body", ["null", "[]", json.dumps({"models": 3})])
def test_a_report_of_the_wrong_shape_is_a_message(body: str) -> None:
    record = evaluated(None)
    RunFolder.of(record.id).evaluation_file.write_text(body, encoding="utf-8")
    app = opened(job=record.id)
    assert not app.exception
    assert app.error
