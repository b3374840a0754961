"""The settings of a launch at a managed host: which host, which model, how often over the rows. No key is asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import streamlit as st
from pydantic import ValidationError

from app_pages import state
from app_pages.figures import plain
from backends.hosts.keys import has_key
from backends.hosts.models import retires
from backends.hosts.profile import HostProfile, profiles
from core.errors import problems_of
from core.jobspec import HostSettings, JobSpec

AUTO = "auto"
_KEY = "launch.host"


def choose(spec: JobSpec, keep: Callable[..., None]) -> None:
    """Each change is kept at once by `keep`."""
    hosts = profiles()
    host = hosts.get(spec.host.profile) or next(iter(hosts.values()))
    for field, value in _shown(spec, host).items():
        if st.session_state.get(f"{_KEY}.{field}", ...) != value:
            st.session_state[f"{_KEY}.{field}"] = value
    words = {name: field.description for name, field in HostSettings.model_fields.items()}
    st.selectbox(
        "Host", list(hosts), format_func=lambda name: hosts[name].label, key=f"{_KEY}.profile", help=words["profile"],
        on_change=_keep, args=(spec, keep, "profile"),
    )  # fmt: skip
    if not host.base_url:
        st.text_input(
            "Address of the host", placeholder=host.base_url_example, key=f"{_KEY}.base_url", help=words["base_url"],
            on_change=_keep, args=(spec, keep, "base_url"),
        )  # fmt: skip
    names = list(dict.fromkeys([*(model.short for model in host.models), spec.base_model]))
    st.selectbox(
        "Base model at the host", names, accept_new_options=True, key=f"{_KEY}.base_model",
        help="One that the host tunes, or an earlier tuned model of yours there.",
        on_change=_keep, args=(spec, keep, "base_model"),
    )  # fmt: skip
    left, right = st.columns(2)
    left.selectbox(
        "Epochs", [AUTO, *range(1, 51)], key=f"{_KEY}.n_epochs", help=words["n_epochs"],
        on_change=_keep, args=(spec, keep, "n_epochs"),
    )  # fmt: skip
    if host.training_types:
        right.selectbox(
            "Kind of capacity", list(host.training_types), key=f"{_KEY}.training_type", help=words["training_type"],
            on_change=_keep, args=(spec, keep, "training_type"),
        )  # fmt: skip
    left.number_input(
        "Most dollars", min_value=0.0, step=1.0, placeholder="No cap", key=f"{_KEY}.budget_usd",
        help="Over it, or where the price is unknown, nothing is sent.",
        on_change=_keep, args=(spec, keep, "budget_usd"),
    )  # fmt: skip
    _say(spec, host)


def _say(spec: JobSpec, host: HostProfile) -> None:
    """Whose key, what goes where, and how long the tuned model will live."""
    where = "is here" if has_key(host) else "is not here yet"
    st.caption(
        f":material/key: The key stands in the variable `{host.key_variable}`, which {where}; it is never typed on a "
        f"page. :material/public: The rows go to {plain(host.label)}."
    )
    day = retires(host, spec.base_model, date.today())
    if day is not None:
        st.caption(f":material/event_busy: {plain(host.label)} shuts the base and its tunes down on {day}.")
    if host.closing:
        st.caption(plain(host.closing))
    if host.deploy:
        st.caption(f":material/cloud_sync: {plain(host.deploy)}")


def _shown(spec: JobSpec, host: HostProfile) -> dict[str, object]:
    epochs = spec.host.n_epochs if spec.host.n_epochs is not None else max(1, min(50, round(spec.epochs)))
    shown: dict[str, object] = {"profile": host.name, "base_model": spec.base_model, "n_epochs": epochs}
    shown["budget_usd"] = spec.budget_usd
    if not host.base_url:
        shown["base_url"] = spec.host.base_url
    if host.training_types:
        kinds = host.training_types
        shown["training_type"] = spec.host.training_type if spec.host.training_type in kinds else kinds[0]
    return shown


def _keep(spec: JobSpec, keep: Callable[..., None], field: str) -> None:
    value = st.session_state[f"{_KEY}.{field}"]
    value = value.strip() if isinstance(value, str) else value
    if field in ("base_model", "budget_usd"):
        keep(**{field: value})
        return
    changes = {field: value}
    if field == "profile":  # an address and a kind of capacity belong to one host
        changes |= {"base_url": "", "training_type": None}
    try:
        host = HostSettings.model_validate(spec.host.model_dump() | changes)
    except ValidationError as error:
        state.show_problems(problems_of(error))
        return
    if field == "profile" and (models := profiles()[host.profile].models):
        known = profiles()[host.profile].model(spec.base_model)
        keep(host=host, base_model=spec.base_model if known else models[1].short)
        return
    keep(host=host)
