"""The memo's picture: cost curves that can be told apart in black and white. matplotlib's Figure, no global state."""

from __future__ import annotations

import io

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MultipleLocator

from advisor.memo import Chart
from advisor.memo_words import usd

SIZE_INCHES = (7.0, 2.6)
DPI = 220
INK, GREY, PALE, ACCENT = "#202124", "#5f6368", "#dadce0", "#0b5563"
DASHES = ("--", ":", "-.", (0, (7, 2)), (0, (7, 2, 1, 2, 1, 2)), (0, (3, 3)), (0, (1, 3)))
FONT = 7.5
LABEL_GAP = 0.075
"""Least distance of two labels, as a share of the chart's height."""
CROWDED_MONTHS = 0.9


def chart_png(chart: Chart) -> bytes:
    """The curves as a PNG, `SIZE_INCHES` at `DPI`."""
    figure = Figure(figsize=SIZE_INCHES)
    axes = figure.add_axes((0.08, 0.14, 0.70, 0.78))
    top = max([*(line.usd[-1] for line in chart.lines), chart.high[-1], 1.0]) * 1.05
    axes.set_xlim(0, chart.months[-1])
    axes.set_ylim(0, top)
    axes.fill_between(chart.months, chart.low, chart.high, color=PALE, linewidth=0, zorder=1)
    _lines(axes, chart)
    _labels(axes, chart, top)
    _marks(axes, chart)
    _frame(axes, chart)
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=DPI)
    return target.getvalue()


def _lines(axes: Axes, chart: Chart) -> None:
    dashes = iter(DASHES)
    for line in chart.lines:
        style = "-" if line.recommended else next(dashes)
        axes.plot(
            chart.months, line.usd, linestyle=style, zorder=4 if line.recommended else 3,
            linewidth=2.4 if line.recommended else 1.2, color=ACCENT if line.recommended else INK,
        )  # fmt: skip


def _labels(axes: Axes, chart: Chart, top: float) -> None:
    """Names at the ends of the lines, pushed apart where they would lie on each other."""
    places = spread([line.usd[-1] / top for line in chart.lines], LABEL_GAP)
    for line, place in zip(chart.lines, places, strict=True):
        end = line.usd[-1] / top
        color = ACCENT if line.recommended else INK
        axes.plot(
            [1.0, 1.018], [end, place], transform=axes.transAxes, clip_on=False, linewidth=0.6, color=GREY,
        )  # fmt: skip
        axes.text(
            1.024, place, line.name, transform=axes.transAxes, va="center", fontsize=FONT, color=color,
            fontweight="bold" if line.recommended else "normal",
        )  # fmt: skip


def spread(places: list[float], gap: float) -> list[float]:
    """Places between 0 and 1 moved apart to at least `gap`, each still above those that it was above."""
    order = sorted(range(len(places)), key=lambda index: places[index])
    moved = list(places)
    last = -gap
    for index in order:
        last = moved[index] = max(places[index], last + gap)
    limit = 1.0
    for index in reversed(order):
        moved[index] = min(moved[index], limit)
        limit = moved[index] - gap
    return moved


def _marks(axes: Axes, chart: Chart) -> None:
    for number, mark in enumerate(chart.dates):
        axes.axvline(mark.month, linestyle=":", linewidth=1.0, color=GREY, zorder=2)
        crowded = number > 0 and mark.month - chart.dates[number - 1].month < CROWDED_MONTHS
        axes.annotate(
            mark.sign, (mark.month, 1.0), xycoords=("data", "axes fraction"), fontsize=FONT, color=GREY,
            xytext=(3 if crowded else 0, 2), textcoords="offset points", ha="left" if crowded else "center",
        )  # fmt: skip
    for mark in chart.break_even:
        axes.plot(
            [mark.month], [mark.usd], marker="D", markersize=6, markerfacecolor="white", markeredgecolor=INK,
            markeredgewidth=1.3, zorder=5,
        )  # fmt: skip
        axes.annotate(
            mark.sign, (mark.month, mark.usd), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=FONT,
            fontweight="bold", color=INK, zorder=6, path_effects=[withStroke(linewidth=2, foreground="white")],
        )  # fmt: skip


def _frame(axes: Axes, chart: Chart) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(GREY)
    axes.grid(axis="y", color=PALE, linewidth=0.6, zorder=0)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=FONT, colors=GREY, length=3)
    axes.xaxis.set_major_locator(MultipleLocator(3 if chart.months[-1] > 12 else 1))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda amount, _: _short(amount)))
    axes.set_xlabel("Months", fontsize=FONT, color=GREY, labelpad=2)


def _short(amount: float) -> str:
    """`$0`, `$20k`, `$1.5M`."""
    for size, sign in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(amount) >= size:
            return f"${amount / size:,.4g}{sign}"
    return usd(amount)
