"""Two answers to the same row side by side, names hidden: the user picks the better one, and the names come last."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app_pages import state
from app_pages.figures import plain
from app_pages.judged_models import short
from core.errors import TuneworthyError
from core.run_folder import RunFolder
from core.store import JobRecord
from evaluation.blind_pairs import FEWEST, BlindPair, Pick, Picks, count, end, keep_pick, pairs, read_picks
from evaluation.llm_marks import LlmJudgement, read_marks
from evaluation.person_agreement import with_person
from evaluation.report import EvaluationReport

PROBLEM = "blind.problem"
PICKS: dict[Pick, tuple[str, str]] = {
    "left": ("The first", ":material/looks_one:"),
    "same": ("No difference", ":material/drag_handle:"),
    "right": ("The second", ":material/looks_two:"),
}
"""Words that hold where the two stand side by side and, on a phone, one under the other."""


def section(record: JobRecord, report: EvaluationReport) -> None:
    """Everything: one pair at a time, and at the end who won and who was who."""
    found = pairs(report)
    if not found:
        return
    st.subheader("Which answer would you send?", anchor=False)
    st.caption(
        "Style is for people to judge. Two models answered the same rows; which is which is drawn by lot for each row "
        "and told at the end, with the count."
    )
    # A press draws this part anew, not the charts of the whole page.
    st.fragment(_comparing)(record.id, found, report.seed)


def _comparing(job_id: str, asked: list[BlindPair], seed: int) -> None:
    state.show_problems(st.session_state.pop(PROBLEM, ()), "It was not kept.")
    with state.shown_errors():
        folder = RunFolder.of(job_id)
        kept = read_picks(folder)
        todo = [pair for pair in asked if pair.key not in kept.picks]
        done = len(asked) - len(todo)
        if kept.ended_at is not None:
            _results(asked, kept, read_marks(folder), seed)
            return
        begun = done > 0 or st.toggle(f"Compare {len(asked)} pairs blind", key=f"blind.open.{job_id}")
        if not begun:
            return
        if todo:
            _one(folder, asked, todo[0], kept, done)
        _ending(folder, job_id, done, len(asked))


def _one(folder: RunFolder, asked: Sequence[BlindPair], pair: BlindPair, kept: Picks, done: int) -> None:
    """One pair with its buttons."""
    st.progress(done / len(asked), text=f"Pair {done + 1} of {len(asked)}")
    with st.container(border=True, key="blind.card", gap="small"):
        st.caption("What came in")
        st.text(pair.asked)
        for column, name, answer in zip(
            st.columns(2, gap="small"), ("The first answer", "The second answer"), (pair.left, pair.right), strict=True
        ):
            column.caption(name)
            column.code(answer or "(nothing)", language=None, wrap_lines=True)
    with st.container(horizontal=True, key="blind.buttons"):
        for pick, (words, icon) in PICKS.items():
            # The key holds the pair: a second click that comes late must not pick in the next one.
            st.button(words, icon=icon, key=f"blind.{pick}.{pair.key}", on_click=_keep, args=(folder, pair.key, pick))
        mine = {each.key for each in asked}
        last = next((key for key in reversed(kept.picks) if key in mine), None)
        if last:
            st.button("Undo the last", icon=":material/undo:", key=f"blind.undo.{last}", type="tertiary",
                      on_click=_keep, args=(folder, last, None))  # fmt: skip


def _keep(folder: RunFolder, key: str, pick: Pick | None) -> None:
    """Before the page is drawn anew; what goes wrong is told on it."""
    try:
        keep_pick(folder, key, pick)
    except TuneworthyError as error:
        st.session_state[PROBLEM] = error.problems()


def _end(folder: RunFolder) -> None:
    try:
        end(folder)
    except TuneworthyError as error:
        st.session_state[PROBLEM] = error.problems()


def _ending(folder: RunFolder, job_id: str, done: int, total: int) -> None:
    """The end is called by the user, after enough picks and without having seen the count."""
    enough = min(FEWEST, total)
    st.button(
        "End it and show who is who",
        icon=":material/visibility:",
        key=f"blind.end.{job_id}",
        disabled=done < enough,
        on_click=_end,
        args=(folder,),
        help="After the end nothing more can be picked: who counts, looks and goes on will always find a winner.",
    )
    left = f"{enough - done} more before you can end it. " if done < enough else ""
    st.caption(f"{left}Each pick is kept at once: you can go on another day.")


def _results(asked: Sequence[BlindPair], kept: Picks, marks: LlmJudgement | None, seed: int) -> None:
    """The count in words, and each pair with its names."""
    picked = [pair for pair in asked if pair.key in kept.picks]
    found = count(asked, kept.picks)
    won = found.p_value < 0.05
    (st.success if won and found.tuned > found.other else st.info)(
        found.sentence, icon=":material/verified:" if won else ":material/balance:"
    )
    st.caption(f"{len(picked)} of {len(asked)} pairs. Exact two-sided binomial test; no difference decides nothing.")
    both = [(pair.model_of(kept.picks[pair.key]), marks.picked(pair.line)) for pair in picked] if marks else []
    agreed = with_person([mine for mine, its in both if its], [its for _, its in both if its], seed)
    if agreed and marks:
        st.caption(plain(f"The LLM judge ({marks.judge}), asked the same in both orders, {agreed.sentence}."))
    with st.expander("Who was who", icon=":material/visibility:", key="blind.who"):
        rows = [
            {
                "Row": _first_words(pair.asked),
                "The first": short(pair.left_model),
                "The second": short(pair.right_model),
                "You picked": short(pair.model_of(kept.picks[pair.key])).replace("same", "neither"),
            }
            for pair in picked
        ]
        st.dataframe(rows, hide_index=True, key="blind.table", alt="Each pair with the names of both and the pick.")


def _first_words(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 80 else f"{words[:77]}..."
