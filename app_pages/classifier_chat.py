"""Chat with a small classifier: it answers nothing but a label, so a text is sorted and no base stands beside it."""

from __future__ import annotations

import streamlit as st

from app_pages import state
from app_pages.adapter_list import Kept
from app_pages.figures import plain
from serving.classifier import Sorted
from serving.classify import sort_texts
from shelf.classifier_words import FORM_WORDS

MOST_CHARACTERS = 20_000


def show(kept: Kept) -> None:
    """What it is, a text to try, and what it says of it."""
    st.info(
        f"{FORM_WORDS[kept.adapter.form]}. It gives a text one of its labels and writes nothing; "
        "a text that fits none of them gets one all the same.",
        icon=":material/label:",
    )
    text = st.text_area("A text to sort", max_chars=MOST_CHARACTERS, key="chat.classifier.text")
    if not st.button("Sort it", icon=":material/label:", key="chat.classifier.go"):
        return
    if not (text or "").strip():
        st.caption("Write a text first.")
        return
    with state.shown_errors(), st.spinner("Opening the classifier"):
        (said,) = sort_texts(kept.path, [str(text)])
        st.markdown(in_words(said))


def in_words(said: Sorted) -> str:
    """`**card_arrival**, 93 % sure`."""
    cut = " The end of the text was too long to be read." if said.cut else ""
    return f"**{plain(said.label)}**, {said.share:.0%} sure. :gray[An order, no promise: not calibrated.]{cut}"
