"""How LoRA saves, to be played with; and the lecture's figures beside ours."""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING, Literal

import streamlit as st

from app_pages import state
from app_pages.cost_figure import GREY
from app_pages.figures import Look, badge
from cost_models.lecture import figures, reason
from cost_models.lecture_claims import in_words, lecture_facts
from cost_models.prices import PriceBook
from cost_models.saving import Saving, matrix_saving, model_saving
from cost_models.shapes import known_models
from cost_models.trainable import adapter_megabytes

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_ROWS = 300_000
"""A little over the largest matrix in use, an embedding."""
MOST_RANK = 1024
EVERY, SHOWN = "All linear layers", "Queries and values"
TARGETS: dict[str, list[str] | Literal["all-linear"]] = {EVERY: "all-linear", SHOWN: ["q_proj", "v_proj"]}
METRIC_WIDTH_PX = 150
"""Two fit side by side on a phone."""
VERDICTS = {
    "holds": Look("Holds", ":material/check_circle:", "green"),
    "holds in part": Look("In part", ":material/contrast:", "orange"),
    "does not hold": Look("Does not hold", ":material/cancel:", "red"),
}


def show() -> None:
    """Two folded parts: the explainer, and the table of the lecture's figures."""
    with st.expander("How LoRA saves: play with it", key="explain", icon=":material/calculate:"), state.shown_errors():
        play()
    with (
        st.expander("The lecture's figures and ours", key="explain.lecture", icon=":material/school:"),
        state.shown_errors(),
    ):
        lecture_table(PriceBook.load(None, date.today()))


@st.fragment
def play() -> None:
    """Sizes in; trained numbers, adapter sizes and shares out."""
    basis = lecture_facts().basis
    models = list(known_models())
    a, b, c = st.columns(3)
    rows = a.number_input("Rows of a matrix", 1, MOST_ROWS, basis.matrix_side, key="explain.rows")
    columns = b.number_input("Columns of it", 1, MOST_ROWS, basis.matrix_side, key="explain.columns")
    rank = c.number_input(
        "Rank r", 1, MOST_RANK, basis.rank, key="explain.rank",
        help="How many directions LoRA may change a matrix in. 8 to 64 are usual.",
    )  # fmt: skip
    left, right = st.columns(2)
    name = left.selectbox("In a model", models, index=models.index(basis.eight_b), key="explain.model")
    choice = right.segmented_control(
        "Layers with an adapter", list(TARGETS), default=SHOWN, required=True, key="explain.targets"
    )
    matrix = matrix_saving(rows, columns, rank)
    model = model_saving(known_models()[name], rank, TARGETS[choice or SHOWN])
    st.markdown(sentence(matrix, rows, columns, rank))
    with st.container(horizontal=True, gap="small"):
        st.metric("Trained in the model", words(model.trained), width=METRIC_WIDTH_PX)
        st.metric("Share of the model", percent(model.share), width=METRIC_WIDTH_PX)
        for bits in (16, 32):
            megabytes = adapter_megabytes(model.trained, bits // 8)
            st.metric(f"Adapter in {bits} bits", in_words(megabytes, megabytes, "MB"), width=METRIC_WIDTH_PX)
    st.plotly_chart(
        chart(matrix, model), key="explain.chart", config={"displayModeBar": False}, alt=alt_text(matrix, model, name)
    )


def sentence(matrix: Saving, rows: int, columns: int, rank: int) -> str:
    """What LoRA does to one matrix, in one sentence."""
    thin = f"two thin matrices, {rows:,} x {rank:,} and {rank:,} x {columns:,}, of {words(matrix.trained)} numbers"
    whole = f"the {words(matrix.full)} of the whole matrix"
    if matrix.trained >= matrix.full:
        return f"LoRA saves nothing here: it would train {thin}, and that is no less than {whole}. Lower the rank."
    times = in_words(matrix.times, matrix.times, "times")
    return f"LoRA trains {thin}, and leaves {whole} as they are: **{times} fewer**."


def words(count: int) -> str:
    """`65,536`, `3.41 million`."""
    return in_words(count, count, "numbers")


def percent(share: float) -> str:
    """`0.0424 %`."""
    return f"{100 * share:.3g} %"


def chart(matrix: Saving, model: Saving) -> Figure:
    """Numbers trained in full and with LoRA, for the matrix and for the model, on a log scale.

    LoRA's bars carry no colour of their own: they take the theme's first, so that light and dark both read well.
    """
    import plotly.graph_objects as go
    import streamlit.elements.plotly_chart  # noqa: F401  registers the template whose colours follow the theme

    places = ["Model", "Matrix"]
    figure = go.Figure()
    for name, counts, marker in (
        ("With LoRA", [model.trained, matrix.trained], {}),
        ("In full", [model.full, matrix.full], {"color": GREY}),
    ):
        figure.add_bar(
            x=counts, y=places, name=name, orientation="h", marker=marker, text=[words(count) for count in counts],
            textposition="outside", cliponaxis=False, hovertemplate="%{text}<extra>" + name + "</extra>",
        )  # fmt: skip
    top = math.log10(max(model.full, matrix.full))
    figure.update_layout(
        height=250,
        template="streamlit",
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "y": 1.16, "x": 0, "traceorder": "reversed"},
        xaxis={
            "title": "Numbers trained (log scale)",
            "type": "log",
            "range": [0, top * 1.25],
            "tickvals": [1, 1e3, 1e6, 1e9, 1e12],
            "ticktext": ["1", "1,000", "1 million", "1 billion", "1 trillion"],
            "fixedrange": True,
        },
        yaxis={"fixedrange": True},
    )
    return figure


def alt_text(matrix: Saving, model: Saving, name: str) -> str:
    """The chart in words."""
    return (
        f"Numbers trained. The matrix: {words(matrix.full)} in full, {words(matrix.trained)} with LoRA. "
        f"{name}: {words(model.full)} in full, {words(model.trained)} with LoRA."
    )


def lecture_table(book: PriceBook) -> None:
    """Every figure of the lecture with ours, and why they differ where they do."""
    facts, found = lecture_facts(), figures(book)
    held = sum(figure.verdict == "holds" for figure in found)
    st.caption(
        f"{held} of {len(found)} figures hold as they stand. The lecture rounds, so ten percent beside it still count. "
        "A GB is a thousand million bytes."
    )
    st.table(
        [
            {
                "Figure": f"**{figure.claim.about}** :small[:gray[({figure.claim.where})]]  \n{reason(figure)}",
                "The lecture": figure.claim.words,
                "Ours": f"{figure.words} {badge(VERDICTS[figure.verdict])}",
            }
            for figure in found
        ],
        hide_index=True,
        border="horizontal",
        alt=f"{len(found)} figures of the lecture beside ours, with the reason where they differ.",
    )
    st.caption(f"Source: {facts.source}, read {facts.checked}. Ours: the estimates and prices of this app.")
