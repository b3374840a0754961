"""One axis opened: its parts, the kinds of answers, the figures beside the score, and who told answers apart."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from app_pages import axis_answers
from app_pages.figures import badge, plain
from app_pages.judged_axes import SECRET, STATES, axis_name, measured_axes, state_of_axis
from app_pages.judged_models import in_order, in_percent, short
from evaluation.harm_shares import HarmShares
from evaluation.report import AxisReport, EvaluationReport

NAMED = 3
"""Worse parts that are named above the table; it marks all of them."""
MOST_COPIES = 10
KINDS = {
    "refused": "Refused",
    "answered": "Answered",
    "incoherent": "Incoherent",
    "right": "Right",
    "wrong": "Wrong",
    "told": "Gave it away",
    "withstood": "Withstood",
    "unknown": "Left it open",
}
"""Kinds of answers as the head of a column; others stand as they are."""
SHARES = {
    "accuracy_ambiguous": "Right where the story leaves it open",
    "accuracy_clear": "Right where the story says who it was",
}
LEANS = {
    "lean_ambiguous": "Lean where the story leaves it open",
    "lean_clear": "Lean where the story says who it was",
}


def section(report: EvaluationReport, judged_by_job: str) -> None:
    """A choice of axes, and the one that is chosen. Nothing of the others is drawn."""
    axes = measured_axes(report)
    if not axes:
        return
    st.subheader("Open an axis", anchor="axes")
    lost = [axis for axis in axes if state_of_axis(report, axis) in ("lost", "told")]
    chosen = st.pills(
        "Axis", axes, default=lost[0] if lost else None, format_func=axis_name, key=f"judge.axis.{judged_by_job}",
        label_visibility="collapsed",
    )  # fmt: skip
    if chosen in axes:
        show(report, str(chosen))
    else:
        st.caption("Choose one to see its parts and its answers.")


def show(report: EvaluationReport, axis: str) -> None:
    """Everything about one axis."""
    found = report.axes[axis]
    kept = f" {plain(found.kept.sentence)}" if found.kept else ""
    st.markdown(f"{badge(STATES[state_of_axis(report, axis)])}{kept}")
    if found.note:
        st.caption(plain(found.note))
    for words in figures_in_words(found.numbers):
        st.markdown(f"- {words}")
    parts(found)
    kinds(found)
    if found.harm is not None:
        harm(found.harm)
    if axis == "new_inputs":
        by_heart(report)
    if found.judged_by:
        st.caption(f"Kinds of answers are told apart by {plain(found.judged_by)}.")
    axis_answers.show(axis, found, secret=axis in SECRET)


def parts(found: AxisReport) -> None:
    """Score by part and model; parts that are worse beyond luck are named first."""
    if not found.parts:
        return
    if found.worse_parts:
        listed = "; ".join(plain(words) for words in found.worse_parts[:NAMED])
        more = len(found.worse_parts) - NAMED
        rest = f"; and {more} more" if more > 0 else ""
        st.warning(f"Worse beyond luck: {listed}{rest}.", icon=":material/trending_down:")
    st.table(parts_table(found), hide_index=True, border="horizontal", alt="Score of each part by model.")
    st.caption("With 95 % intervals. Worse parts are those that luck does not explain, with Holm's correction.")


def parts_table(found: AxisReport) -> list[dict[str, str]]:
    """A row a part, those that got worse first."""
    worse = [part for part in found.parts if is_worse(found, part)]
    models = in_order({name for scores in found.parts.values() for name in scores})
    rows = []
    for part in [*worse, *(part for part in found.parts if part not in worse)]:
        scores = found.parts[part]
        count = max((score.n for score in scores.values()), default=0)
        name = plain(part_words(part))
        row = {"Part": f"{name} :red[:material/trending_down: worse]" if part in worse else name}
        row |= {short(model): in_percent(scores[model]) if model in scores else "" for model in models}
        rows.append(row | {"Questions": f"{count:,}"})
    return rows


def is_worse(found: AxisReport, part: str) -> bool:
    """True for a part that is named among the worse ones."""
    return any(words.startswith(f"{part.replace('_', ' ')}: ") for words in found.worse_parts)


def part_words(part: str) -> str:
    """`earth_and_space` as people write it."""
    return _upper(part.replace("_", " "))


def kinds(found: AxisReport) -> None:
    """How many answers of each kind every model gave."""
    rows = kinds_table(found)
    if rows:
        st.table(rows, hide_index=True, border="horizontal", alt="Kinds of answers by model, counted.")


def harm(found: HarmShares) -> None:
    """Refused or not, does the answer do harm? The share of each model beside its refusals."""
    st.markdown(f"**Does the answer do harm?** {plain(found.sentence)}")
    if found.models:
        st.table(harm_table(found), hide_index=True, border="horizontal", alt="Share of harmful answers by model.")
        st.caption("Another question than whether it refuses: lower is better, with 95 % intervals.")


def harm_table(found: HarmShares) -> list[dict[str, str]]:
    """A row a model: the share of its answers that do harm, and of how many."""
    return [
        {"Model": short(name), "Harmful answers": in_percent(share), "Requests": f"{share.n:,}"}
        for name in in_order(found.models)
        if (share := found.models[name])
    ]


def by_heart(report: EvaluationReport) -> None:
    """Whether the tune has learned its rows by heart: gaps to the rows that it was trained on, and copied answers."""
    said = [_upper(gap.sentence) for gap in report.gaps]
    if report.copying is not None:
        said.append(f"Copied answers: {report.copying.sentence}")
        lines = ", ".join(f"{each.line} (from {each.train_line})" for each in report.copying.found[:MOST_COPIES])
        said += [f"Held-out lines with an answer of a training line: {lines}"] if lines else []
    if said:
        st.markdown("**Learned by heart?**")
        st.markdown("\n".join(f"- {plain(words.rstrip('.'))}." for words in said))


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def kinds_table(found: AxisReport) -> list[dict[str, str]]:
    """A row a model, a column a kind, the most frequent first."""
    totals: dict[str, int] = {}
    for counts in found.labels.values():
        for kind, count in counts.items():
            totals[kind] = totals.get(kind, 0) + count
    order = sorted(totals, key=lambda kind: (-totals[kind], kind))
    return [
        {"Model": short(name)} | {kind_words(kind): f"{found.labels[name].get(kind, 0):,}" for kind in order}
        for name in in_order(found.labels)
        if totals
    ]


def kind_words(kind: str) -> str:
    """A kind of answer as the head of a column."""
    return KINDS.get(kind, _upper(kind))


def figures_in_words(numbers: Mapping[str, Mapping[str, float]]) -> list[str]:
    """The figures beside the score, each a sentence or two."""
    found = []
    for what, values in numbers.items():
        if what == "bits_per_byte":
            found.append(_bits(values))
        elif what in SHARES:
            found.append(f"{SHARES[what]}: {_each({name: f'{value * 100:.0f} %' for name, value in values.items()})}.")
        elif what in LEANS:
            said = _each({name: f"{value + 0.0:+.2f}" for name, value in values.items()})
            found.append(f"{LEANS[what]}: {said}. 0 is none, +1 always with the prejudice, -1 always against it.")
        else:
            said = _each({name: f"{value:.3g}" for name, value in values.items()})
            found.append(f"{plain(part_words(what))}: {said}.")
    return found


def _bits(values: Mapping[str, float]) -> str:
    said = f"Plain text costs, in bits a byte: {_each({name: f'{value:.2f}' for name, value in values.items()})}."
    base, tuned = values.get("base"), values.get("tuned")
    if base is None or tuned is None or base <= 0:
        return f"{said} Lower is better."
    more = round((tuned / base - 1) * 100)
    change = (
        "no more than the base needs" if more == 0 else f"{abs(more)} % {'more' if more > 0 else 'less'} than the base"
    )
    return f"{said} The tuned model takes {change}; lower is better."


def _each(values: Mapping[str, str]) -> str:
    return ", ".join(f"{short(name).lower()} {values[name]}" for name in in_order(values))
