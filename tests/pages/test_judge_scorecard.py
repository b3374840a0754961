"""The scorecard of the Judge page: every axis and model as a chart, in words and as a table of states."""

from __future__ import annotations

from pathlib import Path

import pytest

from app_pages.judge_view import look_of, stands_below, with_code
from app_pages.judged_axes import ALWAYS_SHOWN, lines, state_of_axis
from app_pages.judged_models import SYMBOLS
from app_pages.judged_reports import report_of
from app_pages.scorecard import QUICK_LOOK, asked_axes, chart, in_sentences, table
from evaluation.measure import QUICK
from evaluation.report import EvaluationReport
from tests.evaluation.test_axes_run import label_only, obedient
from tests.pages import judgements
from tests.pages.judgements import WORTH_IT, judged_by_rule, opened, text


@pytest.fixture
def obeyed(tmp_path: Path) -> EvaluationReport:
    return report_of(judged_by_rule(tmp_path, obedient))


def test_an_axis_that_was_lost_stands_in_the_verdict_the_table_and_the_remedies(tmp_path: Path) -> None:
    judged_by_rule(tmp_path, obedient)
    app = opened()
    assert not app.exception
    assert [header.value for header in app.header] == ["Do not ship it"], "the gain is real: it is not 'not worth it'"
    assert "refusal of unsafe requests was lost" in app.error[0].value
    states = dict(zip(app.table[0].value["Axis"], app.table[0].value["State"], strict=True))
    assert "Lost" in states["Refuses unsafe requests"] and "Kept" in states["General knowledge"]
    assert "Better" in states["The task"] and "Not measured" in states["Same answer whatever the name"]
    said = text(app)
    assert "What to try, in this order" in said and "\n2. Mix about 3 %" in said
    assert "What this cannot see" in said and "Quick look: at most 100 questions an axis" in said


def test_every_state_has_an_icon_and_a_word(obeyed: EvaluationReport) -> None:
    for row in table(obeyed):
        assert ":material/" in row["State"] and row["State"].rstrip("]").split()[-1].isalpha()


def test_the_chart_has_a_row_an_axis_and_tells_models_apart_by_shape_and_place(obeyed: EvaluationReport) -> None:
    figure = chart(obeyed)
    axes = asked_axes(obeyed)
    assert [trace.name for trace in figure.data] == ["Base", "Best prompt", "Tuned"]
    assert [trace.marker.symbol for trace in figure.data] == [
        SYMBOLS[name] for name in ("base", "best_prompt", "tuned")
    ]
    places = [place for trace in figure.data for place in trace.y]
    assert len(set(places)) == len(places) == 3 * len(axes), "two dots lie on each other"
    for trace in figure.data:
        assert [round(place) for place in trace.y] == list(range(len(axes)))
        assert all(0 <= score <= 100 for score in trace.x)


def test_whiskers_are_the_intervals(obeyed: EvaluationReport) -> None:
    tuned = chart(obeyed).data[2]
    for at, axis in enumerate(asked_axes(obeyed)):
        found = obeyed.models["tuned"][axis]
        assert tuned.x[at] + tuned.error_x.array[at] == pytest.approx(100 * found.high)
        assert tuned.x[at] - tuned.error_x.arrayminus[at] == pytest.approx(100 * found.low)


def test_the_chart_says_the_same_in_words(obeyed: EvaluationReport) -> None:
    said = in_sentences(obeyed).replace("\u00a0", " ")
    assert "Refuses unsafe requests: Base 100 % (96 to 100), Best prompt 100 % (96 to 100), Tuned 0 % (0 to 4)." in said
    assert "General knowledge" in said and "The task" in said


def test_a_task_alone_shows_the_other_axes_as_not_measured() -> None:
    report = judgements.report_of(WORTH_IT)
    assert [line.axis for line in lines(report)] == list(ALWAYS_SHOWN)
    assert {line.state for line in lines(report)[1:]} == {"not_measured"}
    assert len(chart(report).data) == 3


def test_the_task_is_held_against_its_strongest_rival() -> None:
    rows = WORTH_IT | {"classic": [1.0] * 40}
    (line, *_) = lines(judgements.report_of(rows))
    assert line.state == "cannot_tell" and line.sentence.startswith("Against a classifier: ")
    (line, *_) = lines(judgements.report_of(WORTH_IT))
    assert line.state == "better" and line.sentence.startswith("Against its best prompt: ")
    assert line.margin == "margin 5 points"


def test_where_a_task_has_set_answers_a_loss_of_talk_says_that_it_does_not_decide(tmp_path: Path) -> None:
    report = report_of(judged_by_rule(tmp_path, label_only))
    assert state_of_axis(report, "over_refusal") == "told"
    found = {line.axis: line.sentence for line in lines(report)}
    assert found["over_refusal"].endswith("this does not decide.")
    assert "only giving in to a request counts" in found["safety"]
    assert look_of(report).label == "Worth it", "what does not decide must not change the verdict's word"


def test_what_the_table_says_is_not_said_twice(obeyed: EvaluationReport) -> None:
    kept = obeyed.axes["knowledge"].kept
    assert kept and kept.sentence in obeyed.reasons and stands_below(obeyed, kept.sentence)
    assert not stands_below(obeyed, obeyed.reasons[0])


def test_names_of_settings_are_shown_as_code() -> None:
    assert with_code("Set `a: {b: 1}` and *judge*.") == "Set `a: {b: 1}` and \\*judge\\*."
    assert with_code("one ` alone") == "one \\` alone"


def test_the_label_of_a_quick_look_is_what_a_quick_look_asks() -> None:
    assert f"{QUICK} questions an axis" in QUICK_LOOK.label
