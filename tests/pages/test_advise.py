"""The Advise page: answers, ranking, curves, launch."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest
from streamlit.testing.v1 import AppTest

from app_pages import cost_figure, curves_view, wizard
from app_pages.advice import costs, decide
from app_pages.example_answers import EXAMPLES
from core.answers import Answers
from core.jobspec import JobSpec
from core.plan import Plan
from core.store import open_store
from cost_models.report import CostReport

APP = str(Path(__file__).parents[2] / "app.py")
DAY = date(2026, 11, 24)
TOWNS = ("Oslo", "Lima", "Rome", "Cairo", "Quito", "Delhi", "Accra", "Paris")


def plan_of(answers: Answers, overrides: dict[str, float] | None = None, **options: object) -> Plan:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    fields = {"price_overrides": overrides or {}, "cost_options": options}
    return Plan.model_validate({"id": "plan-1", "answers": answers, "created_at": now, "updated_at": now} | fields)


def page(plan_id: str | None = None) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=30)
    if plan_id:
        app.query_params["plan"] = plan_id
    return app.run()


def recommended(app: AppTest) -> str:
    return next(heading.value for heading in app.subheader if heading.value.startswith("Recommended"))


def rows_file(tmp_path: Path, count: int = 40) -> Path:
    path = tmp_path / "rows.csv"
    lines = []
    for n in range(count):
        booking, town = 1000 + 37 * n, TOWNS[n % len(TOWNS)]
        lines.append(f"Please move booking {booking} of guest {n * n} to {town} on day {n},move {booking} to {town}")
    path.write_text("\n".join(["question,answer", *lines]) + "\n", encoding="utf-8")
    return path


def test_looking_at_the_empty_page_makes_no_plan_and_shows_an_answer() -> None:
    app = page()
    assert not app.exception and not app.error
    assert open_store().plans() == []
    assert recommended(app) == "Recommended: zero-shot API"


def test_the_first_answer_makes_a_plan_and_puts_it_into_the_address() -> None:
    app = page()
    app.number_input(key="answer.volume_per_month").set_value(5000).run()
    (plan,) = open_store().plans()
    assert plan.answers.volume_per_month == 5000
    assert plan.id in app.query_params["plan"]


def test_an_answer_changes_the_recommendation_at_once() -> None:
    app = page()
    app.pills(key="answer.knowledge_need").set_value("very_high").run()
    app.pills(key="answer.knowledge_freshness").set_value("daily").run()
    assert recommended(app) == "Recommended: RAG"


def test_an_answer_can_be_taken_back() -> None:
    app = page()
    app.pills(key="answer.privacy").set_value("strict").run()
    app.pills(key="answer.privacy").set_value(None).run()
    assert open_store().plans()[0].answers.privacy is None


def test_answers_survive_a_switch_of_pages() -> None:
    app = page()
    app.selectbox(key="answer.task_kind").set_value("sql").run()
    app.switch_page("app_pages/prices.py").run()
    app.switch_page("app_pages/advise.py").run()
    assert app.selectbox(key="answer.task_kind").value == "sql"
    assert len(open_store().plans()) == 1


def test_a_link_opens_its_plan() -> None:
    store = open_store()
    plan = store.new_plan("Tickets")
    store.update_plan(plan.id, answers=EXAMPLES[2].answers)
    app = page(plan.id)
    assert app.number_input(key="answer.labelled_examples").value == EXAMPLES[2].answers.labelled_examples
    assert recommended(app) == "Recommended: self-hosted fine-tuning"


def test_two_tabs_with_two_plans_do_not_disturb_each_other() -> None:
    store = open_store()
    one, two = store.new_plan("one"), store.new_plan("two")
    first, second = page(one.id), page(two.id)
    first.number_input(key="answer.labelled_examples").set_value(10).run()
    second.number_input(key="answer.labelled_examples").set_value(900).run()
    first.run()
    assert first.number_input(key="answer.labelled_examples").value == 10
    assert store.plan(two.id).answers.labelled_examples == 900


def test_a_change_on_another_page_is_seen_at_the_next_run() -> None:
    store = open_store()
    plan = store.new_plan()
    app = page(plan.id)
    store.update_plan(plan.id, answers=Answers(budget="large"))
    assert app.run().pills(key="answer.budget").value == "large"


def test_a_link_to_a_plan_that_is_gone_says_so() -> None:
    app = page("plan-20260101-00000000")
    assert "There is no plan" in app.warning[0].value
    assert "plan" not in app.query_params


def test_an_example_fills_a_new_plan_and_leaves_answers_alone() -> None:
    app = page()
    app.number_input(key="answer.volume_per_month").set_value(7).run()
    app.button(key="advise.example.0").click().run()
    plans = {plan.name: plan for plan in open_store().plans()}
    assert plans[EXAMPLES[0].name].answers == EXAMPLES[0].answers
    assert any(plan.answers.volume_per_month == 7 for plan in plans.values())
    assert recommended(app) == "Recommended: RAG"


def test_a_plan_is_named_after_its_task() -> None:
    app = page()
    app.text_area(key="answer.task").set_value("Sort letters by office.").run()
    assert open_store().plans()[0].name == "Sort letters by office"


def test_the_wizard_asks_for_every_field_and_offers_every_choice() -> None:
    asked = {question.field: question for question in (*wizard.FIRST, *wizard.REFINE)}
    assert set(asked) == set(Answers.model_fields)
    assert len(wizard.FIRST) <= 10
    for field, question in asked.items():
        hint = Answers.model_fields[field].annotation
        choices = [value for part in get_args(hint) if get_origin(part) is Literal for value in get_args(part)]
        if choices:
            assert [answer for answer, _ in question.options] == choices


def test_a_share_is_asked_in_percent() -> None:
    app = page()
    app.number_input(key="answer.prompt_quality").set_value(72).run()
    assert open_store().plans()[0].answers.prompt_quality == pytest.approx(0.72)


def test_a_price_of_ones_own_holds_for_the_plan() -> None:
    store = open_store()
    plan = store.new_plan()
    store.update_plan(plan.id, price_overrides={"engineer.hour": 10.0})
    assert (
        costs(plan_of(Answers(), {"engineer.hour": 10.0}), DAY).upfront_usd["few_shot"]
        < costs(None, DAY).upfront_usd["few_shot"]
    )
    app = page(plan.id)
    assert not app.error
    app.button(key="advise.prices.reset").click().run()
    assert store.plan(plan.id).price_overrides == {}


def test_a_price_that_is_none_is_refused_in_words() -> None:
    store = open_store()
    plan = store.new_plan()
    store.update_plan(plan.id, price_overrides={"engineer.hour": -1.0})
    app = page(plan.id)
    assert "out of range" in app.error[0].value and not app.exception


@pytest.fixture(scope="module")
def report() -> CostReport:
    return costs(plan_of(EXAMPLES[2].answers), DAY)


def test_the_chart_shows_six_lines_the_doubt_and_every_break_even_point(report: CostReport) -> None:
    chart = cost_figure.figure(report, "ft_self", "ft_self", log=False)
    lines = [trace for trace in chart.data if trace.mode == "lines" and trace.fill is None and trace.name != "date"]
    assert [line.name for line in lines] == [cost_figure.name_of(name) for name in cost_figure.SHOWN]
    assert len({line.line.dash for line in lines}) == 6
    (band,) = [trace for trace in chart.data if trace.fill == "toself"]
    assert max(band.y) == report.curves["ft_self"].p90[-1]
    (points,) = [trace for trace in chart.data if trace.mode == "markers"]
    assert list(points.x) == [point.month_p50 for point in cost_figure.crossings(report)]


def test_the_band_of_the_break_even_point_is_shaded(report: CostReport) -> None:
    point = cost_figure.decisive(report, "ft_self")
    assert point is not None
    shapes = cost_figure.figure(report, "ft_self", "ft_self").layout.shapes
    shade = next(shape for shape in shapes if shape.type == "rect")
    assert shade.x0 == (point.month_p10 or 0)
    assert shade.x1 == (report.months[-1] if point.month_p90 is None else point.month_p90)


def test_a_month_adds_what_the_curve_rises_by(report: CostReport) -> None:
    chart = cost_figure.figure(report, "ft_self", "ft_self", monthly=True)
    line = next(trace for trace in chart.data if trace.name == cost_figure.name_of("few_shot"))
    assert list(line.x) == report.months[1:]
    assert sum(line.y) == pytest.approx(report.curves["few_shot"].p50[-1] - report.curves["few_shot"].p50[0])


def test_hovering_says_the_date_of_a_month(report: CostReport) -> None:
    chart = cost_figure.figure(report, "ft_self", "ft_self")
    dates = next(trace for trace in chart.data if trace.name == "date")
    assert (dates.text[0], dates.text[-1]) == ("November 2026", "November 2028")


def test_doing_nothing_is_a_curve_of_its_own_where_its_cost_was_named() -> None:
    plan = plan_of(EXAMPLES[2].answers, present_usd_per_month=4000)
    found = costs(plan, DAY)
    line = next(trace for trace in cost_figure.figure(found, "ft_self", "ft_self").data if trace.name == "As today")
    assert line.y[-1] == 24 * 4000
    assert "Against today's cost" in curves_view.words(found, "ft_self")


def test_the_curves_come_as_a_table_for_a_spreadsheet(report: CostReport) -> None:
    rows = list(csv.DictReader(curves_view.as_csv(report).splitlines()))
    assert len(rows) == 25
    assert float(rows[24]["ft_self_p90_usd"]) == report.curves["ft_self"].p90[-1]


def test_a_break_even_point_lies_on_both_curves(report: CostReport) -> None:
    chart = cost_figure.figure(report, "ft_self", "ft_self", log=False)
    (points,) = [trace for trace in chart.data if trace.mode == "markers"]
    for month, usd, point in zip(points.x, points.y, cost_figure.crossings(report), strict=True):
        other = cost_figure._at(report, point.than, month)
        assert usd == pytest.approx(other, rel=0.15)


def test_the_log_chart_has_no_value_below_one_dollar(report: CostReport) -> None:
    chart = cost_figure.figure(report, "zero_shot", "zero_shot", log=True)
    assert min(min(trace.y) for trace in chart.data) >= 1
    assert chart.layout.yaxis.type == "log"


def test_labels_keep_their_order_and_their_distance() -> None:
    moved = cost_figure.spread({"zero_shot": 0.98, "few_shot": 0.99, "rag": 0.5, "ft_self": 0.51})
    places = sorted(moved.values())
    assert sorted(moved, key=lambda name: moved[name]) == ["rag", "ft_self", "zero_shot", "few_shot"]
    assert all(later - earlier >= cost_figure.LABEL_GAP - 1e-9 for earlier, later in pairwise(places))
    assert places[-1] <= 1


def test_training_from_scratch_is_said_in_words(report: CostReport) -> None:
    assert "Off the chart" in curves_view.words(report, "ft_self")
    assert "million" in curves_view.words(report, "ft_self")


def test_dollars_never_become_formulas() -> None:
    assert curves_view.money(1234.4) == "\\$1,234" and curves_view.money(2_500_000) == "\\$2.5 million"


def test_advice_and_costs_are_computed_once_for_the_same_answers() -> None:
    answers = Answers(volume_per_month=4321)
    assert costs(plan_of(answers), DAY) is costs(plan_of(answers), DAY)
    assert decide(plan_of(answers), DAY) is decide(plan_of(answers), DAY)


def test_nothing_is_launched_without_rows() -> None:
    app = page()
    assert app.button(key="launch.go").disabled
    assert any("Choose rows first" in info.value for info in app.info)


def test_a_tune_is_launched_with_its_reasons_and_costs(tmp_path: Path) -> None:
    store = open_store()
    plan = store.new_plan("Bookings")
    store.update_plan(plan.id, answers=EXAMPLES[2].answers)
    app = page(plan.id)
    app.segmented_control(key="launch.source.none").set_value("path").run()
    app.text_input(key="launch.path").set_value(str(rows_file(tmp_path))).run()
    assert store.plan(plan.id).data is not None
    app.radio(key="launch.engine").set_value("fake").run()
    app.number_input(key="launch.rank").set_value(4).run()
    app.text_input(key="launch.decided_by").set_value("Ada").run()
    app.button(key="launch.go").click().run()
    assert not app.exception and not app.error
    kept = store.plan(plan.id)
    jobs = [store.job(job) for job in kept.jobs]
    assert [job.kind for job in jobs] == ["evaluate", "train", "evaluate"]
    assert [job.spec.after for job in jobs] == [[], [jobs[0].id], [jobs[1].id]]
    assert jobs[1].spec.method.rank == 4 and jobs[1].spec.dataset == kept.data.train
    assert kept.recommendation == "ft_self" and kept.decided_by == "Ada" and kept.decided_at
    assert kept.ranking and kept.prices_used and kept.cost_summary["months"] == 24
    assert kept.evaluation_plan and kept.evaluation_plan.rows == kept.data.test_rows
    assert any("3 jobs started" in said.value for said in app.success)


def test_where_prompting_comes_first_the_button_measures(tmp_path: Path) -> None:
    app = page()
    app.segmented_control(key="launch.source.none").set_value("path").run()
    app.text_input(key="launch.path").set_value(str(rows_file(tmp_path))).run()
    app.radio(key="launch.engine").set_value("fake").run()
    assert app.button(key="launch.go").label == "Measure it on your rows"
    app.button(key="launch.go").click().run()
    store = open_store()
    (job,) = [store.job(job) for job in store.plans()[0].jobs]
    assert job.kind == "tournament" and job.spec.job is None


def test_where_retrieval_is_the_answer_a_checklist_is_kept_with_the_plan() -> None:
    store = open_store()
    plan = store.new_plan()
    store.update_plan(plan.id, answers=EXAMPLES[0].answers)
    app = page(plan.id)
    assert app.button(key="launch.go").label == "Keep this decision"
    app.button(key="launch.go").click().run()
    assert store.plan(plan.id).recommendation == "rag"
    assert store.plan(plan.id).jobs == []


def test_settings_that_were_changed_are_kept_and_can_be_taken_back() -> None:
    store = open_store()
    plan = store.new_plan()
    store.update_plan(plan.id, answers=EXAMPLES[2].answers)
    app = page(plan.id)
    suggested = app.number_input(key="launch.rank").value
    app.number_input(key="launch.rank").set_value(suggested + 3).run()
    assert page(plan.id).number_input(key="launch.rank").value == suggested + 3
    app.button(key="launch.suggested").click().run()
    assert app.number_input(key="launch.rank").value == suggested


def test_an_unknown_base_model_is_said_before_the_launch(tmp_path: Path) -> None:
    app = page()
    app.segmented_control(key="launch.source.none").set_value("path").run()
    app.text_input(key="launch.path").set_value(str(rows_file(tmp_path))).run()
    (plan,) = open_store().plans()
    open_store().update_plan(plan.id, spec=JobSpec(base_model="no such model"))
    app.run()
    assert any("neither a folder nor a hub id" in error.value for error in app.error)
    assert app.button(key="launch.go").disabled and not app.exception


def test_what_is_ruled_out_is_faint_and_breaks_even_with_nothing(report: CostReport) -> None:
    ruled_out = {"ft_managed", "zero_shot"}
    assert any(ruled_out & {point.cheaper, point.than} for point in cost_figure.crossings(report))
    assert not any(ruled_out & {point.cheaper, point.than} for point in cost_figure.crossings(report, ruled_out))
    chart = cost_figure.figure(report, "ft_self", "ft_self", ruled_out=ruled_out)
    faint = {trace.name for trace in chart.data if trace.mode == "lines" and trace.opacity == cost_figure.FAINT}
    assert faint == {cost_figure.name_of(name) for name in ruled_out}
    said = curves_view.words(report, "ft_self", ruled_out)
    assert "Managed fine-tuning has cost less" not in said
