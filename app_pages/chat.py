"""Chat: base and tuned model side by side on the same prompt."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import streamlit as st

from app_pages import adapter_list, chat_worker, classifier_chat, quarantine_view, state
from app_pages.adapter_list import Kept
from app_pages.figures import VERDICTS, badge, duration, plain
from app_pages.held_out import Question, questions
from core.errors import TuneworthyError
from core.jobspec import DEFAULT_BASE_MODEL, JobSpec
from evaluation.metrics import choose_metric, score
from serving import client
from serving.endpoint import BASE, Endpoint

BASE_ONLY = "base"
TURNS = "chat.turns"
MOST_TURNS = 20
# A question (`prompt`, `system`, `expected`, `models`) and what each model said (`answers`).
Turn = dict[str, Any]


def choose(adapters: Sequence[Kept]) -> Kept | None:
    """The adapter to chat with; None for the base alone."""
    by_id = {adapter.id: adapter for adapter in adapters}
    options = [*by_id, BASE_ONLY]
    in_address = st.query_params.get("adapter")
    picked = st.selectbox(
        "Adapter",
        options,
        index=options.index(in_address) if in_address in options else 0,
        format_func=lambda key: by_id[key].name if key in by_id else "None, the base alone",
        key=f"chat.adapter.{in_address}",
    )
    if picked != (in_address or options[0]):
        st.query_params["adapter"] = picked
        st.rerun()
    return by_id.get(picked)


def worth(adapter: Kept) -> None:
    """What is known of the adapter, before anybody falls in love with an answer."""
    with st.container(horizontal=True, vertical_alignment="center", key="chat.worth"):
        looks = f"{badge(VERDICTS[adapter.verdict])} {quarantine_view.badge_of(adapter.adapter)}"
        st.markdown(looks.strip(), width="content")
        if adapter.report is None:
            st.caption("Nobody has measured whether it is better than its base.", width="content")
            state.link_to("judge", "Judge it", ":material/balance:", train=adapter.id)
        else:
            tuned = adapter.report.models["tuned"].get("task")
            scored = f"{tuned.score:.2f} {adapter.report.metric_words} on {tuned.n} rows" if tuned else ""
            st.caption(scored, width="content")
            state.link_to("judge", "See the verdict", ":material/balance:", job=adapter.judged_by or "")
    if adapter.adapter.quarantined:
        st.caption(f"A trial on this machine. {quarantine_view.told(adapter.adapter)}")


def settings(asked: Sequence[Question], spec: JobSpec, key: str) -> tuple[str, int]:
    """System prompt, filled in from the data's, and the longest answer in tokens."""
    system = spec.system_prompt or next((question.system for question in asked if question.system), "")
    with st.expander("System prompt and length", icon=":material/tune:", key="chat.settings"):
        text = st.text_area(
            "System prompt", system, key=f"chat.system.{key}", help="As in the training rows. Empty for none."
        )
        tokens = st.number_input("Longest answer in tokens", 8, 2048, spec.max_new_tokens or 128, key="chat.tokens")
    return (text or "").strip(), int(tokens)


def from_rows(asked: Sequence[Question], *, disabled: bool) -> Question | None:
    """A held-out row to ask."""
    if not asked:
        return None
    left, right = st.columns([5, 1], vertical_alignment="bottom")
    by_line = {question.line: question for question in asked}
    line = left.selectbox(
        "A held-out row",
        list(by_line),
        format_func=lambda line: f"{line}: {by_line[line].title}",
        key="chat.row",
        help="Rows that were not trained on, so the right answer is known.",
    )
    pressed = right.button("Ask it", icon=":material/send:", key="chat.ask", disabled=disabled, width="stretch")
    return by_line[line] if pressed and line is not None else None


def answer(endpoint: Endpoint, turn: Turn, model: str, place: Any, max_tokens: int) -> None:
    """One model's answer, drawn as it is written. What is there stays when somebody presses stop."""
    messages = [{"role": "system", "content": turn["system"]}] if turn["system"] else []
    messages.append({"role": "user", "content": turn["prompt"]})
    said: dict[str, Any] = {"text": "", "seconds": None, "first": None, "tokens": 0, "ended": False}
    turn["answers"][model] = said
    begun = time.monotonic()
    try:
        for piece in client.stream(endpoint, model, messages, max_tokens):
            said["text"] += piece
            said["tokens"] += 1
            said["seconds"] = time.monotonic() - begun
            said["first"] = said["first"] or said["seconds"]
            draw(turn, model, place)
        said["ended"] = True
    except TuneworthyError as error:
        said["error"] = state.error_text(error)
    draw(turn, model, place)


def draw(turn: Turn, model: str, place: Any) -> None:
    """One answer with what it took."""
    said = turn["answers"].get(model)
    with place.container():
        if said is None:
            st.caption("Waits for its turn." if turn["live"] else "Was not asked: stopped before its turn.")
            return
        st.text(said["text"] or ("(nothing)" if said["ended"] else " "))
        if said.get("error"):
            st.error(said["error"], icon=":material/error:")
            return
        if said["seconds"] is not None:
            stopped = "" if said["ended"] else ", not ended"
            right = ""
            if said["ended"] and turn["expected"]:
                same = score(choose_metric("auto", [turn["expected"]]), turn["expected"], said["text"]) == 1
                right = (
                    ":green[:material/check: as expected] · "
                    if same
                    else ":orange[:material/close: not as expected] · "
                )
            count = said["tokens"]
            st.caption(
                f"{right}{count} token{'s' if count != 1 else ''} in {duration(said['seconds'])}, "
                f"the first after {duration(said['first'])}{stopped}"
            )


def show(turn: Turn) -> dict[str, Any]:
    """A question with the places of its answers, by model."""
    with st.chat_message("user", avatar=":material/person:"):
        st.text(turn["prompt"])
        if turn["expected"]:
            st.caption(f"Expected: {plain(turn['expected'])}")
    places = {}
    for column, (model, name) in zip(st.columns(len(turn["models"])), turn["models"].items(), strict=True):
        with column, st.container(border=True):
            icon = ":material/deployed_code:" if model == BASE else ":material/tune:"
            st.markdown(f"{icon} **{plain(name)}**")
            places[model] = st.empty()
            draw(turn, model, places[model])
    return places


def ask(endpoint: Endpoint, turn: Turn, max_tokens: int) -> None:
    """Both models in turn; the tuned one first, since it is what one came for."""
    places = show(turn)
    # Pressing anything runs the script anew and so ends the answers; this button says it.
    st.button("Stop", icon=":material/stop_circle:", key="chat.stop")
    for model in sorted(turn["models"], key=lambda name: name == BASE):
        answer(endpoint, turn, model, places[model], max_tokens)
    st.rerun()


def main() -> None:
    """The page."""
    st.title("Chat", anchor=False)
    adapters = adapter_list.kept()
    plan = state.current_plan()
    if not adapters:
        st.info(
            "There is no adapter yet, so you talk to the base alone. A tune puts one here.", icon=":material/inbox:"
        )
        state.link_to("advise", "Go to the launch panel", ":material/rocket_launch:")
    adapter = choose(adapters) if adapters else None
    spec = (
        adapter.record.spec if adapter else plan.spec if plan and plan.spec else JobSpec(base_model=DEFAULT_BASE_MODEL)
    )
    if adapter is not None:
        worth(adapter)
        if adapter.adapter.form != "adapter":
            classifier_chat.show(adapter)
            return
    paths = {adapter.id: adapter.path} if adapter else {}
    endpoint = None
    with state.shown_errors():
        endpoint = chat_worker.ready(spec.base_model, spec.base_revision, paths, spec.device)
    asked = questions(spec)
    system, max_tokens = settings(asked, spec, adapter.id if adapter else BASE_ONLY)
    row = from_rows(asked, disabled=endpoint is None)
    turns: list[Turn] = st.session_state.setdefault(TURNS, [])
    typed = st.chat_input(
        "Ask both" if adapter else "Ask the base", key="chat.input", disabled=endpoint is None, max_chars=20_000
    )
    if turns and st.button("Clear", icon=":material/delete_sweep:", type="tertiary", key="chat.clear"):
        turns.clear()
    for turn in turns:
        turn["live"] = False
        show(turn)
    if endpoint is None or not (row or typed):
        if not turns:
            st.caption("Each question stands alone: nothing of an earlier one is passed on.")
        return
    models = {BASE: "Base"} | ({adapter.id: adapter.name} if adapter else {})
    # A row is asked with its own system prompt unless somebody has changed it.
    turn = {"prompt": row.prompt if row else typed, "system": system, "expected": row.expected if row else ""}
    turn |= {"models": models, "answers": {}, "live": True}
    turns.append(turn)
    del turns[:-MOST_TURNS]
    ask(endpoint, turn, max_tokens)


with state.shown_errors():
    main()
