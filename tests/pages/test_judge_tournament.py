"""The Judge page with a tournament of prompts: at work, failed, and a result that goes into the plan."""

from __future__ import annotations

from datetime import UTC, datetime

from app_pages.tournament_chart import chart, in_sentences
from app_pages.tournament_view import table
from core.answers import Answers
from core.job import EngineRef, Outcome
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.store import JobRecord, open_store
from evaluation.report import JudgedAnswer
from evaluation.stats import wilson
from evaluation.tournament_report import FILE, TournamentReport
from tests.advisor.test_from_tournament import RIGHT, report_of
from tests.pages.judgements import opened, text


def played(report: TournamentReport | None, *, plan_id: str | None = None, state: str = "succeeded") -> JobRecord:
    """An ended tournament; one that has only begun without a report."""
    store = open_store()
    spec = JobSpec(kind="tournament", name="Mail: compare prompts")
    record = store.add_job(spec, plan_id=plan_id)
    folder = RunFolder.create(record.id, spec)
    store.set_ref(record.id, EngineRef(engine="local", ref=record.id))
    folder.announce(1)
    if report is not None:
        report.save(folder.path / FILE)
    outcome = {"state": state, "at": datetime.now(UTC), "reason": "" if report else "The disk is full."}
    folder.finish(Outcome.model_validate(outcome))
    return store.job(record.id)


def test_the_winner_stands_in_one_sentence_with_scores_tokens_and_prices() -> None:
    report = report_of(RIGHT).model_copy(
        update={
            "left_out": {"retrieval": "As few-shot."},
            "limits": ["Few rows."],
            "classic": wilson(99, 100),
            "answers": [
                JudgedAnswer(
                    line=3, input="My bill", expected="fees", answers={"zero_shot": "exams", "few_shot": "fees"},
                    scores={"zero_shot": 0.0, "few_shot": 1.0},
                )
            ],
        }
    )  # fmt: skip
    report.rungs[1].usd_per_1000_calls = 0.25
    app = opened(job=played(report).id)
    assert not app.exception
    assert [header.value for header in app.header] == ["Held to a JSON schema wins"]
    assert app.success[0].value == "It is best."
    written = text(app).replace("\\", "")
    assert "It is better than every prompt here." in written and "Retrieval was not asked. As few-shot." in written
    assert "Few rows." in written and "My bill" in written and "Few-shot :green[" in written
    shown = app.table[0].value
    assert shown["Score"].to_list()[0] == "0.20 (0.13 to 0.29)"
    assert shown["Tokens in, out"].to_list()[0] == "100, 31"
    prices = [price.replace("\\", "") for price in shown["1,000 calls"]]
    assert prices == ["not priced", "$0.25", "not priced", "not priced"]


def test_what_luck_could_do_is_no_win() -> None:
    app = opened(job=played(report_of(RIGHT).model_copy(update={"beats_others": False})).id)
    assert [header.value for header in app.header] == ["No clear winner"] and app.info and not app.success


def test_the_result_goes_into_the_plan_that_it_was_asked_for_by_one_press() -> None:
    store = open_store()
    plan = store.update_plan(store.new_plan("Mail").id, answers=Answers(task="Sort mail", prompt_quality=0.3))
    store.new_plan("Another")
    record = played(report_of(RIGHT), plan_id=plan.id)
    app = opened(job=record.id)
    app.button(key="prompts.take").click().run()
    assert not app.exception and "These figures stand in the plan." in text(app)
    assert store.plan(plan.id).answers.prompt_quality == 0.81
    assert [each.answers.prompt_quality for each in store.plans() if each.id != plan.id] == [None]


def test_without_a_plan_there_is_nothing_to_take_it_into() -> None:
    app = opened(job=played(report_of(RIGHT)).id)
    assert "Open a plan to take these figures into it." in text(app)
    assert "prompts.take" not in [button.key for button in app.button]


def test_one_at_work_shows_how_far_it_is_and_a_failed_one_why() -> None:
    store = open_store()
    spec = JobSpec(kind="tournament", name="Mail: compare prompts")
    record = store.add_job(spec, plan_id=None)
    folder = RunFolder.create(record.id, spec)
    store.set_ref(record.id, EngineRef(engine="local", ref=record.id))
    descriptor = folder.acquire()
    try:
        folder.emit("stage", "asking: zero-shot")
        folder.emit("step", step=12, total_steps=40)
        app = opened(job=record.id)
        assert not app.exception and "Running" in text(app) and not app.header
    finally:
        import os

        os.close(descriptor)
    app = opened(job=played(None, state="failed").id)
    assert not app.exception and "The disk is full." in app.error[0].value


def test_every_way_to_ask_has_its_own_row_and_mark_and_is_said_in_words() -> None:
    report = report_of(RIGHT)
    points = chart(report.model_copy(update={"classic": wilson(50, 100)})).data[0]
    assert len(set(points.marker.symbol)) == len(points.y) == 5
    assert [words for words in points.text if words] == ["best"]
    assert "Retrieval, 3 examples: 66\u00a0% (56 to 75)." in in_sentences(report)
    assert [row["Way to ask"].endswith("best]") for row in table(report)] == [False, False, False, True]
