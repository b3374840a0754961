"""The settings of a launch: engine, base, and what of its spec a team may change. Each change is kept at once."""

from __future__ import annotations

from typing import Any

import streamlit as st
from pydantic import ValidationError

from app_pages import launch_host, method_form, state
from app_pages.answer_view import bullets
from app_pages.launch_ways import Way
from backends.engines import ENGINES
from core.base_models import locate
from core.errors import problems_of
from core.jobspec import DEFAULT_BASE_MODEL, JobSpec, MethodSpec

LOOKS = {"quick": "Quick: 100 questions an axis", "full": "Full: all questions"}


def choose(spec: JobSpec, because: list[str], way: Way, *, own: bool) -> None:
    """Engine, base and settings of a spec. `own` is true for one that differs from what is suggested."""
    usable = [row.name for row in ENGINES.values() if row.make]
    later = [row for row in ENGINES.values() if not row.make]
    values: dict[str, Any] = {"engine": spec.engine, "base_model": spec.base_model, "name": spec.name}
    values |= {field: getattr(spec, field) for field in ("epochs", "max_tokens", "seed", "device")}
    values |= {"allow_network": spec.allow_network, "look": spec.look}
    st.session_state["launch.draft"] = spec.model_dump()
    for field, value in values.items():
        if st.session_state.get(_key(field), ...) != value:
            st.session_state[_key(field)] = value
    st.radio(
        "Engine",
        usable,
        format_func=lambda name: ENGINES[name].label,
        captions=[ENGINES[name].about for name in usable],
        **_input("engine", help="Where the job runs."),
    )
    st.caption(" ".join(f"Not here yet: {row.label}. {row.about}" for row in later))
    if spec.engine == "openai":
        launch_host.choose(spec, _keep_values)
        if own:
            st.button("Back to what is suggested", key="launch.suggested", icon=":material/undo:", on_click=_forget)
        return
    st.selectbox(
        "Base model",
        list(dict.fromkeys([DEFAULT_BASE_MODEL, spec.base_model])),
        accept_new_options=True,
        **_input("base_model"),
    )
    with state.shown_errors():
        place = locate(spec.base_model, spec.base_revision)
        if not place.ready and spec.engine == "local":
            st.caption(f":material/download: Not on this machine yet: fetched first, from {' or '.join(place.hosts)}.")
    with st.expander("Settings", icon=":material/tune:", key="launch.settings"):
        st.text_input("Name", max_chars=120, **_input("name"))
        if way == "tune":
            method_form.choose(spec.method, spec.learning_rate, _keep_method)
            a, b = st.columns(2)
            a.number_input("Epochs", 0.1, 1000.0, step=1.0, **_input("epochs"))
            b.number_input("Longest row in tokens", 8, 1_000_000, step=64, **_input("max_tokens"))
            a.number_input("Seed", 0, 2**31 - 1, **_input("seed"))
            b.selectbox("Look of the judge", list(LOOKS), format_func=LOOKS.__getitem__, **_input("look"))
            method_form.guards(spec, _keep_value)
        st.text_input("Device", **_input("device"))
        st.toggle("May fetch models over the network", **_input("allow_network"))
        if because and way == "tune":
            st.caption(bullets(because))
        if own:
            st.button("Back to what is suggested", key="launch.suggested", icon=":material/undo:", on_click=_forget)


def _key(field: str) -> str:
    return f"launch.{field}"


def _input(field: str, **more: Any) -> dict[str, Any]:
    text = JobSpec.model_fields[field].description
    return {"key": _key(field), "help": text, "on_change": _keep, "args": (field,)} | more


def _keep(field: str) -> None:
    """A changed setting goes into the plan's spec at once."""
    value = st.session_state[_key(field)]
    with state.shown_errors():
        spec = JobSpec.model_validate(st.session_state["launch.draft"])
        values = spec.model_dump()
        values[field] = value.strip() if isinstance(value, str) else value
        try:
            state.save(spec=JobSpec.model_validate(values))
        except ValidationError as error:
            state.show_problems(problems_of(error))


def _keep_method(method: MethodSpec, learning_rate: float) -> None:
    _keep_values(method=method, learning_rate=learning_rate)


def _keep_value(field: str, value: Any) -> None:
    _keep_values(**{field: value})


def _keep_values(**values: Any) -> None:
    with state.shown_errors():
        spec = JobSpec.model_validate(st.session_state["launch.draft"])
        state.save(spec=spec.model_copy(update=values))


def _forget() -> None:
    with state.shown_errors():
        state.save(spec=None)
