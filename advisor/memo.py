"""The decision memo: a plan for those who were not in the room. Words and figures only, ready to be set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from pydantic import BaseModel, ConfigDict

from advisor.memo_words import day
from advisor.reminders import Reminder

NO_REMINDER = "None: nothing that was counted with has changed."
# A dollar stays: ours always stand before a digit, which no Markdown takes for the end of a formula.
_MARKS = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]<>#|~"})


class Figure(BaseModel):
    """One of the few figures that a reader takes home."""

    label: str
    value: str
    note: str = ""


class Line(BaseModel):
    """The middle cost of one approach, cumulative USD by month."""

    name: str
    usd: list[float]
    recommended: bool = False


class Mark(BaseModel):
    """A point or a date on the chart; `sign` stands beside it and in front of its words."""

    month: float
    usd: float = 0.0
    sign: str
    says: str


class Chart(BaseModel):
    """The cost curves as they are drawn."""

    months: list[int]
    lines: list[Line]
    low: list[float]
    high: list[float]
    """The band of the recommended approach: eight of ten draws lie between."""
    break_even: list[Mark]
    dates: list[Mark]


class Why(BaseModel):
    """A rule that fired, and where it comes from."""

    points: str
    because: str
    source: str
    url: str = ""


class Place(BaseModel):
    """One approach in the ranking."""

    name: str
    verdict: str
    score: str
    upfront: str
    total: str
    why: str
    """Its strongest reason."""


class Said(BaseModel):
    """An answer, given or assumed."""

    label: str
    value: str


class Moves(BaseModel):
    """How far one input moves the difference between the cheapest tune and the cheapest prompting."""

    says: str
    between: str
    lowest: str
    highest: str


class Score(BaseModel):
    """What a model reached on the held-out rows."""

    model: str
    score: str
    interval: str


class Price(BaseModel):
    """A row of the price book as it was used."""

    label: str
    amount: str
    since: str
    checked: str
    source: str


class Memo(BaseModel):
    """Everything that the memo says, section by section."""

    model_config = ConfigDict(extra="forbid")

    plan: str
    name: str
    task: str
    written: date
    figures_of: date
    """The day whose prices and dates the figures hold for: that of the decision, or today."""
    recommendation: str
    headline: str
    decision: str
    verdict: str
    """Empty until something was judged."""
    caveats: list[str]
    """Where what was decided and what would be computed now differ."""
    figures: list[Figure]
    chart: Chart
    cost_words: list[str]
    reasons: list[Why]
    against: list[str]
    """What speaks against it."""
    ranking: list[Place]
    flips: list[str]
    questions: list[str]
    notes: list[str]
    tornado_about: str
    tornado: list[Moves]
    answers: list[Said]
    assumed: list[Said]
    evaluation_plan: list[str]
    findings: list[str]
    scores: list[Score]
    prices: list[Price]
    not_counted: list[str]
    reminders: list[Reminder]


def markdown(memo: Memo) -> str:
    """The memo as Markdown. What people wrote is shown as they wrote it, whatever signs are in it."""
    months = memo.chart.months[-1]
    parts = [
        f"# {_plain(memo.name)}",
        f"Decision memo of plan `{memo.plan}`. Figures of {day(memo.figures_of)}, written {day(memo.written)}.",
        f"**Question.** {_plain(memo.task) or 'Nobody has written the task down yet.'}",
        f"**Recommended: {_plain(memo.recommendation)}.** {_plain(memo.headline)}",
        _plain(f"{memo.decision} {memo.verdict}"),
        _list(memo.caveats),
        _list(_of(each) for each in memo.figures),
        f"## Cost over {months} months",
        _table(
            ("Approach", "At the start", f"After {months} months"),
            (_row(row.name, row.upfront, row.total) for row in memo.ranking),
        ),
        _list([*(f"{mark.sign}: {mark.says}" for mark in memo.chart.break_even), *memo.cost_words]),
        _list(f"Line {mark.sign}: {mark.says}" for mark in memo.chart.dates),
        "## Why",
        _table(
            ("Points", "Reason", "Source"),
            ([*_row(each.points, each.because), _linked(each)] for each in memo.reasons),
        ),
        _section("What speaks against it", memo.against),
        "## Ranking",
        _table(
            ("Approach", "Verdict", "Score", "Strongest reason"),
            (_row(row.name, row.verdict, row.score, row.why) for row in memo.ranking),
        ),
        _section("What would change it", memo.flips or ["No single answer would change the recommendation."]),
        _section("Questions still open", memo.questions or ["None that would move the ranking."]),
        _section("Whatever is chosen", memo.notes),
        "## Assumptions that move the cost most",
        _plain(memo.tornado_about),
        _table(
            ("Input", "Counted with", "Where it is lowest", "Where it is highest"),
            (_row(each.says, each.between, each.lowest, each.highest) for each in memo.tornado),
        ),
        "## Answers given",
        _table(("Question", "Answer"), (_row(each.label, each.value) for each in memo.answers)) or "None.",
        _assumed(memo),
        _section("How it is judged", memo.evaluation_plan or ["No evaluation is planned yet."]),
        _section("What was measured", memo.findings),
        _table(
            ("Model", "Score", "95 % interval"), (_row(each.model, each.score, each.interval) for each in memo.scores)
        ),
        "## Prices",
        _table(
            ("Price", "Amount", "Valid from", "Read", "Source"),
            (_row(row.label, row.amount, row.since, row.checked, row.source) for row in memo.prices),
        ),
        _section("Not counted", memo.not_counted),
        _section("Reminders", [each.says for each in memo.reminders] or [NO_REMINDER]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _plain(text: str) -> str:
    """Text of anybody inside Markdown, in one line, shown as it is."""
    return " ".join(text.split()).translate(_MARKS)


def _of(figure: Figure) -> str:
    return f"{figure.label}: {figure.value}" + (f" ({figure.note})" if figure.note else "")


def _list(texts: Iterable[str]) -> str:
    return "\n".join(f"- {_plain(text)}" for text in texts)


def _section(title: str, texts: Sequence[str]) -> str:
    return f"## {title}\n\n{_list(texts)}" if texts else ""


def _row(*cells: str) -> list[str]:
    return [_plain(cell) for cell in cells]


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already; empty where there are no rows."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([f"| {' | '.join(columns)} |", "|" + "---|" * len(columns), *lines]) if lines else ""


def _linked(why: Why) -> str:
    return f"[{_plain(why.source)}]({why.url})" if why.url else _plain(why.source)


def _assumed(memo: Memo) -> str:
    if not memo.assumed:
        return ""
    told = "; ".join(f"{each.label}: {each.value}" for each in memo.assumed)
    return f"Assumed where nothing was said. {_plain(told)}."
