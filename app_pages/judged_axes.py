"""The axes as the pages show them: names, their order, and whether each was kept, as a word with an icon."""

from __future__ import annotations

from typing import NamedTuple

from app_pages.figures import Look
from evaluation.axes.question import AXIS_WORDS
from evaluation.findings import FREE_TEXT
from evaluation.gate import TALK
from evaluation.kept import points
from evaluation.report import EvaluationReport
from evaluation.verdict import DEFAULT_MARGIN

TASK = "task"
AXES: dict[str, str] = {
    TASK: "The task",
    "new_inputs": "New inputs",
    "knowledge": "General knowledge",
    "safety": "Refuses unsafe requests",
    "over_refusal": "Answers safe requests",
    "bias": "Free of stereotypes",
    "names": "Same answer whatever the name",
    "red_team": "Withstands attacks",
}
ALWAYS_SHOWN = (TASK, "new_inputs", "knowledge", "safety", "over_refusal", "bias")
"""An axis that nobody asked about is shown as not measured: silence is no pass."""
SECRET = ("safety", "over_refusal", "red_team")
"""Their prompts are not printed, and what was answered only when somebody asks for it."""
STATES: dict[str, Look] = {
    "kept": Look("Kept", ":material/check_circle:", "green"),
    "lost": Look("Lost", ":material/trending_down:", "red"),
    "told": Look("Lost", ":material/trending_down:", "orange"),
    "cannot_tell": Look("Cannot tell", ":material/help:", "orange"),
    "not_measured": Look("Not measured", ":material/visibility_off:", "gray"),
    "not_applicable": Look("Not applicable", ":material/block:", "gray"),
    "as_good": Look("As good", ":material/check_circle:", "green"),
    "measured": Look("Measured", ":material/straighten:", "blue"),
    "better": Look("Better", ":material/trending_up:", "green"),
    "worse": Look("Worse", ":material/trending_down:", "red"),
}


class AxisLine(NamedTuple):
    """One axis in the table of the scorecard."""

    axis: str
    state: str
    """A key of `STATES`."""
    sentence: str
    margin: str
    """Of the task the gain that is asked for, else the loss that is put up with; empty where nothing was compared."""
    n: int


def axis_name(axis: str) -> str:
    """An axis as it stands in a chart or a table."""
    return AXES.get(axis, axis.replace("_", " ").capitalize())


def shown_axes(report: EvaluationReport) -> list[str]:
    """The axes of a scorecard: those that always stand there, then what else was asked."""
    asked = [axis for axis in AXES if axis in report.axes and axis not in ALWAYS_SHOWN]
    return [*ALWAYS_SHOWN, *asked, *(axis for axis in report.axes if axis not in AXES)]


def measured_axes(report: EvaluationReport) -> list[str]:
    """The axes beside the task of which something was asked."""
    return [axis for axis in shown_axes(report) if axis in report.axes and report.axes[axis].n]


def lines(report: EvaluationReport, task_margin: float = DEFAULT_MARGIN) -> list[AxisLine]:
    """A line an axis, the task first."""
    return [_task(report, task_margin), *(_line(report, axis) for axis in shown_axes(report)[1:])]


def state_of_axis(report: EvaluationReport, axis: str) -> str:
    """A key of `STATES`: what became of an axis."""
    return (_task(report, DEFAULT_MARGIN) if axis == TASK else _line(report, axis)).state


def counts_harm_only(report: EvaluationReport, axis: str) -> bool:
    """True where a task has set answers: then the state of safety rests on requests given in to, not on the score."""
    return axis == "safety" and report.metric not in FREE_TEXT


RIVALS = {"best_prompt": "its best prompt", "base": "the base", "classic": "a classifier"}


def _task(report: EvaluationReport, margin: float) -> AxisLine:
    """Against the strongest rival: to beat a weaker one is no reason to tune."""
    pairs = [report.paired[f"tuned_vs_{rival}"] for rival in RIVALS if f"tuned_vs_{rival}" in report.paired]
    if not pairs:
        return AxisLine(TASK, "measured" if report.models else "not_measured", "", "", report.rows)
    pair = min(pairs, key=lambda each: each.difference)
    state = "better" if pair.beats else "worse" if pair.loses else "cannot_tell"
    if report.classifier and state == "cannot_tell" and pair.low > -margin and pair.second != "classic":
        state = "as_good"  # a classifier need not be better: it costs next to nothing
    words = f"Against {RIVALS[pair.second]}: {pair.sentence}."
    return AxisLine(TASK, state, words, f"margin {points(margin)}", pair.n)


def _line(report: EvaluationReport, axis: str) -> AxisLine:
    found = report.axes.get(axis)
    if axis in report.not_applicable:
        return AxisLine(axis, "not_applicable", report.not_applicable[axis].removeprefix("Not applicable: "), "", 0)
    if found is None or not found.n:
        note = found.note if found else ""
        return AxisLine(axis, "not_measured", _sentence(note.removeprefix("not measured: ")), "", 0)
    if found.kept is None:
        return AxisLine(axis, "measured", "No tuned model was held against a base here.", "", found.n)
    state, closed = str(found.kept.state), report.metric not in FREE_TEXT
    if state == "lost" and axis in TALK and closed:
        state = "told"
    words = {str(name): words for name, words in AXIS_WORDS.items()}.get(axis, axis)
    said = _sentence(found.kept.sentence.removeprefix(f"{words[:1].upper()}{words[1:]}: "))
    # The state stands beside it as a word of its own.
    said = said.removeprefix("Kept. ").removeprefix("Cannot tell. ")
    if counts_harm_only(report, axis):
        said = f"{said} As the task has set answers, only giving in to a request counts against it."
    if state == "told":
        said = f"{said} As the task has set answers, this does not decide."
    return AxisLine(axis, state, said, f"margin {points(found.kept.margin)}", found.n)


def _sentence(text: str) -> str:
    return text and f"{text[0].upper()}{text[1:].rstrip('.')}."
