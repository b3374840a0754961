"""Findings as cards, errors first: what is wrong with the rows, by line, each with its remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import streamlit as st

from app_pages.figures import plain
from core.plan import DataRef

Color = Literal["red", "orange", "blue"]
SEVERITIES: dict[str, tuple[str, str, Color]] = {
    "error": ("Mend first", ":material/error:", "red"),
    "warning": ("Worth mending", ":material/warning:", "orange"),
    "note": ("Good to know", ":material/info:", "blue"),
}
TITLES = {"pii": "Personal data"}
LINES_SHOWN = 20
SHOWN_CHARACTERS = 160


def findings(data: DataRef) -> None:
    """What is wrong with the rows, by line, each with its remedy."""
    st.subheader("Findings", anchor=False)
    if not data.findings:
        st.success("No check found anything to mend.", icon=":material/check_circle:")
    cards(data.findings)


def cards(found: Sequence[Mapping[str, object]]) -> None:
    """A card a finding, errors first."""
    for severity, (words, icon, color) in SEVERITIES.items():
        for finding in (one for one in found if one.get("severity") == severity):
            with st.container(border=True):
                with st.container(horizontal=True, vertical_alignment="center"):
                    st.badge(words, icon=icon, color=color)
                    check = str(finding.get("check"))
                    st.markdown(f"**{title_of(check)}** ({finding.get('count'):,})")
                st.markdown(quoted(finding.get("message")))
                if finding.get("fix"):
                    st.markdown(f":material/build: {quoted(finding['fix'])}")
                lines = finding.get("rows")
                if isinstance(lines, list) and lines:
                    shown = ", ".join(str(line) for line in lines[:LINES_SHOWN])
                    more = " ..." if len(lines) > LINES_SHOWN else ""
                    where = " of the held-out file" if is_of_held_out(check) else ""
                    st.caption(f"Line{'s' if len(lines) != 1 else ''}{where}: {shown}{more}")


def title_of(check: str) -> str:
    """`Exact duplicate` for `exact_duplicate`."""
    return TITLES.get(check) or check.replace("_", " ").capitalize()


def is_of_held_out(check: str) -> bool:
    """Whether a finding's lines are those of the held-out file: it says what of it training has seen."""
    return check.startswith("split_")


def beginning(text: str) -> str:
    """The first words of a text on one line."""
    text = " ".join(text.split())
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1].rstrip()}…"


def quoted(text: object) -> str:
    """A finding's words as they are, its code marks as quotation marks."""
    return plain(str(text or "").replace("`", '"'))
