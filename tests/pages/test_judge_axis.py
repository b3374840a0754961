"""One axis opened on the Judge page: parts, kinds of answers, figures in words, answers, and what is never shown."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from app_pages.axis_answers import as_csv, chosen, labels_table
from app_pages.axis_view import figures_in_words, kinds_table, parts_table
from app_pages.judged_axes import SECRET
from evaluation.harm_shares import harm_shares
from evaluation.measure import SAFETY
from evaluation.report import AxisAnswer, AxisReport
from evaluation.stats import wilson
from tests.evaluation.test_axes_run import HELP, UNSAFE, forgetful, obedient
from tests.pages.judgements import WORTH_IT, evaluated, judged_by_rule, opened, report_of, text

SAID = HELP[:60]
"""The judge lets an answer to an unsafe request go on for 64 tokens, here letters."""
ANSWERS = [
    AxisAnswer(
        id=f"q{n}",
        part="arts" if n % 2 else "maths_and_logic",
        asked="=1+1",
        expected="two",
        answers={"base": "two", "tuned": "=2" if n == 1 else "two"},
        labels={"base": "right", "tuned": "wrong" if n == 1 else "right"},
        scores={"base": 1.0, "tuned": 0.0 if n == 1 else 1.0},
    )
    for n in range(4)
]


def test_the_axes_whose_prompts_are_secret_are_those_of_the_judge() -> None:
    assert set(SECRET) == set(SAFETY)


def test_a_lost_axis_stands_open_with_its_worse_parts(tmp_path: Path) -> None:
    judged_by_rule(tmp_path, forgetful, look="full", axes=["task", "knowledge"])
    app = opened()
    assert not app.exception
    assert any("Worse beyond luck" in warning.value for warning in app.warning)
    parts = next(table.value for table in app.table if "Part" in table.value)
    assert "worse" in parts["Part"][0] and set(parts["Questions"]) == {"100"}
    kinds = next(table.value for table in app.table if "Wrong" in table.value)
    assert kinds["Right"][0] == "1,200"


def test_of_unsafe_requests_only_ids_and_kinds_are_shown_until_somebody_asks(tmp_path: Path) -> None:
    record = judged_by_rule(tmp_path, obedient)
    app = opened()
    labels = next(frame.value for frame in app.dataframe if "Id" in frame.value)
    assert set(labels["Tuned"]) == {"answered"} and set(labels["Base"]) == {"refused"}
    assert SAID not in text(app)
    app.toggle(key="judge.safety.opened").set_value(True).run()
    assert not app.exception
    assert SAID in text(app) and any("may be offensive" in warning.value for warning in app.warning)
    shown = text(app) + "".join(str(frame.value.to_csv()) for frame in [*app.dataframe, *app.table])
    assert not any(prompt in shown for prompt in UNSAFE), record.id


def test_another_axis_is_a_press_away(tmp_path: Path) -> None:
    record = judged_by_rule(tmp_path, obedient)
    app = opened()
    app.session_state[f"judge.axis.{record.id}"] = "knowledge"
    app.run()
    assert not app.exception
    assert "Plain text costs, in bits a byte" in text(app) and "Question: " in text(app)


def test_what_was_learned_by_heart_stands_with_the_new_inputs(tmp_path: Path) -> None:
    record = judged_by_rule(tmp_path, obedient, axes=["task", "new_inputs"])
    app = opened()
    app.session_state[f"judge.axis.{record.id}"] = "new_inputs"
    app.run()
    assert not app.exception
    assert "Learned by heart?" in text(app) and "1.00 on training rows" in text(app).replace("\\", "")


def test_the_filters_pick_a_part_and_the_rows_that_got_worse() -> None:
    assert [answer.id for answer in chosen(ANSWERS, "arts", False)] == ["q1", "q3"]
    assert [answer.id for answer in chosen(ANSWERS, None, True)] == ["q1"]
    assert chosen(ANSWERS, "maths_and_logic", True) == []
    assert labels_table(ANSWERS)[1] == {"Id": "q1", "Part": "arts", "Base": "right", "Tuned": "wrong"}


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_the_download_holds_no_formula() -> None:
    found = rows(as_csv(ANSWERS, secret=False, with_answers=True))
    assert len(found) == 5
    assert found[2][found[0].index("asked")] == "'=1+1"
    assert found[2][found[0].index("tuned answer")] == "'=2"
    assert found[2][found[0].index("tuned score")] == "0.0000"


@pytest.mark.parametrize("with_answers", [True, False])
def test_the_download_of_a_secret_axis_never_holds_a_prompt(with_answers: bool) -> None:
    written = as_csv(ANSWERS, secret=True, with_answers=with_answers)
    assert "1+1" not in written and "asked" not in written
    assert ("tuned answer" in written) == with_answers


def test_whether_answers_do_harm_stands_beside_the_refusals() -> None:
    harm = harm_shares("guard-2 at guard.example", {"base": [False] * 40, "tuned": [True] * 10 + [False] * 30})
    answer = AxisAnswer(
        id="unsafe-fraud-01",
        part="fraud",
        answers={"base": "No.", "tuned": "=yes"},
        labels={"base": "refused", "tuned": "answered"},
        scores={"base": 1.0, "tuned": 0.0},
        harmful={"base": False, "tuned": True},
    )
    report = report_of(WORTH_IT)
    safety = AxisReport(words="refusal of unsafe requests", n=40, answers=[answer], harm=harm)
    record = evaluated(report.model_copy(update={"axes": {"safety": safety}}))
    assert labels_table([answer])[0] == {
        "Id": "unsafe-fraud-01", "Part": "fraud", "Base": "refused", "Tuned": "answered, harmful",
    }  # fmt: skip
    head, line = rows(as_csv([answer], secret=True, with_answers=False))
    assert (line[head.index("base harmful")], line[head.index("tuned harmful")]) == ("no", "yes")
    app = opened()
    app.session_state[f"judge.axis.{record.id}"] = "safety"
    app.run()
    assert not app.exception and "Does the answer do harm?" in text(app)
    shares = next(table.value for table in app.table if "Harmful answers" in table.value)
    assert [each.replace("\u00a0", " ")[:4] for each in shares["Harmful answers"]] == ["0 % ", "25 %"]


def test_worse_parts_stand_first_and_are_marked_by_a_word() -> None:
    found = AxisReport(
        words="general knowledge",
        n=40,
        parts={
            "arts": {"base": wilson(10, 20), "tuned": wilson(10, 20)},
            "earth_and_space": {"base": wilson(20, 20), "tuned": wilson(4, 20)},
        },
        worse_parts=["earth and space: lost 80 points on 20 questions"],
        labels={"base": {"right": 30, "wrong": 10}, "tuned": {"right": 14}},
    )
    first, second = parts_table(found)
    assert "worse" in first["Part"] and first["Part"].startswith("Earth and space")
    assert first["Tuned"].replace("\u00a0", " ") == "20 % (8 to 42)" and second["Part"] == "Arts"
    assert kinds_table(found) == [
        {"Model": "Base", "Right": "30", "Wrong": "10"},
        {"Model": "Tuned", "Right": "14", "Wrong": "0"},
    ]


def test_figures_are_said_in_words() -> None:
    (bits,) = figures_in_words({"bits_per_byte": {"base": 1.5, "tuned": 1.65}})
    assert "base 1.50, tuned 1.65" in bits and "10 % more than the base" in bits
    (same,) = figures_in_words({"bits_per_byte": {"base": 1.5, "tuned": 1.5}})
    assert "no more than the base" in same
    (lean,) = figures_in_words({"lean_ambiguous": {"base": 0.0, "tuned": 0.5}})
    assert "tuned +0.50" in lean and "always with the prejudice" in lean
    (share,) = figures_in_words({"accuracy_clear": {"tuned": 0.5}})
    assert share == "Right where the story says who it was: tuned 50 %."
    (other,) = figures_in_words({"some_figure": {"tuned": 0.25}})
    assert "0.25" in other and "figure" in other
