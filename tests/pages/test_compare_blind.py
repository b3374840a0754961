"""The part of the Judge page on which the user picks the better of two answers: blind until the end is called."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from core.run_folder import RunFolder
from core.store import JobRecord
from evaluation.blind_pairs import BlindPair, end, keep_pick, pairs, picks_file, read_picks
from evaluation.llm_marks import Choice, LlmJudgement, keep_marks
from tests.pages.judgements import evaluated, report_of, text


def page(job_id: str) -> None:
    from app_pages import compare_blind
    from app_pages.judged_reports import report_of
    from core.store import open_store

    record = open_store().job(job_id)
    compare_blind.section(record, report_of(record))


def judged(rows: int = 24) -> tuple[JobRecord, list[BlindPair], RunFolder]:
    report = report_of({"base": [0.0] * rows, "best_prompt": [0.0] * rows, "tuned": [1.0] * rows})
    for row in report.answers:
        row.answers = {"base": "plums", "best_prompt": f"{row.line} apples", "tuned": f"{row.line} pears"}
    record = evaluated(report)
    return record, pairs(report), RunFolder.of(record.id)


def opened(record: JobRecord) -> AppTest:
    app = AppTest.from_function(page, args=(record.id,), default_timeout=30).run()
    assert not app.exception
    return app


def pick(folder: RunFolder, asked: list[BlindPair], model: str) -> None:
    for pair in asked:
        keep_pick(folder, pair.key, "left" if pair.left_model == model else "right")


def test_one_pair_at_a_time_is_shown_without_a_name_and_a_pick_is_kept_at_once() -> None:
    record, asked, folder = judged()
    app = opened(record)
    assert not app.button and not picks_file(folder).exists()
    app.toggle(key=f"blind.open.{record.id}").set_value(True).run()
    shown = text(app)
    assert asked[0].left in shown and asked[0].right in shown and asked[1].left not in shown
    assert not any(word in shown.casefold() for word in ("tuned", "base", "prompt"))
    app.button(key=f"blind.same.{asked[0].key}").click().run()
    assert not app.exception and read_picks(folder).picks == {asked[0].key: "same"}
    assert asked[1].left in text(app)


def test_it_goes_on_where_it_was_left_and_the_last_pick_can_be_undone() -> None:
    record, asked, folder = judged()
    pick(folder, asked[:5], "tuned")
    app = opened(record)
    assert asked[5].left in text(app)
    app.button(key=f"blind.undo.{asked[4].key}").click().run()
    assert asked[4].left in text(app) and len(read_picks(folder).picks) == 4


def test_the_end_can_be_called_after_ten_and_until_then_no_count_is_shown() -> None:
    record, asked, folder = judged()
    pick(folder, asked[:9], "tuned")
    app = opened(record)
    ending = app.button(key=f"blind.end.{record.id}")
    assert ending.disabled and "1 more before you can end it" in text(app)
    pick(folder, asked[9:10], "tuned")
    app.run()
    assert "picked" not in text(app)
    app.button(key=f"blind.end.{record.id}").click().run()
    assert not app.exception and read_picks(folder).ended_at is not None
    assert "The tuned model was picked 10 times, the base with its best prompt 0 times" in app.success[0].value
    assert "luck would do this 1 time in 500" in app.success[0].value
    table = app.dataframe[0].value
    assert len(table) == 10 and set(table["You picked"]) == {"Tuned"}
    assert set(table["The first"]) == {"Tuned", "Best prompt"}


def test_after_the_end_nothing_can_be_picked() -> None:
    record, asked, folder = judged()
    pick(folder, asked[:12], "best_prompt")
    end(folder)
    app = opened(record)
    assert not app.button and "You prefer the base with its best prompt." in app.info[0].value


def test_after_the_end_a_hosted_judge_is_held_against_the_picks() -> None:
    record, asked, folder = judged()
    pick(folder, asked[:14], "tuned")
    pick(folder, asked[14:20], "best_prompt")
    choices: dict[int, Choice | None] = {pair.line: "first" for pair in asked[:14]}
    choices |= {pair.line: "second" for pair in asked[14:18]} | {pair.line: "swayed" for pair in asked[18:19]}
    keep_marks(folder, LlmJudgement(judge="large", rival="best_prompt", choices=choices | {asked[19].line: None}))
    assert "agrees with you" not in text(opened(record)), "not before the end"
    end(folder)
    assert "agrees with you on 18 of 19" in text(opened(record))


def test_few_pairs_can_be_ended_when_all_are_picked() -> None:
    record, asked, folder = judged(rows=4)
    pick(folder, asked, "tuned")
    app = opened(record)
    app.button(key=f"blind.end.{record.id}").click().run()
    assert "Neither is shown to be the better one." in app.info[0].value


def test_a_spoiled_file_is_said_and_models_that_say_the_same_are_not_compared() -> None:
    record, _, folder = judged()
    picks_file(folder).write_text("[]")
    assert "holds no picks" in opened(record).error[0].value
    same = evaluated(report_of({"base": [1.0] * 5, "tuned": [1.0] * 5}))
    assert not opened(same).subheader
