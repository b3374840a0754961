"""What was measured of prompts stands on the launch panel, and one press takes it into the plan."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from app_pages.advice import options_of
from app_pages.prompts_taken import newest
from core.answers import Answers
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.store import JobRecord, open_store
from evaluation.report import PromptChoice, TokenCount
from evaluation.tournament_report import FILE
from tests.advisor.test_from_tournament import RIGHT, report_of
from tests.pages.test_judge import report_of as judgement_of

APP = str(Path(__file__).parents[2] / "app.py")
ANSWERS = Answers(task="Sort mail", task_kind="extract", prompt_tried="zero_shot", prompt_quality=0.3, input_tokens=900)


def planned(kind: str = "tournament") -> JobRecord:
    """A plan with a job of this kind that has a folder and no report yet."""
    store = open_store()
    plan = store.update_plan(store.new_plan("Mail").id, answers=ANSWERS)
    record = store.add_job(JobSpec.model_validate({"kind": kind}), plan_id=plan.id)
    RunFolder.create(record.id, record.spec)
    return record


def opened(record: JobRecord) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=30)
    app.query_params["plan"] = str(record.plan_id)
    return app.run()


def text(app: AppTest) -> str:
    return "\n".join(str(part.value) for part in [*app.markdown, *app.caption]).replace("\\", "")


def test_a_tournament_is_taken_into_the_plan_by_one_press() -> None:
    record = planned()
    app = opened(record)
    assert not app.exception and "Measured on your rows" not in text(app)
    report_of(RIGHT).save(RunFolder.of(record.id).path / FILE)
    app.run()
    assert "Good answers with the best prompt: 81% (was 30%)" in text(app)
    assert "Tokens of a question: 52 (was 900)" in text(app)
    app.button(key="prompts.take").click().run()
    assert not app.exception and "These figures stand in the plan" in text(app)
    plan = open_store().plan(str(record.plan_id))
    assert (plan.answers.prompt_quality, plan.answers.prompt_tried, plan.answers.task) == (
        0.81,
        "few_shot",
        "Sort mail",
    )
    assert options_of(plan).quality == {"zero_shot": 0.2, "few_shot": 0.81, "rag": 0.66}


def test_a_measurement_by_the_judge_counts_too_and_a_judged_tune_does_not() -> None:
    record = planned("evaluate")
    plan = open_store().plan(str(record.plan_id))
    scores = {"base": [0.0] * 40, "best_prompt": [1.0] * 24 + [0.0] * 16}
    report = judgement_of(scores).model_copy(
        update={
            "prompt": PromptChoice(
                name="fixed_6",
                words="examples",
                instruction="Answer.",
                examples=6,
                mean_tokens=400,
                base_mean_tokens=61.2,
                chosen_on="validation rows",
            ),
            "tokens": {"best_prompt": TokenCount(prompt=400, answer=18.2)},
        }
    )
    report.save(RunFolder.of(record.id).evaluation_file)
    app = opened(record)
    app.button(key="prompts.take").click().run()
    kept = open_store().plan(plan.id)
    assert (kept.answers.prompt_quality, kept.answers.prompt_tried) == (0.6, "few_shot")
    assert (kept.answers.input_tokens, kept.answers.output_tokens) == (61, 18)
    assert options_of(kept).quality == {"zero_shot": 0.0, "few_shot": 0.6}
    judgement_of(scores | {"tuned": [1.0] * 40}).save(RunFolder.of(record.id).evaluation_file)
    assert newest(kept) is None
