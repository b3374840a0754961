"""The answer: one sentence, the ranking with its reasons, and what would change it."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from advisor.advice import Advice, Flip, NextQuestion, Ranked, Reason
from app_pages import wizard
from core.answers import APPROACHES
from core.source import Source

VERDICTS = {
    "recommended": ("Recommended", ":material/check_circle:", "green"),
    "acceptable": ("Acceptable", ":material/radio_button_unchecked:", "blue"),
    "avoid": ("Avoid", ":material/remove_circle:", "orange"),
}
RULED_OUT = ("Ruled out", ":material/block:", "red")
VARIANTS = {
    "small_encoder": "as a small classifier",
    "multi_lora": "with one base and an adapter for each customer",
    "open_model": "with an open model on your own machines",
}
RUNS_ON = {
    "api": "Your data goes to the host of the API.",
    "managed_host": "Your data goes to the host that tunes and serves.",
    "own_machines": "Your data stays on machines of your own.",
}
SHORT = {
    "zero_shot": "Zero-shot API",
    "few_shot": "Few-shot",
    "rag": "RAG",
    "ft_managed": "Managed tuning",
    "ft_self": "Self-hosted tuning",
    "rag_plus_ft": "RAG + tuning",
    "from_scratch": "From scratch",
}
FULL_BAR = 60
"""Points of a full bar: two strong rules. Where little was answered the bars stay short."""
MOST_FLIPS = 5
MOST_QUESTIONS = 4


def name_of(approach: object) -> str:
    """The approach for people."""
    return next((name for key, name in APPROACHES.items() if key == approach), str(approach).replace("_", " "))


def in_sentence(approach: object) -> str:
    """The approach inside a sentence: a small first letter, but for RAG."""
    name = name_of(approach)
    return name if name[:2].isupper() else name[:1].lower() + name[1:]


def headline(advice: Advice, answered: int) -> None:
    """The recommendation in one sentence."""
    variant = f", {VARIANTS[advice.variant]}" if advice.variant in VARIANTS else ""
    st.subheader(
        f"Recommended: {in_sentence(advice.recommendation)}{variant}", icon=":material/signpost:", anchor=False
    )
    st.markdown(advice.headline)
    if not answered:
        st.caption("Nothing is answered yet, so this is where anybody would start.")
    st.markdown("[:material/show_chart: What it costs](#cost) · [:material/rocket_launch: Launch](#launch)")


def ranking(advice: Advice) -> None:
    """All approaches with score bars, each with the rules that fired and where they come from."""
    full = max(FULL_BAR, *(row.score for row in advice.ranking))
    for row in advice.ranking:
        label, icon, color = RULED_OUT if row.vetoed else VERDICTS[row.verdict]
        share = 0.0 if row.vetoed else max(row.score, 0) / full
        st.progress(share, text=f"**{name_of(row.approach)}** :{color}-badge[{icon} {label}] {row.score:+d}")
        _why(row)


def _why(row: Ranked) -> None:
    count = len(row.reasons)
    label = f"Why: {count} reason{'s' if count != 1 else ''}" if count else "No rule speaks for or against it"
    with st.expander(label, type="compact", key=f"advise.why.{row.approach}"):
        st.caption(RUNS_ON[row.runs_on])
        for reason in row.reasons:
            st.markdown(f"{_points(reason)} {reason.because}")
            assumed = (
                f" Rests on an assumed answer ({', '.join(map(wizard.label_of, reason.assumed))})."
                if reason.assumed
                else ""
            )
            st.caption(f"{source_of(reason.source)}.{assumed}")


def _points(reason: Reason) -> str:
    if reason.veto:
        return ":red-badge[rules it out]"
    return f":{'green' if reason.points > 0 else 'orange'}-badge[{reason.points:+d}]"


def source_of(source: Source) -> str:
    """A source as one line, with its link, its day and how well we know it."""
    title = f"[{source.title}]({source.url})" if source.url else source.title
    known = "" if source.verified == "read" else f", {_VERIFIED[source.verified]}"
    return f"{title}, {source.checked:%d %b %Y}{known}"


_VERIFIED = {
    "abstract": "abstract only",
    "memory": "from memory",
    "measured": "measured by us",
    "judgement": "our judgement",
}


def warnings(advice: Advice) -> None:
    """What does not go together."""
    if advice.contradictions:
        st.warning(
            bullets(f"{problem.what} {problem.hint}" for problem in advice.contradictions),
            icon=":material/contrast:",
            title="These answers do not go together",
        )
    if advice.conflicts:
        st.warning(
            bullets(conflict.says for conflict in advice.conflicts),
            icon=":material/balance:",
            title="This pulls both ways",
        )


def doubts(advice: Advice) -> None:
    """What would change the answer, what to ask next, what was assumed."""
    left, right = st.columns(2, gap="medium")
    with left.container(border=True, height="stretch"):
        st.markdown("**What would change it**")
        if advice.flips:
            st.markdown(bullets(_flip(flip) for flip in advice.flips[:MOST_FLIPS]))
        else:
            st.caption("No single answer would change the recommendation.")
    with right.container(border=True, height="stretch"):
        st.markdown("**Answer next**")
        if advice.questions:
            st.markdown(bullets(_question(question) for question in advice.questions[:MOST_QUESTIONS]))
        else:
            st.caption("Nothing that is still open would move the answer.")
    if advice.notes:
        st.info(bullets(advice.notes), icon=":material/lightbulb:", title="Whatever you choose")
    if advice.assumptions:
        with st.expander(
            f"Assumed where nothing was said ({len(advice.assumptions)})", key="advise.assumed", icon=":material/help:"
        ):
            st.markdown(
                bullets(
                    f"{wizard.label_of(assumed.field)}: {wizard.words_of(assumed.field, assumed.value)}"
                    for assumed in advice.assumptions
                )
            )


def _flip(flip: Flip) -> str:
    before, after = wizard.words_of(flip.field, flip.from_), wizard.words_of(flip.field, flip.to)
    was = f"{before}" if flip.answered else "not answered"
    return f"{wizard.label_of(flip.field)}: **{after}** (now {was}) would make it **{in_sentence(flip.then)}**"


def _question(question: NextQuestion) -> str:
    others = " or ".join(in_sentence(name) for name in question.could_become)
    return f"**{wizard.label_of(question.field)}**: {f'could make it {others}' if others else 'changes the scores'}"


def bullets(texts: Iterable[str]) -> str:
    """A Markdown list."""
    return "\n".join(f"- {text}" for text in texts)
