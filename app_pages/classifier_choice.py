"""What is trained: an adapter of a language model, or a small classifier where the answers are labels."""

from __future__ import annotations

from typing import cast

import streamlit as st

from advisor.advice import Advice
from advisor.classifier_launch import ENCODERS, LEARNER_WHY, LEARNER_WORDS, says_classifier, with_learner
from app_pages import data_copies, state
from app_pages.figures import plain
from core.answers import Answers
from core.base_models import locate
from core.jobspec import JobSpec, Learner
from core.plan import Plan
from dataset.label_task import is_label_task

LEARNER, ENCODER, DRAFT = "launch.learner", "launch.encoder", "launch.classifier.draft"


def offered(spec: JobSpec, answers: Answers, plan: Plan | None) -> bool:
    """A classifier can be chosen where the rows have labels; before there are rows, where the task is to sort texts."""
    if spec.learner != "llm":
        return True
    if plan is not None and plan.data is not None:
        return is_label_task(data_copies.answers(plan.data.train))
    return answers.task_kind == "classify"


def show(spec: JobSpec, advice: Advice, answers: Answers, plan: Plan | None) -> None:
    """The choice, kept in the plan's spec at once; nothing where a classifier cannot do the task."""
    if not offered(spec, answers, plan):
        return
    why = says_classifier(advice)
    if why and spec.learner == "llm":
        st.info(f"{plain(why)} Try a classifier first: it is judged on the same rows.", icon=":material/bolt:")
    st.session_state[DRAFT] = spec.model_dump()
    if st.session_state.get(LEARNER) != spec.learner:
        st.session_state[LEARNER] = spec.learner
    learners = list(LEARNER_WORDS)
    st.radio(
        "What is trained",
        learners,
        format_func=LEARNER_WORDS.__getitem__,
        captions=[LEARNER_WHY[learner] for learner in learners],
        key=LEARNER,
        on_change=_keep_learner,
        help=JobSpec.model_fields["learner"].description,
    )
    if spec.learner == "encoder":
        _encoder(spec)
    if spec.learner != "llm":
        st.caption("The base model is not trained: the judge holds the classifier against it and its best prompt.")


def _encoder(spec: JobSpec) -> None:
    if st.session_state.get(ENCODER) != spec.encoder:
        st.session_state[ENCODER] = spec.encoder
    st.selectbox(
        "Encoder",
        list(dict.fromkeys([*ENCODERS, *([spec.encoder] if spec.encoder else [])])),
        accept_new_options=True,
        key=ENCODER,
        on_change=_keep_encoder,
        help=JobSpec.model_fields["encoder"].description,
    )
    with state.shown_errors():
        place = locate(spec.encoder or ENCODERS[0])
        if not place.ready:
            hosts = " or ".join(place.hosts)
            st.caption(f":material/download: Not on this machine yet: its training fetches it from {hosts}.")


def _keep_learner() -> None:
    spec = JobSpec.model_validate(st.session_state[DRAFT])
    with state.shown_errors():
        state.save(spec=with_learner(spec, cast(Learner, st.session_state[LEARNER])))


def _keep_encoder() -> None:
    spec = JobSpec.model_validate(st.session_state[DRAFT])
    with state.shown_errors():
        state.save(spec=spec.model_copy(update={"encoder": str(st.session_state[ENCODER] or "").strip() or None}))
