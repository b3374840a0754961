"""The memo as a PDF of two A4 pages."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import NamedTuple

from fpdf import FontFace
from fpdf.enums import TableBordersLayout

from advisor.memo import NO_REMINDER, Figure, Memo, Why
from advisor.memo_chart import SIZE_INCHES, chart_png
from advisor.memo_sheet import ACCENT, FAMILY, GREY, INK, PAGE_COUNT, SMALL, TINY, Sheet
from advisor.memo_words import day, usd

LONG_NAME = 60
"""Characters from which a plan's name is set smaller."""
LEGEND = (
    "Lines: the middle of the draws. Grey: eight of ten draws of the recommended approach. Diamonds: break-even. "
    "Numbered: dates."
)


class Detail(NamedTuple):
    """How much of the memo is set. What is left out is said, and stands in the Markdown."""

    task: int = 420
    """Characters."""
    reasons: int = 7
    flips: int = 6
    questions: int = 5
    moves: int = 7
    prices: int = 60
    others: int = 6
    """Findings, notes, dates and reminders."""


FIRST = (
    Detail(reasons=9),
    Detail(reasons=6, others=5),
    Detail(reasons=5, others=4),
    Detail(task=300, reasons=4, others=3),
    Detail(task=240, reasons=3, others=3),
    Detail(task=160, reasons=2, others=2),
)
SECOND = (
    Detail(),
    Detail(moves=6, flips=5, questions=4, others=5),
    Detail(moves=5, flips=5, questions=3, prices=24, others=4),
    Detail(moves=4, flips=4, questions=3, prices=16, others=4),
    Detail(moves=3, flips=3, questions=2, prices=10, others=3),
    Detail(moves=3, flips=2, questions=2, prices=6, others=2),
)
"""From ample to terse: of each, the first with which its page is not overfull is taken."""


ENOUGH = 3
"""Place in those lists down to which a page still says enough."""


class Layout(NamedTuple):
    """How much each page says, and on which of them the ranking stands."""

    first: Detail
    second: Detail | None
    ranking_on: int


def memo_pdf(memo: Memo) -> bytes:
    """The memo, set. The same memo gives the same bytes."""
    picture = chart_png(memo.chart)
    layout = _layout(memo, picture, ranking_on=1)
    if FIRST.index(layout.first) > ENOUGH:
        # The ranking leaves few lines for the reasons: it goes to the second page where that has room for it.
        other = _layout(memo, picture, ranking_on=2)
        layout = other if other.second in SECOND[: ENOUGH + 1] else layout
    return bytes(_set(memo, picture, layout).output())


def _layout(memo: Memo, picture: bytes, ranking_on: int) -> Layout:
    def trial(first: Detail, second: Detail | None) -> Sheet:
        return _set(memo, picture, Layout(first, second, ranking_on))

    first = _first_that_fits(FIRST, lambda each: trial(each, None), pages=1)
    second = _first_that_fits(SECOND, lambda each: trial(first, each), pages=PAGE_COUNT)
    return Layout(first, second, ranking_on)


def _first_that_fits(details: Sequence[Detail], trial: Callable[[Detail], Sheet], pages: int) -> Detail:
    """The most ample detail that needs no more pages; the tersest where none does."""
    for detail in details:
        sheet = trial(detail)
        sheet.discard()
        if sheet.page_no() <= pages:
            return detail
    return details[-1]


def _set(memo: Memo, picture: bytes, layout: Layout) -> Sheet:
    """The sheet with the memo on it; its first page alone where the layout has no second."""
    foot = f"{memo.plan}  ·  figures of {day(memo.figures_of)}  ·  written {day(memo.written)}"
    sheet = Sheet(title=f"Decision memo: {memo.name}", foot=foot, day=memo.written)
    _first_page(sheet, memo, layout.first, picture)
    if layout.ranking_on == 1:
        _ranking(sheet, memo)
    if layout.second is not None:
        if sheet.page_no() == 1:
            sheet.add_page()
        if layout.ranking_on == 2:
            _ranking(sheet, memo)
        _second_page(sheet, memo, layout.second)
    return sheet


def _first_page(sheet: Sheet, memo: Memo, detail: Detail, picture: bytes) -> None:
    """What was asked, what to do, what it costs, and why."""
    sheet.text_block("DECISION MEMO", size=TINY, color=GREY)
    sheet.text_block(memo.name, size=16 if len(memo.name) <= LONG_NAME else 12, style="B", most=140)
    sheet.ln(0.6)
    sheet.text_block(memo.task or "Nobody has written the task down yet.", color=GREY, most=detail.task)
    sheet.ln(2.2)
    _answer(sheet, memo)
    _figures(sheet, memo.figures)
    sheet.heading(f"Cost over {memo.chart.months[-1]} months, cumulative")
    height = sheet.epw * SIZE_INCHES[1] / SIZE_INCHES[0]
    sheet.image(io.BytesIO(picture), x=sheet.l_margin, w=sheet.epw, h=height, alt_text=_alt(memo))
    sheet.text_block(LEGEND, size=TINY, color=GREY)
    sheet.ln(0.8)
    points = [f"{mark.sign}: {mark.says}" for mark in memo.chart.break_even]
    sheet.bullets([*points, *memo.cost_words], detail.others + 2)
    if memo.chart.dates:
        shown = memo.chart.dates[: detail.others + 2]
        sheet.text_block("  ".join(f"[{mark.sign}] {mark.says}" for mark in shown), size=TINY, color=GREY)
        sheet.left_out(len(memo.chart.dates) - len(shown))
    sheet.heading("Why")
    reasons = _strongest(memo.reasons, detail.reasons)
    sheet.grid(
        [[each.points, each.because, each.source] for each in reasons],
        (12, 92, 70), columns=("Points", "Reason", "Source"), align="RLL",
    )  # fmt: skip
    sheet.left_out(len(memo.reasons) - len(reasons))
    sheet.ln(0.8)
    sheet.bullets(memo.against, detail.others)


def _ranking(sheet: Sheet, memo: Memo) -> None:
    """All approaches, the recommended one in bold."""
    sheet.heading("Ranking")
    sheet.grid(
        [[row.name, row.verdict, row.score, row.upfront, row.total, row.why] for row in memo.ranking],
        (37, 22, 13, 20, 23, 59), align="LLRRRL", bold_first=True,
        columns=("Approach", "Verdict", "Score", "To start", f"{memo.chart.months[-1]} months", "Strongest reason"),
    )  # fmt: skip


def _strongest(reasons: Sequence[Why], most: int) -> Sequence[Why]:
    """The first ones; where there is any that speaks against, the strongest of those is among them."""
    against = next((each for each in reversed(reasons) if each.points.startswith("-")), None)
    if len(reasons) <= most or against is None or any(each.points.startswith("-") for each in reasons[:most]):
        return reasons[:most]
    return [*reasons[: most - 1], against]


def _second_page(sheet: Sheet, memo: Memo, detail: Detail) -> None:
    """What would change it, and what it rests on."""
    sheet.side_by_side(
        ("What would change it", memo.flips or ["No single answer would change the recommendation."], detail.flips),
        ("Questions still open", memo.questions or ["None that would move the ranking."], detail.questions),
    )
    sheet.heading("Assumptions that move the cost most")
    sheet.text_block(memo.tornado_about, size=SMALL, color=GREY)
    sheet.grid(
        [[each.says, each.between, each.lowest, each.highest] for each in memo.tornado[: detail.moves]],
        (84, 50, 20, 20), columns=("Input", "Counted with", "Lowest", "Highest"), align="LLRR",
    )  # fmt: skip
    _answers(sheet, memo)
    measured = [f"{each.model[:1].upper()}{each.model[1:]}: {each.score} ({each.interval})" for each in memo.scores]
    sheet.side_by_side(
        ("How it is judged", memo.evaluation_plan or ["No evaluation is planned yet."], detail.others),
        ("What was measured, with 95 % intervals", [*measured, *memo.findings] or ["Nothing yet."], detail.others + 3),
    )
    _prices(sheet, memo, detail)
    sheet.side_by_side(
        ("Not counted", memo.not_counted, detail.others),
        ("Whatever is chosen", memo.notes or ["Nothing more."], detail.others),
        ("Reminders", [each.says for each in memo.reminders] or [NO_REMINDER], detail.others),
    )


def _answer(sheet: Sheet, memo: Memo) -> None:
    """The recommendation, with a bar at its left."""
    left, right, top = sheet.l_margin, sheet.r_margin, sheet.y
    sheet.set_side_margins(left + 4.5, right)
    sheet.text_block(f"Recommended: {memo.recommendation}", size=12.5, style="B", color=ACCENT)
    sheet.ln(0.5)
    sheet.text_block(memo.headline)
    sheet.ln(0.8)
    sheet.text_block(f"{memo.decision} {memo.verdict}", style="B")
    sheet.bullets(memo.caveats, len(memo.caveats))
    with sheet.local_context(fill_color=ACCENT):
        sheet.rect(left, top, 1.2, sheet.y - top, style="F")
    sheet.set_side_margins(left, right)
    sheet.ln(3)


def _figures(sheet: Sheet, figures: Sequence[Figure]) -> None:
    """The figures to take home, side by side."""
    sheet.set_font(FAMILY, "", TINY)
    label, value = FontFace(color=GREY, size_pt=TINY), FontFace(emphasis="B", color=INK, size_pt=12)
    with sheet.table(
        width=sheet.epw, text_align="L", first_row_as_headings=False, borders_layout=TableBordersLayout.NONE,
        line_height=4.2, padding=(0.2, 2, 0.2, 0),
    ) as table:  # fmt: skip
        for texts, style in (
            ([each.label for each in figures], label),
            ([each.value for each in figures], value),
            ([each.note for each in figures], label),
        ):
            row = table.row()
            for text in texts:
                row.cell(sheet.words(text), style=style)


def _alt(memo: Memo) -> str:
    ends = ", ".join(f"{line.name} {usd(line.usd[-1])}" for line in memo.chart.lines)
    return f"Cumulative cost by month. After {memo.chart.months[-1]} months: {ends}."


def _answers(sheet: Sheet, memo: Memo) -> None:
    """What the team said, and what was assumed for the rest."""
    sheet.heading("Answers given")
    sheet.pairs([(each.label, sheet.words(each.value, 80)) for each in memo.answers] or [("None", "")])
    if memo.assumed:
        sheet.ln(1)
        assumed = "; ".join(f"{each.label}: {each.value}" for each in memo.assumed)
        sheet.text_block(f"Assumed where nothing was said. {assumed}.", size=TINY, color=GREY)


def _prices(sheet: Sheet, memo: Memo, detail: Detail) -> None:
    """Two prices a line, each with the day it was read and the number of its source."""
    shown = memo.prices[: detail.prices]
    sources = list(dict.fromkeys(each.source for each in shown))
    rows = [[each.label, each.amount, f"{each.checked} [{sources.index(each.source) + 1}]"] for each in shown]
    sheet.heading("Prices, with the day they were last read")
    sheet.grid(_two_up(rows, [""] * 3), (39, 27, 21) * 2, align="LLRLLR", size=TINY)
    sheet.left_out(len(memo.prices) - len(shown))
    sheet.ln(0.8)
    told = "  ".join(f"[{number}] {source}." for number, source in enumerate(sources, start=1))
    sheet.text_block(told, size=TINY, color=GREY)


def _two_up(rows: Sequence[list[str]], empty: list[str]) -> list[list[str]]:
    """Two rows on a line, read down the left half first."""
    half = (len(rows) + 1) // 2
    right = [*rows[half:], *[empty] * (2 * half - len(rows))]
    return [[*first, *second] for first, second in zip(rows[:half], right, strict=True)]
