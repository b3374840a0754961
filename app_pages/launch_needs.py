"""What the jobs of a launch will need before they start: memory, time and dollars."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app_pages import memory_view
from app_pages.figures import duration, gib, usd
from app_pages.launch_ways import Way, specs_of
from app_pages.steps import in_turn
from backends.chain import estimates, together
from core.base_models import locate
from core.estimate import Estimate
from core.jobspec import JobSpec


def show(spec: JobSpec, way: Way) -> None:
    """Of all jobs together, and the time of each in turn. Raises what an engine's own estimate raises."""
    if spec.dataset is None:
        st.caption("Choose rows to see memory, time and dollars.")
        return
    specs = specs_of(spec, way)
    each = estimates(specs)
    estimate = together(each)
    memory, time, money = st.columns(3, wrap=False)
    memory.metric("Memory", gib(estimate.memory_gib.likely))
    memory.caption(_range(estimate.memory_gib, gib))
    time.metric("Time", duration(estimate.seconds.likely))
    time.caption(_range(estimate.seconds, duration))
    money.metric("Dollars", usd(estimate.usd.likely))
    money.caption(_range(estimate.usd, usd))
    if len(specs) > 1:
        st.caption(
            f"{in_turn(specs, [one.seconds.likely for one in each])}. What the baseline asks is not asked twice."
        )
    if estimate.fits is not None:
        if estimate.fits:
            st.badge("Fits", icon=":material/check:", color="green")
        else:
            st.badge("Does not fit", icon=":material/close:", color="red")
    memory_view.show(estimate)
    if spec.engine == "local" and not locate(spec.base_model, spec.base_revision).ready:
        st.caption("Fetching and converting the base comes before it, and takes as long as the network does.")
    because = [*estimate.memory_gib.because, *estimate.seconds.because, *estimate.usd.because]
    if because:
        with st.expander("What this rests on", type="compact", key="launch.because"):
            st.markdown("\n".join(f"- {text}" for text in dict.fromkeys(because)))


def _range(value: Estimate, words: Callable[[float | None], str]) -> str:
    """`1.1 to 2.4 GiB`; nothing where it is unknown or exact."""
    if value.low is None or value.high is None or value.low == value.high:
        return ""
    return f"{words(value.low)} to {words(value.high)}"
