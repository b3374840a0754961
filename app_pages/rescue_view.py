"""Tuned models that a host shuts down, on the Shelf page: days left, how far each rescue has come, the next command.

All from files that the command has left: no page asks a host.
"""

from __future__ import annotations

import shlex
from datetime import UTC, date, datetime
from pathlib import Path

import streamlit as st

from app_pages import state
from app_pages.figures import Look, ago, badge, plain
from backends.launch import state_of
from backends.rescue.golden import Golden, all_golden
from backends.rescue.tuned_models import TunedModels, days_in_words, kept_lists
from core.errors import NotFound, TuneworthyError
from evaluation.parity import VERDICT_WORDS, Parity, Verdict, read_parity
from evaluation.parity_table import HEAD, table

LOOKS: dict[Verdict, Look] = {
    "as_good": Look(VERDICT_WORDS["as_good"], ":material/verified:", "green"),
    "worse": Look(VERDICT_WORDS["worse"], ":material/block:", "red"),
    "cannot_tell": Look(VERDICT_WORDS["cannot_tell"], ":material/help:", "orange"),
    "agreement_only": Look(VERDICT_WORDS["agreement_only"], ":material/help:", "orange"),
}
COMMAND = "tuneworthy rescue"
WHY = (
    "Hosts shut base models down, and every tune on them. What such a model answers can be kept while it lives, and a "
    "model of your own tuned and measured against it. These commands do it; the page reads what they leave."
)


def section(today: date | None = None) -> None:
    """The whole of it, behind an expander that is open where something is at stake."""
    day = today or datetime.now(UTC).date()
    with state.shown_errors():
        lists, sets = kept_lists(), all_golden()
        with st.expander(
            "Rescue tuned models that a host shuts down",
            icon=":material/emergency:",
            expanded=bool(lists or sets),
            key="shelf.rescue",
        ):
            st.caption(WHY)
            for listed in lists:
                _models(listed, day)
            for folder, golden in sets:
                _rescue(folder, golden, day)
            if not lists:
                st.caption("First, list them:")
                st.code(f"{COMMAND} list", language=None)
            elif not sets and (model := _first_to_go(lists, day)):
                st.caption("Next, record what one answers:")
                st.code(f"{COMMAND} record {model} --prompts FILE", language=None, wrap_lines=True)


def rows(listed: TunedModels, today: date) -> list[dict[str, str]]:
    """The models as rows of a table."""
    return [
        {
            "Model": plain(model.id),
            "Base": plain(model.base or "unknown"),
            "Made": f"{model.created_at:%d %b %Y}" if model.created_at else "unknown",
            "Shut down on": f"{model.life.retires:%d %b %Y}" if model.life.retires else "unknown",
            "Days left": days_in_words(model.life.days_left(today)) if model.listed else "not listed any more",
        }
        for model in listed.models
    ]


def steps(golden: Golden, tune: str, tuned: str, found: Parity | None) -> str:
    """How far a rescue has come, as a list in Markdown. `tuned` is the state of the newest training, `tune` its job."""
    of = f"{golden.answered:,} of {golden.wanted:,} answers"
    done = {True: ":material/check_circle:", False: ":material/radio_button_unchecked:"}
    trained = f"{tuned} (`{tune}`)" if tune else "not started"
    return "\n".join(
        [
            f"- {done[golden.complete]} Record: {of}",
            f"- {done[tuned == 'succeeded']} Retune: {trained}",
            f"- {done[found is not None]} Parity: {'measured' if found else 'not measured'}",
        ]
    )


def next_command(golden: Golden, tune: str, tuned: str) -> str:
    """The command that takes a rescue on."""
    model = golden.model
    if not golden.complete:
        at = "" if golden.host == "openai" else f" --host {golden.host}"
        return f"{COMMAND} record {model} --prompts {shlex.quote(golden.prompts)} --n {golden.wanted}{at}"
    if not tune or tuned in ("failed", "cancelled", "deleted"):
        return f"{COMMAND} retune {model} --base MODEL"
    return f"{COMMAND} parity {tune} --golden {model}"


def _models(listed: TunedModels, today: date) -> None:
    st.markdown(f"**{plain(listed.host)}**, listed {ago(listed.listed_at, datetime.now(UTC))}")
    if not listed.models:
        st.caption("No tuned model.")
    else:
        st.table(
            rows(listed, today), hide_index=True, border="horizontal", alt=f"Tuned models at {plain(listed.host)}."
        )
    for text in [*listed.notes, *sorted({model.life.source for model in listed.models if model.life.source})]:
        st.caption(plain(text))


def _rescue(folder: Path, golden: Golden, today: date) -> None:
    """One golden set and what has become of it."""
    tune = golden.tunes[-1] if golden.tunes else ""
    tuned = _state(tune) if tune else ""
    found = read_parity(folder, tune) if tune else None
    with st.container(border=True, key=f"shelf.rescue.{folder.name}"):
        verdict = f" {badge(LOOKS[found.verdict])}" if found else ""
        left = days_in_words(golden.life.days_left(today))
        st.markdown(f"**{plain(golden.model)}**{verdict}  \nDays left: {left}")
        st.markdown(steps(golden, tune, tuned, found))
        if found is None:
            st.code(next_command(golden, tune, tuned), language=None, wrap_lines=True)
            return
        st.markdown(plain(found.sentence))
        cells = [dict(zip(HEAD, map(plain, row), strict=True)) for row in table(found)]
        st.table(cells, hide_index=True, border="horizontal", alt="The old model and the new one.")
        st.caption("\n".join(f"- {plain(text)}" for text in [*found.reasons, *found.limits]))


def _state(job_id: str) -> str:
    try:
        return state_of(state.store().job(job_id)).state
    except NotFound:
        return "deleted"
    except TuneworthyError:
        return "unknown"


def _first_to_go(lists: list[TunedModels], today: date) -> str:
    """The living model that is shut down first; empty where none lives."""
    living = [
        (model.life.retires or date.max, model.id)
        for listed in lists
        for model in listed.models
        if model.may_answer(today)
    ]
    return min(living)[1] if living else ""
