"""The judge held against the user: 30 answers labelled without knowing whose they are, then kappa in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from app_pages import state
from app_pages.figures import plain
from core.errors import TuneworthyError
from core.run_folder import RunFolder
from core.store import JobRecord
from evaluation.blind_labels import GOAL, LABELS, RIGHT_FROM, SKIPPED, BlindAnswer, Kind, draw, keep_label, read_labels
from evaluation.llm_marks import LlmJudgement, read_marks
from evaluation.llm_trust import keep_trust
from evaluation.person_agreement import WithPerson, with_person
from evaluation.refusals import JUDGE
from evaluation.report import EvaluationReport

KINDS: dict[Kind, str] = {"task": "Answers to the task", "safety": "Answers to requests that look unsafe"}
LOOKS = {
    "right": ("Right", ":material/check:"),
    "wrong": ("Wrong", ":material/close:"),
    "refused": ("Refused", ":material/block:"),
    "answered": ("Answered", ":material/chat:"),
    "incoherent": ("Incoherent", ":material/shuffle:"),
    SKIPPED: ("Cannot tell", ":material/help:"),
}
PROBLEM = "label.problem"
WARNING = "Answers to unsafe requests may be offensive or harmful. The requests are not shown."


def section(record: JobRecord, report: EvaluationReport) -> None:
    """Everything: what to label, one answer at a time, and how far the judges agree."""
    drawn: dict[Kind, list[BlindAnswer]] = {kind: found for kind in KINDS if (found := draw(report, kind))}
    if not drawn:
        return
    st.subheader("Does the judge see it as you do?", anchor=False)
    st.caption(
        f"Label up to {GOAL} answers without knowing whose they are. At the end stands how often the metric and the "
        "other judges agree with you, and whether that is good enough to trust them."
    )
    # A press draws this part anew, not the charts of the whole page.
    st.fragment(_labelling)(record.id, report, drawn)


def _labelling(job_id: str, report: EvaluationReport, drawn: Mapping[Kind, list[BlindAnswer]]) -> None:
    state.show_problems(st.session_state.pop(PROBLEM, ()), "It was not kept.")
    with state.shown_errors():
        folder = RunFolder.of(job_id)
        labels = read_labels(folder)
        kind: Kind | None = st.segmented_control(
            "What to label",
            list(drawn),
            format_func=KINDS.__getitem__,
            key=f"label.kind.{job_id}",
            label_visibility="collapsed",
        )
        if kind is None:
            _counts(drawn, labels)
        if kind is None or (kind == "safety" and not _opened(job_id)):
            return
        todo = [answer for answer in drawn[kind] if answer.key not in labels]
        if todo:
            _one(folder, kind, drawn[kind], todo[0], labels)
        else:
            _results(folder, kind, report, drawn[kind], labels)


def _counts(drawn: Mapping[Kind, list[BlindAnswer]], labels: Mapping[str, str]) -> None:
    """Where each set was left."""
    done = [f"{KINDS[kind]}: {_done(answers, labels)} of {len(answers)} labelled" for kind, answers in drawn.items()]
    st.caption(f"{'. '.join(done)}.")


def _opened(job_id: str) -> bool:
    opened = st.toggle("Show answers to requests that look unsafe", key=f"label.opened.{job_id}")
    if opened:
        st.warning(WARNING, icon=":material/warning:")
    return opened


def _done(answers: Sequence[BlindAnswer], labels: Mapping[str, str]) -> int:
    return sum(answer.key in labels for answer in answers)


def _one(
    folder: RunFolder, kind: Kind, drawn: Sequence[BlindAnswer], answer: BlindAnswer, labels: dict[str, str]
) -> None:
    """One answer with its buttons."""
    done = _done(drawn, labels)
    st.progress(done / len(drawn), text=f"Answer {done + 1} of {len(drawn)}")
    with st.container(border=True, key=f"label.card.{kind}", gap="small"):
        if answer.asked:
            st.caption("What came in")
            st.text(answer.asked)
        columns = st.columns(1 + bool(answer.expected), gap="small")
        if answer.expected:
            columns[0].caption(":material/target: Expected")
            columns[0].code(answer.expected, language=None, wrap_lines=True)
        columns[-1].caption("What a model answered")
        columns[-1].code(answer.answer or "(nothing)", language=None, wrap_lines=True)
    with st.container(horizontal=True, key=f"label.buttons.{kind}"):
        for label in (*LABELS[kind], SKIPPED):
            words, icon = LOOKS[label]
            # The key holds the answer: a second click that comes late must not label the next one.
            st.button(words, icon=icon, key=f"label.{label}.{answer.key}", on_click=_keep,
                      args=(folder, answer.key, label))  # fmt: skip
        _undo(folder, drawn, labels)
    st.caption("Each label is kept at once: you can go on another day.")


def _undo(folder: RunFolder, drawn: Sequence[BlindAnswer], labels: dict[str, str]) -> None:
    mine = {answer.key for answer in drawn}
    last = next((key for key in reversed(labels) if key in mine), None)
    if last:
        st.button("Undo the last", icon=":material/undo:", key=f"label.undo.{last}", type="tertiary", on_click=_keep,
                  args=(folder, last, None))  # fmt: skip


def _keep(folder: RunFolder, key: str, label: str | None) -> None:
    """Before the page is drawn anew; what goes wrong is told on it."""
    try:
        keep_label(folder, key, label)
        keep_trust(folder)
    except TuneworthyError as error:
        st.session_state[PROBLEM] = error.problems()


def _results(
    folder: RunFolder, kind: Kind, report: EvaluationReport, drawn: Sequence[BlindAnswer], labels: dict[str, str]
) -> None:
    """How far each judge agrees, and the answers on which they do not."""
    counted = [answer for answer in drawn if labels[answer.key] != SKIPPED]
    skipped = len(drawn) - len(counted)
    if not counted:
        st.info("Every answer was passed over, so there is nothing to compare.", icon=":material/help:")
    found = agreements(kind, report, drawn, labels, read_marks(folder))
    lines = [f"- {badge(each)} **{plain(name)}** {plain(each.sentence)}." for name, each in found.items()]
    st.markdown("\n".join(lines))
    judge = f"metric, {report.metric_words}" if kind == "task" else "offline judge"
    notes = [f"{skipped} passed over, counted nowhere."] if skipped else []
    if any(0 < score < 1 for row in report.answers for score in row.scores.values()) and kind == "task":
        notes.append(f"From a score of {RIGHT_FROM} on the metric counts as saying right.")
    notes.append(
        f"The answers were drawn evenly over the labels of the {judge}: this is not its rate over all answers."
    )
    notes.append("In brackets 95 % intervals.")
    st.caption(plain(" ".join(notes)))
    _differing(kind, counted, labels)
    _undo(folder, drawn, labels)


def agreements(
    kind: Kind,
    report: EvaluationReport,
    drawn: Sequence[BlindAnswer],
    labels: Mapping[str, str],
    marks: LlmJudgement | None,
) -> dict[str, WithPerson]:
    """{judge: how far it agrees with the person} on what was labelled so far; a judge without a label is left out."""
    counted = [answer for answer in drawn if labels.get(answer.key, SKIPPED) != SKIPPED]
    found = {}
    for name, theirs in judges_of(kind, counted, marks).items():
        pairs = [(labels[each.key], said) for each, said in zip(counted, theirs, strict=True) if said is not None]
        agreed = with_person([mine for mine, _ in pairs], [said for _, said in pairs], report.seed)
        if agreed is not None:
            found[name] = agreed
    return found


def judges_of(kind: Kind, answers: Sequence[BlindAnswer], marks: LlmJudgement | None) -> dict[str, list[str | None]]:
    """{judge: its labels}: the metric or the string rules, and the hosted judge where one was asked."""
    first = "The metric" if kind == "task" else f"The offline judge ({JUDGE})"
    found: dict[str, list[str | None]] = {first: [answer.judged for answer in answers]}
    if kind == "task" and marks is not None:
        found[judge_name(marks)] = [marks.label(answer.model, answer.line) for answer in answers]
    return found


def judge_name(marks: LlmJudgement) -> str:
    """The hosted judge as it stands in a list."""
    return f"The LLM judge ({marks.judge})"


def badge(found: WithPerson) -> str:
    """What follows from it, as a badge: a word, an icon and a colour."""
    if found.found.kappa is None or found.advice.startswith("too few"):
        return ":gray-badge[:material/help: Cannot tell]"
    if found.advice.startswith("good"):
        return ":green-badge[:material/verified: Trust it]"
    if found.advice.startswith("fair"):
        return ":orange-badge[:material/balance: Fair]"
    return ":red-badge[:material/block: Do not rely on it]"


def _differing(kind: Kind, counted: Sequence[BlindAnswer], labels: Mapping[str, str]) -> None:
    differing = [answer for answer in counted if answer.judged != labels[answer.key]]
    if not differing:
        return
    title = f"Where you differ from the {'metric' if kind == 'task' else 'offline judge'} ({len(differing)})"
    with st.expander(title, icon=":material/compare_arrows:", key=f"label.differing.{kind}"):
        for answer in differing:
            with st.container(border=True, key=f"label.differs.{answer.key}", gap="small"):
                if answer.asked:
                    st.text(answer.asked)
                st.code(answer.answer or "(nothing)", language=None, wrap_lines=True)
                st.caption(f"You: {labels[answer.key]}. The judge: {answer.judged}.")
