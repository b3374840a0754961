"""What a run's memory is made of, as one stacked bar, and how the run is cut, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app_pages.figures import gib
from core.estimate import RunEstimate

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

LABELS = {
    "weights": "Base weights",
    "embeddings": "Embeddings and head",
    "master": "Trained weights",
    "adapter": "Adapter",
    "gradients": "Gradients",
    "optimizer": "Optimizer",
    "activations": "Activations",
    "logits": "Logits",
    "cache": "Keys and values",
    "buffers": "Buffers",
    "context": "Libraries and driver",
    "slack": "Allocator slack",
}
"""In the order of the bar."""
GREY = "rgba(128, 134, 139, 0.9)"
"""Seen on a light page and on a dark one."""
SMALLEST_SHARE = 0.02
"""Of the whole: what is smaller goes into the rest."""
NAMED_SHARE = 0.12
"""Parts that are wide enough for their name."""


def show(estimate: RunEstimate, key: str = "launch") -> None:
    """The bar and the sentences of the plan; nothing where the memory is unknown."""
    if not estimate.breakdown or estimate.memory_gib.likely is None:
        return
    st.plotly_chart(figure(estimate), key=f"{key}.memory", config={"displayModeBar": False}, alt=in_words(estimate))
    why = estimate.plan.get("why")
    if isinstance(why, list) and why:
        st.caption(" ".join(map(str, why)))


def parts(estimate: RunEstimate) -> dict[str, float]:
    """GiB by the names of the bar, small ones as the rest."""
    whole = sum(estimate.breakdown.values())
    known = [name for name in LABELS if name in estimate.breakdown]
    order = [*known, *(name for name in estimate.breakdown if name not in LABELS)]
    large = {
        LABELS.get(name, name): estimate.breakdown[name]
        for name in order
        if estimate.breakdown[name] >= SMALLEST_SHARE * whole
    }
    rest = whole - sum(large.values())
    return large | ({"Rest": rest} if rest > 0 else {})


def device_gib(estimate: RunEstimate) -> float | None:
    """Memory of the device that the plan was made for; None where it is unknown."""
    found = estimate.plan.get("device_memory_gib")
    return float(found) if isinstance(found, int | float) else None


def in_words(estimate: RunEstimate) -> str:
    """The bar for those who cannot see it."""
    named = ", ".join(f"{name.lower()} {gib(value)}" for name, value in parts(estimate).items())
    room = device_gib(estimate)
    of = f" The device has {gib(room)}." if room is not None else ""
    return f"Memory by part: {named}; {gib(estimate.memory_gib.likely)} together.{of}"


def figure(estimate: RunEstimate) -> Figure:
    """One bar, a part behind the other, and a line where the device's memory ends.

    The parts carry no colour of their own: they take the theme's in order, so that light and dark both read well.
    """
    import plotly.graph_objects as go
    import streamlit.elements.plotly_chart  # noqa: F401  registers the template whose colours follow the theme

    chart, found, room = go.Figure(), parts(estimate), device_gib(estimate)
    whole = sum(found.values())
    for name, value in found.items():
        chart.add_bar(
            x=[value],
            y=["Memory"],
            orientation="h",
            name=name,
            text=name if value >= NAMED_SHARE * whole else "",
            textposition="inside",
            insidetextanchor="middle",
            hovertemplate=f"{name}: {gib(value)}<extra></extra>",
        )
    if room is not None:
        chart.add_vline(
            x=room, line={"dash": "dash", "width": 2, "color": GREY}, annotation_text=f"Device: {gib(room)}"
        )
    # A device that has far more is not drawn to its end: the parts would be too thin to read.
    end = whole * 1.05 if room is None or room > 3 * whole else max(whole, room) * 1.05
    chart.update_layout(
        barmode="stack",
        height=190,
        template="streamlit",
        margin={"l": 8, "r": 8, "t": 24, "b": 8},
        legend={"orientation": "h", "y": -0.35, "x": 0, "traceorder": "normal"},
        xaxis={"ticksuffix": " GiB", "range": [0, end], "fixedrange": True},
        yaxis={"visible": False, "fixedrange": True},
    )
    return chart
