"""The prices behind the curves, with their dates; a figure of one's own holds for this plan only."""

from __future__ import annotations

import math
from typing import Any

import streamlit as st

from app_pages import state
from core.plan import Plan
from cost_models.report import CostReport

EDITOR = "advise.prices"


def show(report: CostReport, plan: Plan | None) -> None:
    """The rows used, the amount of each to be edited."""
    own = plan.price_overrides if plan else {}
    st.caption(
        "Change an amount to count with a figure of your own; it holds for this plan only. Empty it to go back to ours."
    )
    rows = [
        {
            "What": row.label,
            "USD": row.amount,
            "Unit": row.unit,
            "Read": row.checked,
            "Source": row.source,
        }
        for row in report.prices
    ]
    items = [row.item for row in report.prices]
    with state.shown_errors():
        # The key changes with what is kept: edits of a table that is no more are not applied twice.
        key = f"{EDITOR}.{hash((tuple(items), tuple(sorted(own.items()))))}"
        st.data_editor(
            rows,
            key=key,
            hide_index=True,
            disabled=["What", "Unit", "Read", "Source"],
            column_config={
                "What": st.column_config.TextColumn(width="medium"),
                "USD": st.column_config.NumberColumn(min_value=0.0, max_value=1e12, format="%.6g", width="small"),
            },
            on_change=_keep,
            args=(key, items),
            alt="Prices used, with an amount that can be edited.",
        )
    if own:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"{len(own)} of your own: {', '.join(f'`{item}`' for item in own)}")
            st.button("Back to our prices", key="advise.prices.reset", icon=":material/undo:", on_click=_reset)


def _keep(key: str, items: list[str]) -> None:
    edited: dict[int, dict[str, Any]] = st.session_state[key]["edited_rows"]
    with state.shown_errors():
        overrides = dict(state.require_plan().price_overrides)
        for place, changes in edited.items():
            amount = changes.get("USD")
            if amount is None:
                overrides.pop(items[int(place)], None)
            elif isinstance(amount, int | float) and math.isfinite(amount) and amount >= 0:
                overrides[items[int(place)]] = float(amount)
        state.save(price_overrides=overrides)


def _reset() -> None:
    with state.shown_errors():
        state.save(price_overrides={})
