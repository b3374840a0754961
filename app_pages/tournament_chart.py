"""The rungs of a tournament as dots with whiskers, and the same in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_pages.judged_models import RUNG_SYMBOLS, in_percent, rung_name, short
from evaluation.stats import Interval
from evaluation.tournament_report import TournamentReport

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

CLASSIC = "classic"
TICKS = (0, 50, 100)


def lines(report: TournamentReport) -> list[tuple[str, str, Interval]]:
    """(name, label, score) of each rung in the order asked, and of the classifier below them."""
    found: list[tuple[str, str, Interval]] = []
    for rung in report.rungs:
        examples = f"<br>{rung.shots} example{'s' if rung.shots != 1 else ''}" if rung.shots else ""
        found.append((rung.name, f"{upper(rung_name(rung.name))}{examples}", rung.score))
    if report.classic is not None:
        found.append((CLASSIC, short(CLASSIC), report.classic))
    return found


def chart(report: TournamentReport) -> Figure:
    """A row a rung. Name and shape tell them apart; the best is named in words."""
    import plotly.graph_objects as go
    import streamlit.elements.plotly_chart  # noqa: F401  registers the template whose colours follow the theme

    rows = lines(report)
    figure = go.Figure()
    scores = [score for _, _, score in rows]
    highest = [rung.score.score for rung in report.rungs].count(report.winner.score.score) == 1
    best = "best" if report.beats_others else "highest, could be luck" if highest else ""
    figure.add_scatter(
        x=[100 * score.score for score in scores],
        y=list(range(len(rows))),
        mode="markers+text",
        cliponaxis=False,
        marker={"size": 12, "symbol": [RUNG_SYMBOLS.get(name, "circle") for name, _, _ in rows]},
        text=[best if name == report.best else "" for name, _, _ in rows],
        textposition=["top left" if score.score > 0.5 else "top right" for score in scores],
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [100 * (score.high - score.score) for score in scores],
            "arrayminus": [100 * (score.score - score.low) for score in scores],
            "thickness": 2,
            "width": 5,
        },
        hovertext=[f"{label.replace('<br>', ', ')}: {in_percent(score)} of {score.n:,}" for _, label, score in rows],
        hoverinfo="text",
    )
    figure.update_layout(
        height=52 * len(rows) + 70,
        margin={"l": 8, "r": 16, "t": 8, "b": 8},
        showlegend=False,
        xaxis={
            "range": [-2, 104],
            "tickvals": TICKS,
            "ticktext": [f"{tick} %" for tick in TICKS],
            "fixedrange": True,
            "zeroline": False,
        },
        yaxis={
            "range": [len(rows) - 0.4, -0.7],
            "tickvals": list(range(len(rows))),
            "ticktext": [label for _, label, _ in rows],
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            "automargin": True,
        },
    )
    return figure


def in_sentences(report: TournamentReport) -> str:
    """The chart for those who cannot see it."""
    said = [f"{label.replace('<br>', ', ')}: {in_percent(score)}." for _, label, score in lines(report)]
    return f"Scores by way to ask with 95 % intervals. {' '.join(said)}"


def upper(words: str) -> str:
    """With a capital in front."""
    return words[:1].upper() + words[1:]
