"""Every dollar that we count with: how much, since when, and where it stands."""

from __future__ import annotations

from datetime import date

import streamlit as st

from app_pages import state
from cost_models.prices import PriceBook, PriceRow

STALE_DAYS = 90
ALL = "All"


def table(rows: list[PriceRow], today: date) -> list[dict[str, object]]:
    """Price rows for the table, cheapest reading first: what, how much, per what."""
    return [
        {
            "What": row.label,
            "USD": row.usd,
            "Unit": row.unit,
            "Valid from": row.valid_from,
            "Read": row.checked,
            "Days old": (today - row.checked).days,
            "Source": row.source,
            "Link": row.url,
            "Note": row.note,
            "Item": row.item,
        }
        for row in rows
    ]


def matches(row: PriceRow, words: str) -> bool:
    """Does a row hold every word?"""
    text = f"{row.item} {row.label} {row.provider} {row.source} {row.note} {row.gpu}".casefold()
    return all(word in text for word in words.casefold().split())


st.title("Prices")
st.caption(
    "Every figure is a dated row with its source. A change adds a row, so an old plan can still be explained. "
    "To count with a price of your own, edit it on the Advise page: it then holds for that plan only."
)
today = date.today()
with state.shown_errors("The price book cannot be read."):
    plan = state.current_plan()
    own = plan.price_overrides if plan else {}
    book = PriceBook.load(own, today)
    rows = book.rows()
    groups = sorted({row.item.partition(".")[0] for row in rows})
    left, middle, right = st.columns([3, 3, 2], vertical_alignment="bottom")
    words = left.text_input(
        "Search", key="prices.words", placeholder="H100, gpt, embedding", icon=":material/search:", live=True
    )
    group = middle.selectbox("Group", [ALL, *groups], key="prices.group")
    stale_only = right.toggle(f"Older than {STALE_DAYS} days", key="prices.stale")
    old = {row.item for row in book.stale(STALE_DAYS, today)}
    shown = [
        row
        for row in rows
        if matches(row, words or "")
        and group in (ALL, row.item.partition(".")[0])
        and (not stale_only or row.item in old)
    ]
    st.caption(
        f"{len(shown)} of {len(rows)} prices. {len(old)} were last read more than {STALE_DAYS} days ago."
        + (f" {len(own)} set for this plan." if own else "")
    )
    if shown:
        st.dataframe(
            table(shown, today),
            key="prices.table",
            hide_index=True,
            height=min(38 + 35 * len(shown), 640),
            column_config={
                "What": st.column_config.TextColumn(width="medium"),
                "USD": st.column_config.NumberColumn(format="%.4g", help="Amount in US dollars, in the row's unit."),
                "Days old": st.column_config.NumberColumn(help="Days since we last read it."),
                "Link": st.column_config.LinkColumn(display_text="Open"),
                "Item": st.column_config.TextColumn(help="The name for overrides and files."),
            },
            alt=f"Table of {len(shown)} prices with amount, unit, dates and source.",
        )
    else:
        st.info("No price matches. Search for less, or choose another group.", icon=":material/search_off:")
