"""A judgement in the terminal: nothing that decides, and nothing that it cannot see, stands on the page alone."""

from __future__ import annotations

import pytest

from commands.judged import print_report
from evaluation.axes.question import AXIS_WORDS
from evaluation.consistency import consistency
from evaluation.kept import kept
from evaluation.report import AxisReport
from evaluation.stats import wilson
from tests.pages.judgements import WORTH_IT, report_of


def test_axes_remedies_naive_scores_and_limits_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    report = report_of(WORTH_IT)
    marks = ([1.0] * 60, [1.0] * 30 + [0.0] * 30)
    lost = kept("safety", *marks, [str(at) for at in range(60)])
    report.axes["safety"] = AxisReport(words=AXIS_WORDS["safety"], n=60, kept=lost)
    for name, values in zip(("base", "tuned"), marks, strict=True):
        report.models[name]["safety"] = wilson(sum(values), 60)
    report.details.consistency = consistency({"tuned": [["one two", "one two", "one three"]]}, 7)
    print_report(report.model_copy(update={"look": "quick", "remedies": ["First this.", "Then that."]}))
    said = capsys.readouterr().out
    flat = " ".join(said.replace("│", " ").split())
    assert "(95 %), a quick look" in flat and "1.00 (0.94 to 1.00)" in flat and "lost" in flat
    assert "Verdict: " in said and "With the rows that stand in training the scores would read: base 0.00" in said
    assert "tuned: asked 3 times with chance" in said
    assert said.index("What to try, in this order:") < said.index("First this.") < said.index("Then that.")
    assert said.index("What this cannot see:") < said.index("Bias was not measured.")


def test_a_judgement_without_a_tune_has_no_verdict_to_print(capsys: pytest.CaptureFixture[str]) -> None:
    print_report(report_of({name: scores for name, scores in WORTH_IT.items() if name != "tuned"}))
    said = capsys.readouterr().out
    assert "Verdict:" not in said and "No tuned model was judged" in said and "What to try" not in said
