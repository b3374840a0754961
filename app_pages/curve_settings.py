"""What a team may set about the curves: horizon, growth, rates, today's cost, and which models and cards are priced."""

from __future__ import annotations

from datetime import date
from typing import Any

import streamlit as st

from app_pages import state
from app_pages.advice import options_of
from core.answers import ApproachId
from core.errors import TuneworthyError
from core.plan import Plan
from core.run_folder import RunFolder
from cost_models.facts import cost_facts
from cost_models.options import Choice, CostOptions, read_options
from cost_models.prices import PriceBook, PriceRow

PERCENT = ("volume_growth", "discount_rate", "batch_share")
CHOICES: dict[Choice, str] = {
    "api_model": "Model behind the API",
    "managed": "Host of managed tuning",
    "serving_gpu": "Card that serves",
    "training_gpu": "Card that trains",
}
MEASURED: dict[str, ApproachId] = {"base": "zero_shot", "best_prompt": "few_shot", "tuned": "ft_self"}
"""Which approach a judged model speaks for."""


def show(plan: Plan | None, today: date) -> None:
    """All settings, filled in from the plan; each change is kept at once."""
    now = options_of(plan)
    _fill(now)
    a, b = _row()
    a.slider("Months", 6, 36, step=6, **_input("months"))
    b.toggle("Hold prices as they are today", **_input("hold_prices"))
    a, b = _row()
    a.number_input("Calls grow each year (%)", -90, 2000, step=10, **_input("volume_growth"))
    b.number_input("Calls that can wait a day (%)", 0, 100, step=10, **_input("batch_share"))
    a, b = _row()
    a.number_input("Discount rate a year (%)", 0, 100, step=1, **_input("discount_rate"))
    b.number_input(
        "What the work costs today, a month (USD)", 0.0, 1e12, step=100.0, placeholder="Not counted",
        **_input("present_usd_per_month"),
    )  # fmt: skip
    a, b = _row()
    a.number_input(
        "What one more right answer is worth (USD)", 0.0, 1e9, step=0.1, placeholder="Not counted", format="%.2f",
        **_input("usd_per_right_answer"),
    )  # fmt: skip
    measured = measured_quality(plan)
    b.button(
        "Take the judge's scores",
        key="curve.measured",
        icon=":material/balance:",
        on_click=_take,
        args=(measured,),
        disabled=not measured or measured == now.quality,
        help="Share of right answers of base, best prompt and tuned model, from this plan's newest verdict.",
    )
    _choices(now, today)
    if plan is not None and plan.cost_options:
        st.button("Back to our settings", key="curve.reset", icon=":material/undo:", on_click=_reset)


def _row() -> list[Any]:
    return list(st.columns(2, vertical_alignment="bottom"))


def measured_quality(plan: Plan | None) -> dict[ApproachId, float]:
    """Share of right answers by approach, from the plan's newest evaluation that ended; empty where there is none."""
    if plan is None:
        return {}
    from evaluation.report import read_report

    for record in state.store().jobs(plan.id):
        if record.kind != "evaluate" or record.engine != "local":
            continue
        try:
            report = read_report(RunFolder.of(record.id).evaluation_file)
        except TuneworthyError:
            continue
        tasks = {name: axes["task"].score for name, axes in report.models.items() if "task" in axes}
        return {MEASURED[name]: score for name, score in tasks.items() if name in MEASURED}
    return {}


def choices_of(choice: Choice, today: date) -> dict[str, str]:
    """{name to keep: words} of what can be chosen."""
    book = PriceBook.load(None, today)
    if choice == "api_model":
        return {row.item[4:-6]: row.item[4:-6] for row in book.rows("api.") if row.item.endswith(".input")}
    if choice == "managed":
        rows = [row for row in book.rows("tune.") if row.item.endswith(".training")]
        return {row.item.removesuffix(".training"): _host(row) for row in rows if _complete(book, row)}
    return {row.item: f"{row.label}, {row.usd:.2f} USD an hour" for row in book.rows("gpu.")}


def _complete(book: PriceBook, row: PriceRow) -> bool:
    """True for a host whose every price of a run and of use is known."""
    name = row.item.removesuffix(".training")
    known = {each.item for each in book.rows(f"{name}.")}
    return {f"{name}.{part}" for part in ("input", "output", "hosting")} <= known


def _host(row: PriceRow) -> str:
    closes = f", no new jobs after {row.last_day_for_new_jobs}" if row.last_day_for_new_jobs else ""
    ends = f", ends {row.retires}" if row.retires and row.retires != row.last_day_for_new_jobs else ""
    return f"{row.label}{closes}{ends}"


def _choices(now: CostOptions, today: date) -> None:
    defaults = cost_facts().defaults
    columns = [*_row(), *_row()]
    for column, (choice, label) in zip(columns, CHOICES.items(), strict=True):
        names = choices_of(choice, today)
        ours = "" if choice == "managed" else str(getattr(defaults, choice))
        key = f"curve.choice.{choice}"
        st.session_state[key] = now.choices.get(choice)
        column.selectbox(
            label, list(names), index=None, key=key, format_func=names.__getitem__, on_change=_choose, args=(choice,),
            placeholder=f"Ours: {names.get(ours, 'the first host that is open')}",
        )  # fmt: skip


def _input(field: str) -> dict[str, Any]:
    text = CostOptions.model_fields[field].description
    return {"key": f"curve.{field}", "help": text, "on_change": _keep, "args": (field,)}


def _fill(now: CostOptions) -> None:
    """What is kept in the plan is the truth."""
    for field in ("months", "hold_prices", "present_usd_per_month", "usd_per_right_answer", *PERCENT):
        value = getattr(now, field)
        shown = round(value * 100) if field in PERCENT else value
        if st.session_state.get(f"curve.{field}", ...) != shown:
            st.session_state[f"curve.{field}"] = shown


def _keep(field: str) -> None:
    value = st.session_state[f"curve.{field}"]
    _save({field: value / 100 if field in PERCENT and value is not None else value})


def _choose(choice: Choice) -> None:
    with state.shown_errors():
        chosen = dict(options_of(state.current_plan()).choices)
        picked = st.session_state[f"curve.choice.{choice}"]
        if picked is None:
            chosen.pop(choice, None)
        else:
            chosen[choice] = picked
        _save({"choices": chosen})


def _take(measured: dict[ApproachId, float]) -> None:
    _save({"quality": dict(measured)})


def _save(changes: dict[str, object]) -> None:
    with state.shown_errors():
        plan = state.require_plan()
        kept = read_options(options_of(plan).model_dump() | changes)
        state.save(cost_options=kept.model_dump(mode="json", exclude_defaults=True))


def _reset() -> None:
    with state.shown_errors():
        state.save(cost_options={})
