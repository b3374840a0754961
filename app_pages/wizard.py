"""The questions: ten on the first screen, the others behind "Refine". Each may be skipped, each answer is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st
from pydantic import ValidationError

from app_pages import state
from core.answers import Answers
from core.errors import ProblemsFound, problems_of

Kind = Literal["text", "words", "number", "decimal", "share", "choice", "list", "yes_no", "codes"]
UNTITLED = "Untitled plan"
LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "ja", "zh", "ko", "ar", "hi", "tr")


@dataclass(frozen=True)
class Question:
    """One question: the field of the answers that it fills, and how it is put."""

    field: str
    label: str
    kind: Kind
    options: tuple[tuple[str, str], ...] = ()
    """(answer, words) for choices."""
    example: str = ""
    step: float = 1


def _options(*pairs: str) -> tuple[tuple[str, str], ...]:
    return tuple((pair.partition("=")[0], pair.partition("=")[2]) for pair in pairs)


_LEVELS = _options("low=Low", "medium=Medium", "high=High", "very_high=Very high")

FIRST = (
    Question("task", "What should the model do?", "text", example="Answer questions about our course catalogue."),
    Question("task_kind", "Kind of work", "list", _options(
        "classify=Classify", "extract=Extract fields", "generate=Write text", "style=Write in our voice",
        "qa=Answer questions", "sql=Write SQL", "summarise=Summarise", "translate=Translate", "chat=Chat",
        "reasoning=Reason in steps", "other=Something else")),
    Question("prompt_tried", "Prompting tried so far", "list", _options(
        "none=Nothing yet", "zero_shot=An instruction", "few_shot=A few examples", "long_few_shot=30 examples or more",
        "rag=Retrieval (RAG)")),
    Question("volume_per_month", "Calls per month", "number", example="50000", step=1000),
    Question("labelled_examples", "Examples with the right answer", "number", example="300", step=50),
    Question("knowledge_need", "Facts that the model cannot know", "choice", _LEVELS),
    Question("knowledge_freshness", "Those facts change", "choice", _options(
        "static=Never", "slow=Yearly", "seasonal=Each season", "monthly=Monthly", "weekly=Weekly", "daily=Daily")),
    Question("format_strictness", "Strictness of form or voice", "choice", _LEVELS),
    Question("privacy", "Privacy of the data", "choice", _options(
        "low=Low", "medium=Medium", "high=High", "strict=Strict: stays here")),
    Question("budget", "Budget for the first year", "choice", _options(
        "none=None", "small=To $2k", "medium=To $25k", "large=To $250k", "very_large=Above")),
)  # fmt: skip

REFINE = (
    Question("prompt_quality", "Good answers with your best prompt (%)", "share", example="70", step=5),
    Question("target_quality", "Good answers that you need (%)", "share", example="95", step=5),
    Question("switch_gap", "What is wrong with the answers today", "choice", _options(
        "none=Nothing", "form=Form", "knowledge=Knowledge", "ability=Ability")),
    Question("has_eval_set", "Examples set aside for testing", "yes_no"),
    Question("label_quality", "Quality of the examples", "choice", _options(
        "unknown=Unknown", "noisy=Noisy", "checked=Checked")),
    Question("classes", "Number of labels", "number", example="12"),
    Question("input_tokens", "Tokens of one input", "number", example="400", step=50),
    Question("output_tokens", "Tokens of one answer", "number", example="150", step=50),
    Question("latency_ms", "Longest wait for an answer (ms)", "number", example="2000", step=100),
    Question("tenants", "Customers or variants with their own behaviour", "number", example="1"),
    Question("stakes", "Cost of a wrong answer", "choice", _options("low=Low", "medium=Medium", "high=High")),
    Question("task_stability", "The task itself", "choice", _options("stable=Is stable", "changing=Still changes")),
    Question("citations", "Answers must name their source", "yes_no"),
    Question("portability", "Must run where decoding cannot be constrained", "yes_no"),
    Question("team_ml_fte", "People who can run and watch models", "decimal", example="0.5", step=0.5),
    Question("own_text_tokens", "Tokens of text of your own", "number", example="0", step=1_000_000),
    Question("languages", "Languages", "codes"),
    Question("domain", "Field", "words", example="education"),
)  # fmt: skip
_YES_NO = _options("yes=Yes", "no=No")
_NUMBERS = ("number", "decimal")


def key_of(field: str) -> str:
    """The widget's key."""
    return f"answer.{field}"


def show(answers: Answers) -> None:
    """All questions, filled in from the plan."""
    _fill(answers)
    for question in FIRST[:1]:
        _ask(question)
    for left, right in zip(FIRST[1:5:2], FIRST[2:5:2], strict=True):
        _side_by_side((left, right))
    for question in FIRST[5:]:
        _ask(question)
    answered = sum(getattr(answers, question.field) is not None for question in REFINE)
    label = f"Refine ({answered} of {len(REFINE)} answered)" if answered else f"Refine ({len(REFINE)} more questions)"
    with st.expander(label, icon=":material/tune:", key="advise.refine"):
        narrow = [question for question in REFINE if question.kind in ("share", *_NUMBERS, "words", "codes")]
        for first in range(0, len(narrow), 2):
            _side_by_side(narrow[first : first + 2])
        for question in REFINE:
            if question not in narrow:
                _ask(question)


def _side_by_side(questions: Sequence[Question]) -> None:
    for column, question in zip(st.columns(2, vertical_alignment="bottom"), questions, strict=False):
        with column:
            _ask(question)


def _ask(question: Question) -> None:
    words = dict(_YES_NO if question.kind == "yes_no" else question.options)
    common: dict[str, Any] = {
        "key": key_of(question.field),
        "help": Answers.model_fields[question.field].description,
        "on_change": _keep,
        "args": (question,),
    }
    if question.kind == "text":
        st.text_area(question.label, placeholder=question.example, max_chars=4000, height=80, **common)
    elif question.kind == "words":
        st.text_input(question.label, placeholder=question.example, max_chars=200, **common)
    elif question.kind in ("share", *_NUMBERS):
        of_one_type = float if question.kind == "decimal" else int
        low, high = _bounds(question)
        st.number_input(
            question.label,
            min_value=of_one_type(low),
            max_value=of_one_type(high),
            value=None,
            step=of_one_type(question.step),
            format="%g" if question.kind == "decimal" else None,
            placeholder=f"e.g. {question.example}",
            **common,
        )
    elif question.kind == "list":
        st.selectbox(
            question.label, list(words), index=None, format_func=words.__getitem__, placeholder="Not answered", **common
        )
    elif question.kind == "codes":
        st.multiselect(
            question.label, LANGUAGES, accept_new_options=True, placeholder="Not answered", max_selections=20, **common
        )
    else:
        st.pills(question.label, list(words), format_func=words.__getitem__, wrap=True, **common)


def _fill(answers: Answers) -> None:
    """What is kept in the plan is the truth: a widget that shows something else is set to it."""
    for question in (*FIRST, *REFINE):
        key, value = key_of(question.field), _shown(question, getattr(answers, question.field))
        if key not in st.session_state or st.session_state[key] != value:
            st.session_state[key] = value


def _shown(question: Question, value: Any) -> Any:
    shape: dict[str, Callable[[Any], Any]] = {
        "yes_no": lambda answer: "yes" if answer else "no",
        "share": lambda answer: round(answer * 100),
        "number": int,
        "decimal": float,
        "codes": list,
    }
    if value is None:
        return {"text": "", "words": "", "codes": []}.get(question.kind)
    return shape.get(question.kind, lambda answer: answer)(value)


def _answer(question: Question, shown: Any) -> Any:
    if shown is None or shown == [] or (isinstance(shown, str) and not shown.strip()):
        return None
    if question.kind == "yes_no":
        return shown == "yes"
    return shown / 100 if question.kind == "share" else shown


def _keep(question: Question) -> None:
    """One answer into the plan; the first one makes the plan."""
    with state.shown_errors():
        keep({question.field: _answer(question, st.session_state.get(key_of(question.field)))})


def keep(changes: dict[str, Any]) -> None:
    """Set some answers of the current plan. Raises `ProblemsFound` for values that are no answers."""
    plan = state.require_plan()
    try:
        answers = Answers.model_validate(plan.answers.model_dump() | changes)
    except ValidationError as error:
        raise ProblemsFound(problems_of(error)) from error
    fields: dict[str, Any] = {"answers": answers}
    if plan.name == UNTITLED and answers.task:
        fields["name"] = short_name(answers.task)
    state.save(**fields)


def short_name(task: str) -> str:
    """A plan's name from its task: the first words."""
    words = task.split()
    name = " ".join(words[:8])[:70].rstrip(" .,;:")
    return f"{name} ..." if len(words) > 8 else name or UNTITLED


def _bounds(question: Question) -> tuple[int, int]:
    """Lowest and highest answer, as the noun itself has them (percent for shares)."""
    low, high = 0, 2**53 - 1
    for rule in Answers.model_fields[question.field].metadata:
        low = int(getattr(rule, "ge", low))
        high = int(getattr(rule, "le", high))
    return (low * 100, high * 100) if question.kind == "share" else (low, high)


def label_of(field: str) -> str:
    """A field as its question calls it."""
    return next((question.label for question in (*FIRST, *REFINE) if question.field == field), field.replace("_", " "))


def words_of(field: str, value: object) -> str:
    """An answer as its question words it."""
    question = next((question for question in (*FIRST, *REFINE) if question.field == field), None)
    if value is None:
        return "not answered"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if question is not None and question.kind == "share" and isinstance(value, int | float):
        return f"{value * 100:.0f}"
    if isinstance(value, int | float):
        return f"{value:,.0f}" if value == int(value) or abs(value) >= 100 else f"{value:g}"
    return dict(question.options).get(str(value), str(value)) if question is not None else str(value)
