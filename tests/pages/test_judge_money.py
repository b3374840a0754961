"""What a measured gain costs, on the Judge page: two sentences, or why not."""

from __future__ import annotations

from datetime import date

from app_pages.money_view import in_two_sentences, rival_of, why_not
from core.answers import Answers
from core.plan import Plan
from core.store import open_store
from tests.pages.judgements import WORTH_IT, evaluated, opened, report_of, text

TODAY = date(2026, 11, 24)
BUSY = Answers(volume_per_month=5_000, input_tokens=300, output_tokens=20, labelled_examples=500)


def plan_of(answers: Answers, **options: object) -> Plan:
    store = open_store()
    plan = store.new_plan("Tickets")
    return store.update_plan(plan.id, answers=answers, cost_options=options)


def test_one_more_right_answer_has_a_price_and_what_it_is_worth_is_asked_for() -> None:
    said = in_two_sentences(plan_of(BUSY), report_of(WORTH_IT), TODAY)
    assert said.startswith("Against few-shot") and "65 more right answers in 100" in said
    assert "costs about \\$" in said and "name it in the settings of the curves" in said
    assert said.count(". ") == 1, "two sentences"


def test_with_the_worth_of_a_right_answer_there_is_a_payback() -> None:
    rich = in_two_sentences(plan_of(BUSY, usd_per_right_answer=100.0), report_of(WORTH_IT), TODAY)
    assert "has paid for itself from month" in rich
    poor = in_two_sentences(plan_of(BUSY, usd_per_right_answer=0.000001), report_of(WORTH_IT), TODAY)
    assert "has not paid for itself within 24 months" in poor


def test_a_tune_that_costs_less_has_nothing_more_to_pay_for() -> None:
    crowd = Answers(volume_per_month=1e8, input_tokens=3000, output_tokens=20, labelled_examples=500)
    assert "comes free" in in_two_sentences(plan_of(crowd), report_of(WORTH_IT), TODAY)


def test_where_the_money_cannot_be_said_the_page_says_why() -> None:
    plan = plan_of(BUSY)
    assert "belongs to no plan" in why_not(None, report_of(WORTH_IT))
    assert "how many calls" in why_not(plan_of(Answers()), report_of(WORTH_IT))
    assert why_not(plan, report_of(WORTH_IT)) == ""
    assert "no more right answers" in why_not(plan, report_of(WORTH_IT | {"tuned": [0.0] * 40}))
    luck = WORTH_IT | {"tuned": [0.0] * 29 + [1.0] * 11}
    assert "cannot be told from these rows yet" in why_not(plan, report_of(luck))
    assert "A classifier does this" in why_not(plan, report_of(WORTH_IT | {"classic": [1.0] * 40}))
    free_text = report_of(WORTH_IT).model_copy(update={"metric": "token_f1", "metric_words": "token F1"})
    assert why_not(plan, free_text) == "Token F1 counts no right answers, so one more has no price."
    assert "nothing to hold the cost against" in why_not(plan, report_of({"tuned": [1.0] * 40}))


def test_the_better_way_to_ask_the_base_is_the_rival() -> None:
    assert rival_of(report_of(WORTH_IT)) == "best_prompt"
    assert rival_of(report_of({"base": [1.0] * 30, "best_prompt": [1.0] * 30, "tuned": [1.0] * 30})) == "base"


def test_the_sentences_stand_on_the_page_of_the_plans_judgement() -> None:
    plan = plan_of(BUSY)
    app = opened(job=evaluated(report_of(WORTH_IT), plan_id=plan.id).id)
    assert not app.exception
    assert "more right answers in 100" in text(app)
    assert "belongs to no plan" in text(opened(job=evaluated(report_of(WORTH_IT)).id))
