"""How good the estimates of this machine were, and the correction that is learned from them."""

from __future__ import annotations

import streamlit as st

from app_pages import state
from app_pages.figures import duration, gib, speed
from backends.history import past_runs, reset_at, reset_correction
from cost_models.past_runs import PastRun, errors

SHOWN_RUNS = 12


def show() -> None:
    """Summary, the last runs one by one, and the button that forgets what was learned."""
    st.header("How good the estimates are", anchor="estimates")
    runs = past_runs(state.store())
    if not runs:
        st.caption("Once a job of this machine has ended, what was predicted stands here beside what it took.")
        return
    st.table(summary(runs), hide_index=True, border="horizontal", alt="How far off the estimates were, by figure.")
    with st.expander("Run by run", icon=":material/list:", key="settings.errors"):
        st.table(by_run(runs), hide_index=True, border="horizontal", alt="Measured and predicted figures of each run.")
        st.caption("Measured, predicted, and their ratio. " + (f"The last {SHOWN_RUNS}." if _more(runs) else ""))
    st.caption(
        "These correct the next estimate of a training: a dry run of the same shape as it is, else the median of "
        "the last runs on the same stack and device, drawn towards no correction while there are few."
    )
    since = reset_at()
    if since is not None:
        st.caption(f"Learned from the runs since {since:%d %b %Y, %H:%M} UTC.")
    if st.button("Forget the correction", icon=":material/restart_alt:", key="settings.correction.reset"):
        with state.shown_errors():
            reset_correction()
            st.session_state["settings.correction.said"] = "Estimates are ours alone again. The history stays."
            st.rerun()
    said = st.session_state.pop("settings.correction.said", None)
    if said:
        st.toast(str(said), icon=":material/check_circle:")


def summary(runs: list[PastRun]) -> list[dict[str, str]]:
    """A row for each figure."""
    return [
        {
            "": LABELS[each.figure][0],
            "Runs": str(each.runs),
            "Off by (median)": f"{each.median_off:.0%}",
            "Inside the range": f"{each.inside_share:.0%}",
        }
        for each in errors(runs)
    ]


def by_run(runs: list[PastRun]) -> list[dict[str, str]]:
    """A row for each of the last runs."""
    return [
        {"Job": run.name, "Kind": run.spec.kind, "Started": f"{run.at:%Y-%m-%d}"}
        | {label: _pair(run, figure) for figure, (label, _) in LABELS.items()}
        for run in runs[:SHOWN_RUNS]
    ]


def _pair(run: PastRun, figure: str) -> str:
    """`2.4 GiB, 2.6 GiB, 0.93`."""
    words, ratio = LABELS[figure][1], run.ratio(figure)
    if ratio is None:
        return "unknown"
    return f"{words(run.measured_of(figure))}, {words(run.predicted_of(figure).likely)}, {ratio:.2f}"


def _more(runs: list[PastRun]) -> bool:
    return len(runs) > SHOWN_RUNS


LABELS = {"memory_gib": ("Memory", gib), "seconds": ("Time", duration), "tokens_per_second": ("Speed", speed)}
