"""What a judgement found: the verdict in words, scores with their intervals, and what was not looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app_pages.figures import VERDICTS, Look, duration, plain
from core.plan import EvaluationPlan
from evaluation.report import MODEL_WORDS, EvaluationReport
from evaluation.stats import Interval, Paired

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

SHORT = {"base": "Base", "best_prompt": "Best prompt", "tuned": "Tuned", "classic": "Classifier"}
SYMBOLS = {"base": "circle", "best_prompt": "square", "tuned": "diamond", "classic": "cross"}
ORDER = tuple(SHORT)
SENTENCES = {
    "ship": "The tuned model is measurably better than the base and than the best prompt.",
    "do_not_ship": "Do not ship the tuned model.",
    "not_enough_evidence": "These rows cannot tell.",
}
MEASURED_ONLY = Look("Measured", ":material/straighten:", "blue")


def words_of(model: str) -> str:
    """A model as it stands in a table."""
    words = {str(name): words for name, words in MODEL_WORDS.items()}.get(model, model)
    return words[:1].upper() + words[1:]


def look_of(report: EvaluationReport) -> Look:
    """The verdict's word, icon and colour; a judgement without a tune has no verdict to give."""
    return VERDICTS[report.verdict] if "tuned" in report.models else MEASURED_ONLY


def in_words(interval: Interval) -> str:
    """`0.93 (0.86 to 0.96)`."""
    return f"{interval.score:.2f} ({interval.low:.2f} to {interval.high:.2f})"


def in_order(report: EvaluationReport) -> list[str]:
    """The judged models, the plain base first."""
    return sorted(report.models, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


def headline(report: EvaluationReport) -> None:
    """The verdict, the decisive reason, and the others."""
    look = look_of(report)
    st.header(look.label, anchor="verdict")
    decisive, others = (report.reasons[0], report.reasons[1:]) if report.reasons else (SENTENCES[report.verdict], [])
    show = {"green": st.success, "red": st.error, "orange": st.warning}.get(look.color, st.info)
    show(plain(decisive), icon=look.icon)
    # The comparisons stand below with their intervals; here only what they do not say.
    compared_below = tuple(f"tuned is {pair.sentence}." for pair in report.paired.values())
    others = [reason for reason in others if not reason.endswith(compared_below)]
    if others:
        st.markdown("\n".join(f"- {plain(reason)}" for reason in others))


def scores(report: EvaluationReport) -> None:
    """Dots and whiskers, then the same as a table."""
    st.subheader("Scores on the held-out rows", anchor=False)
    n = max((axes["task"].n for axes in report.models.values() if "task" in axes), default=report.rows)
    st.caption(f"{report.metric_words[:1].upper()}{report.metric_words[1:]} on {n} rows, with 95% intervals.")
    st.plotly_chart(chart(report), key="judge.scores", config={"displayModeBar": False}, alt=chart_in_words(report))
    st.table(table(report), hide_index=True, border="horizontal", alt="Scores of each model with intervals.")


def chart(report: EvaluationReport) -> Figure:
    """A dot a model with its interval. Colours are the theme's; shapes tell the models apart as well."""
    import plotly.graph_objects as go
    import streamlit.elements.plotly_chart  # noqa: F401  registers the template whose colours follow the theme

    figure = go.Figure()
    models = [name for name in in_order(report) if "task" in report.models[name]]
    for name in models:
        found = report.models[name]["task"]
        figure.add_scatter(
            x=[found.score],
            y=[SHORT.get(name, name)],
            name=SHORT.get(name, name),
            mode="markers",
            marker={"size": 13, "symbol": SYMBOLS.get(name, "circle")},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [found.high - found.score],
                "arrayminus": [found.score - found.low],
                "thickness": 2,
                "width": 7,
            },
            hovertemplate=f"{in_words(found)}<extra>{words_of(name)}</extra>",
            showlegend=False,
        )
    figure.update_layout(
        height=52 * len(models) + 70,
        margin={"l": 8, "r": 16, "t": 8, "b": 8},
        xaxis={"range": [-0.02, 1.02], "tickvals": [0, 0.25, 0.5, 0.75, 1], "fixedrange": True, "zeroline": False},
        yaxis={"autorange": "reversed", "fixedrange": True, "showgrid": True, "type": "category"},
    )
    return figure


def chart_in_words(report: EvaluationReport) -> str:
    """The chart for those who cannot see it."""
    parts = [
        f"{words_of(name)} {in_words(report.models[name]['task'])}"
        for name in in_order(report)
        if "task" in report.models[name]
    ]
    return f"{report.metric_words} with 95% intervals: {'; '.join(parts)}."


def table(report: EvaluationReport) -> list[dict[str, str]]:
    """A row a model: score with interval, and what an answer takes."""
    rows = []
    for name in in_order(report):
        row = {"Model": words_of(name), "Score": "not measured"}
        if "task" in report.models[name]:
            row["Score"] = in_words(report.models[name]["task"])
        if report.json_valid:
            valid = report.json_valid.get(name)
            row["Valid JSON"] = f"{valid.score:.0%}" if valid else ""
        if report.tokens:
            count = report.tokens.get(name)
            row["Tokens in, out"] = f"{count.prompt:,.0f}, {count.answer:,.0f}" if count else ""
        if report.seconds_per_answer:
            took = report.seconds_per_answer.get(name)
            row["An answer takes"] = "" if took is None else duration(took) if took >= 0.1 else "under 0.1 s"
        rows.append(row)
    return rows


def comparisons(report: EvaluationReport) -> None:
    """Who beats whom on the same rows, in plain words."""
    if not report.paired:
        return
    st.subheader("On the same rows", anchor=False)
    st.markdown("\n".join(f"- {compared(pair)}" for pair in report.paired.values()))


def compared(pair: Paired) -> str:
    """`Tuned against best prompt: +0.42 (0.33 to 0.51), better on ...`."""
    return (
        f"**{SHORT.get(pair.first, pair.first)} against {SHORT.get(pair.second, pair.second).lower()}**: "
        f"{pair.difference:+.2f} ({pair.low:+.2f} to {pair.high:+.2f}), {plain(pair.sentence)}. "
        f":gray[{pair.test[:1].upper()}{pair.test[1:]} test.]"
    )


def fields(report: EvaluationReport) -> None:
    """For tasks that answer in JSON objects: how often each field is right."""
    if not report.fields:
        return
    names = list(dict.fromkeys(field for shares in report.fields.values() for field in shares))
    models = [name for name in in_order(report) if name in report.fields]
    with st.expander("Field by field", icon=":material/data_object:", key="judge.fields"):
        rows = [
            {"Field": field}
            | {
                SHORT.get(name, name): f"{report.fields[name][field]:.0%}" if field in report.fields[name] else ""
                for name in models
            }
            for field in names
        ]
        st.table(rows, hide_index=True, border="horizontal", alt="Share of right answers by field and model.")


def planned(report: EvaluationReport, plan: EvaluationPlan | None) -> None:
    """What was written down before the launch beside what came out."""
    st.subheader("Planned and found", anchor=False)
    if plan is None:
        st.caption("No evaluation plan is kept with this judgement.")
        return
    rows = [
        {"": "Metric", "Planned": plan.metric, "Found": report.metric_words},
        {"": "Rows", "Planned": f"{plan.rows:,}", "Found": f"{report.rows:,}{_left_out(report)}"},
        {
            "": "Models",
            "Planned": ", ".join(SHORT.get(name, name) for name in plan.models),
            "Found": ", ".join(SHORT.get(name, name) for name in in_order(report)),
        },
        {"": "Success", "Planned": plain(plan.success), "Found": look_of(report).label},
    ]
    st.table(rows, hide_index=True, border="horizontal", alt="The evaluation plan beside what was found.")
    st.caption(f"The plan was written on {plan.written_at:%d %b %Y at %H:%M} UTC, before the first job started.")


def _left_out(report: EvaluationReport) -> str:
    return f" ({report.leak.overlap} that stand in training were left out)" if report.leak.overlap else ""


def leak(report: EvaluationReport) -> None:
    """Held-out rows that stand in training, and what they would have done to the scores."""
    if not report.leak.overlap:
        return
    naive = "; ".join(f"{SHORT.get(name, name)} {in_words(score)}" for name, score in report.leak.naive.items())
    more = f" With them the scores would read: {naive}." if naive else ""
    one = report.leak.overlap == 1
    st.warning(
        f"{report.leak.overlap} held-out {'row stands' if one else 'rows stand'} in the training rows too. "
        f"The scores are without {'it' if one else 'them'}.{more}",
        icon=":material/content_copy:",
    )


def prompt(report: EvaluationReport) -> None:
    """The best prompt that was found, and how."""
    best = report.prompt
    if best is None:
        return
    with st.expander("The best prompt, and how it was found", icon=":material/edit_note:", key="judge.prompt"):
        st.markdown(
            f"{plain(best.words[:1].upper() + best.words[1:])}, with {best.examples} examples from the training rows. "
            f"Chosen on {best.chosen_on}, never on the rows of the judgement. "
            f"It takes {best.mean_tokens:,.0f} tokens a call, against {best.base_mean_tokens:,.0f} without."
        )
        st.code(best.instruction or "(no instruction)", language=None, wrap_lines=True)
        if best.candidates:
            rows = [
                {
                    "Candidate": plain(each.words),
                    "Score": f"{each.score:.2f}",
                    "Token F1": f"{each.token_f1:.2f}",
                    "Rows": str(each.n),
                    "Tokens": f"{each.mean_tokens:,.0f}",
                }
                for each in best.candidates
            ]
            st.table(rows, hide_index=True, border="horizontal", alt="Prompts that were tried and their scores.")


def limits(report: EvaluationReport) -> None:
    """What this judgement did not look at."""
    st.subheader("Not measured", anchor=False)
    if report.limits:
        st.markdown("\n".join(f"- {plain(limit)}" for limit in report.limits))
    else:
        st.caption("The report names no limits.")
