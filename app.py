"""The app: `streamlit run app.py`. A frame around the pages: navigation, and news of jobs on every page.

No page process imports torch, transformers or openai: whatever needs them is a job in a worker process.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app_pages import state
from commands.machine import LOOPBACK

PAGES = (
    ("advise", "Advise", ":material/explore:"),
    ("data", "Data", ":material/dataset:"),
    ("jobs", "Jobs", ":material/rocket_launch:"),
    ("judge", "Judge", ":material/balance:"),
    ("shelf", "Shelf", ":material/inventory_2:"),
    ("chat", "Chat", ":material/forum:"),
    ("plans", "Plans", ":material/folder_open:"),
    ("prices", "Prices", ":material/sell:"),
    ("settings", "Settings", ":material/settings:"),
)
HERE = Path(__file__).parent


def pages(running: int, unread: int) -> list[st.Page]:
    """The pages; how many jobs run or have ended stands behind the name of the Jobs page."""
    news = running + unread
    return [
        st.Page(
            HERE / state.page_file(name),
            title=f"{title} ({news})" if name == "jobs" and news else title,
            icon=icon,
            url_path=name,
            default=name == "advise",
        )
        for name, title, icon in PAGES
    ]


@st.fragment(run_every=state.POLL_SECONDS)
def watch_jobs(running_before: frozenset[str]) -> None:
    """Looks every two seconds, only while something runs; a change draws the whole page again."""
    with state.shown_errors():
        if state.running_jobs() != running_before:
            st.rerun()


def refuse_strangers() -> None:
    """Show nothing where others could reach this server, however it was started: there is no login."""
    address = st.get_option("server.address")
    if address not in LOOPBACK:
        bound = f"at {address}" if address else "at every address of this machine"
        st.error(
            f"Tuneworthy has no login yet, so it does not open {bound}. Start it with `make app` or `tuneworthy app`; "
            "from another machine use a tunnel: `ssh -L 8501:localhost:8501 HOST`.",
            icon=":material/lock:",
        )
        st.stop()


def main() -> None:
    """One run of the script."""
    refuse_strangers()
    running: frozenset[str] = frozenset()
    with state.shown_errors():
        running = state.announce_jobs()
    unread = state.unread_jobs()
    page = st.navigation(pages(len(running), unread), position="top")
    news = f"({unread} ended) " if unread else f"({len(running)} running) " if running else ""
    title = page.title.partition(" (")[0]
    st.set_page_config(page_title=f"{news}{title} · Tuneworthy", page_icon=":material/tune:", layout="wide")
    if running:
        watch_jobs(running)
    with state.shown_errors():
        state.current_plan()  # puts the plan into the address on every page
        state.keep_address()
        lost = st.session_state.pop("plan_not_found", None)
        if lost:
            st.warning(f"There is no plan `{lost}` here. It may have been deleted.", icon=":material/link_off:")
    with state.shown_errors():
        page.run()


main()
