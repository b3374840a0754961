"""Settings: whom the current plan would contact, what is kept and for how long, and what this machine has."""

from __future__ import annotations

import importlib.metadata
import platform

import streamlit as st

from app_pages import error_view, state
from app_pages.figures import plain, size
from backends.engines import ENGINES
from backends.hosts.profile import profile_of
from backends.removal import Purge, purge, usage, what_purges
from core.base_models import locate
from core.home import cache_dir, home
from core.jobspec import DEFAULT_BASE_MODEL, JobSpec
from core.machine import machine
from core.plan import Plan

PACKAGES = {
    "streamlit": "the pages",
    "plotly": "charts",
    "pydantic": "checks of input",
    "sqlalchemy": "the store",
    "scikit-learn": "the classic baseline",
    "tokenizers": "token counts",
    "torch": "training and chat",
    "transformers": "base models",
    "peft": "adapters",
    "trl": "the trainer",
    "bitsandbytes": "4 and 8 bit, for CUDA cards",
    "openai": "managed hosts",
}
KEPT: dict[str, tuple[str, str]] = {
    "uploads": (
        "Uploads and their splits",
        "Until you delete the plan's data, or purge those that no plan or job uses.",
    ),
    "checkpoints": ("Checkpoints", "Until you delete the job, or purge them. Resuming needs them; chat does not."),
    "adapters": ("Adapters", "Until you delete them on the shelf or with their job."),
    "runs": ("Logs, specs and reports", "Until you delete the job."),
    "cache": (
        "Prepared base models and the judge's answers",
        "Until you purge them; the next job that needs them prepares the model and asks it again.",
    ),
}
PURGES: dict[Purge, tuple[str, str]] = {
    "checkpoints": ("Purge checkpoints", ":material/flag:"),
    "uploads": ("Purge unused uploads", ":material/upload_file:"),
    "cache": ("Purge the cache", ":material/deployed_code:"),
}
SHOWN_PARTS = 12
OFFLINE = ":green-badge[:material/cloud_off: Offline]"


def hosts_of(plan: Plan | None) -> tuple[JobSpec, list[str]]:
    """The spec that the plan would launch, and the hosts that it would contact."""
    spec = plan.spec if plan and plan.spec else JobSpec(base_model=DEFAULT_BASE_MODEL)
    if spec.engine == "openai" and spec.allow_network:
        return spec, [profile_of(spec).host]
    if spec.engine != "local" or not spec.allow_network:
        return spec, []
    place = locate(spec.base_model, spec.base_revision)
    return spec, [] if place.ready else place.hosts


def network() -> None:
    """Every host that the current plan would contact."""
    st.header("Network", anchor="network")
    plan = state.current_plan()
    with state.shown_errors("The base model of this plan:"):
        spec, hosts = hosts_of(plan)
        whose = f"The plan **{plain(plan.name)}**" if plan else "A run with the default settings"
        if hosts and spec.engine == "openai":
            st.markdown(f"{whose} would send its rows to {plain(hosts[0])}, which tunes on them and keeps the model.")
        elif hosts:
            st.markdown(f"{whose} would contact, once, to fetch `{spec.base_model}`:")
            st.markdown("\n".join(f"- :material/public: {plain(host)}" for host in hosts))
            st.caption("To contact nobody, turn off the network in the launch panel and give a local model folder.")
        else:
            reason = "its base model is here already" if spec.engine == "local" else "its engine is on this machine"
            reason = reason if spec.allow_network else "the network is turned off for it"
            st.markdown(f"{OFFLINE} {whose} contacts **no host**: {reason}.")
    trackers = ", ".join(spec.report_to) if plan and plan.spec and plan.spec.report_to else ""
    if trackers:
        st.warning(f"It also reports to {plain(trackers)}: see where those send it.", icon=":material/monitoring:")
    stay = "Rows and answers leave this machine only for hosts that you name: a managed engine, or a hosted judge."
    st.caption(f"{stay} Usage statistics are off.")


def storage() -> None:
    """What is kept, for how long, how much disk it takes, and how to be rid of it."""
    st.header("Storage", anchor="storage")
    st.caption("Nothing expires by itself, and nothing is deleted without being said first.")
    used = usage()
    rows = [{"What": label, "On disk": size(used.get(name, 0)), "Kept": kept} for name, (label, kept) in KEPT.items()]
    st.table(rows, hide_index=True, border="horizontal", alt="What is kept, how much disk it takes and for how long.")
    with st.container(horizontal=True, key="settings.purges"):
        for what, (label, icon) in PURGES.items():
            if st.button(label, icon=icon, key=f"settings.purge.{what}"):
                confirm_purge(what)
    st.caption(f":material/folder: Home: `{home()}`")
    st.caption(f":material/folder: Cache: `{cache_dir()}`")
    done = st.session_state.pop("settings.purged", None)
    if done:
        st.toast(str(done), icon=":material/check_circle:")


@st.dialog("Purge?", icon=":material/delete_sweep:")
def confirm_purge(what: Purge) -> None:
    """What goes, said first."""
    with state.shown_errors():
        parts = what_purges(state.store(), what)
        if not parts:
            st.markdown("There is nothing to purge.")
            if st.button("Close", key="settings.purge.close"):
                st.rerun()
            return
        st.markdown("This cannot be undone. It deletes:")
        st.markdown("\n".join(f"- {plain(part)}" for part in parts[:SHOWN_PARTS]))
        if len(parts) > SHOWN_PARTS:
            st.markdown(f"and {len(parts) - SHOWN_PARTS} more.")
        with st.container(horizontal=True):
            sure = st.button("Purge", type="primary", icon=":material/delete:", key="settings.purge.sure")
            keep = st.button("Keep it", key="settings.purge.keep")
        if keep:
            st.rerun()
        if sure:
            gone = purge(state.store(), what)
            st.session_state["settings.purged"] = f"{len(gone)} deleted."
            st.rerun()


def version(package: str) -> str:
    """The installed version, read without importing the package."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def here() -> None:
    """This machine, the engines, and what is installed."""
    st.header("This machine", anchor="machine")
    found = machine()
    cards = [f"{name} ({memory:.0f} GiB)" for name, memory in zip(found.gpus, found.gpu_memory_gib, strict=False)] or [
        "none found"
    ]
    with st.container(horizontal=True, gap="medium", key="settings.machine"):
        st.metric("Cores", found.cores, width=130)
        st.metric("Memory", f"{found.memory_gib:.0f} GiB", width=150)
        st.metric("NVIDIA cards", len(found.gpus), width=150)
        st.metric("Python", platform.python_version(), width=150)
    if found.gpus:
        st.caption(plain(", ".join(cards)))
    st.subheader("Engines", anchor=False)
    engines = [
        {"Engine": row.label, "Here": "yes" if row.make else "not yet", "About": row.about} for row in ENGINES.values()
    ]
    st.table(engines, hide_index=True, border="horizontal", alt="Engines and whether they are in this release.")
    with st.expander("Installed versions", icon=":material/inventory:", key="settings.versions"):
        installed = [{"Package": name, "Version": version(name), "For": use} for name, use in PACKAGES.items()]
        st.table(installed, hide_index=True, border="horizontal", alt="Packages, their versions and what they do.")


st.title("Settings", anchor=False)
for part in (network, storage, here, error_view.show):
    with state.shown_errors():
        part()
