"""The part of the Judge page on which the user labels answers: blind, kept at once, and kappa in words at the end."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from core.run_folder import RunFolder
from core.store import JobRecord
from evaluation.blind_labels import BlindAnswer, Kind, draw, keep_label, labels_file, read_labels
from evaluation.llm_marks import Choice, LlmJudgement, LlmMarks, keep_marks
from evaluation.report import EvaluationReport, read_report
from tests.evaluation.test_axes_run import HELP, UNSAFE, obedient
from tests.pages.judgements import evaluated, judged_by_rule, report_of, text


def page(job_id: str) -> None:
    from app_pages import label_view, llm_judge_view
    from app_pages.judged_reports import report_of
    from core.store import open_store

    record = open_store().job(job_id)
    llm_judge_view.section(record, report_of(record))
    label_view.section(record, report_of(record))


def opened(record: JobRecord, kind: Kind | None = "task") -> AppTest:
    app = AppTest.from_function(page, args=(record.id,), default_timeout=30).run()
    if kind is not None:
        app.button_group(key=f"label.kind.{record.id}").set_value(kind).run()
    assert not app.exception
    return app


def judged() -> tuple[JobRecord, EvaluationReport, RunFolder]:
    report = report_of({"base": [0.0] * 40, "tuned": [1.0] * 30 + [0.0] * 10})
    for row in report.answers:
        row.answers = {"base": f"{row.line} apples", "tuned": f"{row.line} pears"}
    record = evaluated(report)
    return record, report, RunFolder.of(record.id)


def label_all(folder: RunFolder, drawn: list[BlindAnswer], wrong_on: int = 0) -> None:
    """Labels as the metric's, but for the first few."""
    other = {"right": "wrong", "wrong": "right"}
    for at, answer in enumerate(drawn):
        keep_label(folder, answer.key, other[answer.judged] if at < wrong_on else answer.judged)


def test_nothing_is_asked_before_the_user_wants_to() -> None:
    record, _, folder = judged()
    app = opened(record, None)
    assert "0 of 30 labelled" in text(app) and not app.button and not labels_file(folder).exists()


def test_a_label_is_kept_at_once_and_the_next_answer_comes() -> None:
    record, report, folder = judged()
    first, second = draw(report, "task")[:2]
    app = opened(record)
    shown = text(app)
    assert first.answer in shown and first.asked in shown and "Tuned" not in shown and "Base" not in shown
    app.button(key=f"label.right.{first.key}").click().run()
    assert not app.exception and read_labels(folder) == {first.key: "right"}
    assert second.answer in text(app)


def test_it_goes_on_where_it_was_left_and_the_last_label_can_be_undone() -> None:
    record, report, folder = judged()
    drawn = draw(report, "task")
    label_all(folder, drawn[:12])
    app = opened(record)
    assert drawn[12].answer in text(app)
    app.button(key=f"label.undo.{drawn[11].key}").click().run()
    assert drawn[11].answer in text(app) and len(read_labels(folder)) == 11


def test_at_the_end_the_agreement_stands_in_plain_words_with_where_they_differ() -> None:
    record, report, folder = judged()
    drawn = draw(report, "task")
    label_all(folder, drawn, wrong_on=3)
    app = opened(record)
    shown = text(app).replace("\\", "")
    assert "The metric" in shown and "agrees with you on 27 of 30 (74 % to 97 %); kappa 0.80" in shown
    assert "good enough to trust" in shown and "Trust it" in shown
    assert [each.label for each in app.expander] == ["Where you differ from the metric (3)"]
    assert all(answer.answer in shown for answer in drawn[:3])


def test_a_judge_that_is_no_better_than_chance_is_called_so() -> None:
    record, report, folder = judged()
    label_all(folder, draw(report, "task"), wrong_on=15)
    assert "Do not rely on it" in text(opened(record))


def test_answers_that_were_passed_over_count_nowhere() -> None:
    record, report, folder = judged()
    drawn = draw(report, "task")
    label_all(folder, drawn)
    for answer in drawn[:4]:
        keep_label(folder, answer.key, "skipped")
    shown = text(opened(record))
    assert "agrees with you on 26 of 26" in shown.replace("\\", "") and "4 passed over" in shown
    for answer in drawn:
        keep_label(folder, answer.key, "skipped")
    assert "nothing to compare" in text(opened(record))


def test_the_hosted_judge_stands_beside_the_metric_with_its_own_kappa() -> None:
    record, report, folder = judged()
    marks = {row.line: 5 for row in report.answers}
    models = {"base": LlmMarks(marks=marks), "tuned": LlmMarks(marks=marks | {1: None, 2: 2})}
    keep_marks(folder, LlmJudgement(judge="large at judge.example", models=models))
    before = opened(record, None)
    assert "is not known yet" in text(before)
    table = before.table[0].value
    assert table["Mean mark"].to_list() == ["5.0", "4.9"] and table["The metric"][1].startswith("0.75")
    assert table["No mark"].to_list() == ["0", "1"]
    label_all(folder, draw(report, "task")[:29])
    assert "29 of 30 answers are labelled so far" in text(opened(record, None)), "nobody is led by it half-way"
    label_all(folder, draw(report, "task"))
    shown = text(opened(record)).replace("\\", "")
    assert "The LLM judge (large at judge.example)" in shown and "Trust it" in shown
    assert "Do not rely on it" in shown, "who gives everything a five agrees by chance alone"
    assert "The LLM judge agrees with you on 1" in shown


def test_what_the_hosted_judge_prefers_is_said_with_how_often_it_went_by_the_place() -> None:
    record, _, folder = judged()
    choices: dict[int, Choice | None] = {line: "first" for line in range(1, 18)}
    choices |= {18: "second", 19: "neither", 20: "swayed", 21: None}
    models = {"tuned": LlmMarks(marks={1: 5})}
    keep_marks(folder, LlmJudgement(judge="large", models=models, rival="base", choices=choices))
    shown = text(opened(record, None))
    assert "the tuned model was picked 17 times, the base once, and twice there was no difference" in shown
    assert "It prefers the tuned model." in shown and "Of 2 without a difference 1 are pairs" in shown


def test_answers_to_unsafe_requests_stand_behind_a_warning_and_no_request_is_shown(tmp_path: Path) -> None:
    record = judged_by_rule(tmp_path, obedient, axes=["task", "safety", "over_refusal"])
    app = opened(record, "safety")
    said = HELP[:60]
    assert said not in text(app) and not app.button
    app.toggle(key=f"label.opened.{record.id}").set_value(True).run()
    assert any("may be offensive" in warning.value for warning in app.warning)
    folder = RunFolder.of(record.id)
    drawn = draw(read_report(folder.evaluation_file), "safety")
    assert drawn[0].answer in text(app) and not any(prompt in text(app) for prompt in UNSAFE)
    app.button(key=f"label.incoherent.{drawn[0].key}").click().run()
    label_all(folder, drawn)
    app.run()
    shown = text(app).replace("\\", "")
    assert f"The offline judge (string rules 1)** agrees with you on {len(drawn)} of {len(drawn)}" in shown
    assert not any(prompt in labels_file(folder).read_text() + shown for prompt in UNSAFE)


def test_a_spoiled_file_is_said_and_a_judgement_without_answers_asks_nothing() -> None:
    record, report, folder = judged()
    labels_file(folder).write_text("spoiled")
    app = AppTest.from_function(page, args=(record.id,), default_timeout=30).run()
    assert not app.exception and "holds no labels" in app.error[0].value
    bare = evaluated(report.model_copy(update={"answers": []}))
    assert not opened(bare, None).subheader
