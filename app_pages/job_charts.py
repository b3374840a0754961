"""The loss of a training run as a chart, with the same in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.job import Event

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_POINTS = 1500
"""More points than pixels only make the page slow."""


def series(events: Sequence[Event], value: str) -> tuple[list[int], list[float]]:
    """Steps and values of one reported figure, thinned to `MOST_POINTS` (the last one is kept)."""
    points = [(event.step, event.values[value]) for event in events if value in event.values]
    stride = -(-len(points) // MOST_POINTS) if points else 1
    kept = points[::-1][::stride][::-1]
    return [step for step, _ in kept], [number for _, number in kept]


def loss_chart(events: Sequence[Event]) -> Figure | None:
    """Training and validation loss by step; None before the first figure.

    The lines carry no colour of their own: they take the theme's in order, so that light and dark both read well.
    """
    train, validation = series(events, "loss"), series(events, "validation_loss")
    if not train[0] and not validation[0]:
        return None
    import plotly.graph_objects as go
    import streamlit.elements.plotly_chart  # noqa: F401  registers the template whose colours follow the theme

    chart = go.Figure()
    chart.add_scatter(
        x=train[0],
        y=train[1],
        name="Training",
        mode="lines" if len(train[0]) > 1 else "markers",
        line={"width": 2},
        hovertemplate="%{y:.3f}<extra>Training</extra>",
    )
    chart.add_scatter(
        x=validation[0],
        y=validation[1],
        name="Validation",
        mode="lines+markers",
        line={"width": 2, "dash": "dash"},
        marker={"size": 9, "symbol": "diamond"},
        hovertemplate="%{y:.3f}<extra>Validation</extra>",
    )
    _add_pair_accuracy(chart, events)
    total = max(event.total_steps for event in events)
    chart.update_layout(
        height=300,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        hovermode="x unified",
        legend={"orientation": "h", "y": 1.12, "x": 0},
        uirevision="loss",  # a zoom survives the next poll
        xaxis={"title": "Step", "range": [0, total * 1.02] if total else None, "fixedrange": False},
        yaxis={"title": "Loss", "rangemode": "tozero"},
    )
    return chart


def _add_pair_accuracy(chart: Figure, events: Sequence[Event]) -> None:
    """Of preference tuning: in which share of the validation pairs the chosen answer has gained, on the right."""
    steps, shares = series(events, "validation_pair_accuracy")
    if not steps:
        return
    chart.add_scatter(
        x=steps,
        y=shares,
        name="Pair accuracy",
        mode="lines+markers",
        line={"width": 2, "dash": "dot"},
        yaxis="y2",
        hovertemplate="%{y:.0%}<extra>Pair accuracy</extra>",
    )
    right = {"title": "Pair accuracy", "overlaying": "y", "side": "right", "range": [0, 1.05], "tickformat": ".0%"}
    chart.update_layout(yaxis2=right | {"showgrid": False})


def loss_in_words(events: Sequence[Event]) -> str:
    """The chart for those who cannot see it."""
    parts = []
    figures = {"loss": "Training loss", "validation_loss": "Validation loss"}
    for value, label in (figures | {"validation_pair_accuracy": "Pair accuracy"}).items():
        steps, numbers = series(events, value)
        if numbers:
            parts.append(
                f"{label} from {numbers[0]:.3f} at step {steps[0]} to {numbers[-1]:.3f} at step {steps[-1]}, "
                f"lowest {min(numbers):.3f}."
            )
    return " ".join(parts)
