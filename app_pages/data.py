"""Data: where rows come from, what was understood, what is wrong with them by line, tokens, and the split."""

from __future__ import annotations

import streamlit as st

from app_pages import (
    data_classes,
    data_findings,
    data_fixes,
    data_kept,
    data_map,
    data_picker,
    data_rows,
    data_suspects,
    data_view,
    state,
)
from backends.removal import remove, what_goes


@st.dialog("Remove these rows from the plan?", icon=":material/delete:")
def confirm_removal(plan_id: str) -> None:
    """What goes, said first."""
    with state.shown_errors():
        parts = what_goes(state.store(), "data", plan_id) or ["the pointer to the rows; the files are used elsewhere"]
        st.markdown("This cannot be undone. Your own file stays where it is. It removes:")
        st.markdown("\n".join(f"- {part}" for part in parts))
    with st.container(horizontal=True):
        sure = st.button("Remove", type="primary", icon=":material/delete:", key="data.remove.sure")
        keep = st.button("Keep them", key="data.remove.keep")
    with state.shown_errors("They were not removed:"):
        if sure:
            remove(state.store(), "data", plan_id)
        if sure or keep:
            st.rerun()


st.title("Data")
with state.shown_errors():
    plan = state.current_plan()
    if plan is None or plan.data is None:
        st.markdown("Question and answer pairs that show what a good answer is. A hundred are a start.")
    data_picker.show(plan, "data")
    plan = state.current_plan()  # a file may just have made it
    if plan is not None and plan.data is not None:
        data = plan.data
        with state.shown_errors():
            renderer = data_rows.renderer_of(plan.spec.base_model if plan.spec else None)
            data_view.summary(data)
            data_fixes.history(data)
            data_view.read_again(data)
            data_findings.findings(data)
            data_fixes.show(data)
            data_view.tokens(data, renderer)
            data_rows.histogram(data, renderer)
            data_classes.show(data)
            data_suspects.show(data)
            st.subheader("Rows", anchor=False)
            data_rows.table(data)
            st.subheader("What is learned", anchor=False)
            data_rows.mask(data, renderer)
            data_map.show(data)
        with st.container(horizontal=True, vertical_alignment="center"):
            state.link_to("advise", "Back to the plan", ":material/arrow_back:")
            if st.button("Remove from the plan", key="data.remove", icon=":material/delete:"):
                confirm_removal(plan.id)
    data_kept.show(plan)
