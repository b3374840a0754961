"""What a judgement found on the task: the verdict in words, scores, comparisons, and what was not looked at."""

from __future__ import annotations

import streamlit as st

from app_pages.figures import VERDICTS, Look, duration, plain
from app_pages.judged_models import in_order, in_words, short, words_of
from core.plan import EvaluationPlan
from evaluation.report import VERDICT_WORDS, EvaluationReport
from evaluation.stats import Paired
from serving.classifier import FORM_WORDS

"""For the shelf, which names the models alike."""
SENTENCES = {
    "ship": "The tuned model is measurably better than the base and than the best prompt.",
    "do_not_ship": "Do not ship the tuned model.",
    "not_enough_evidence": "These rows cannot tell.",
}
MEASURED_ONLY = Look("Measured", ":material/straighten:", "blue")


def look_of(report: EvaluationReport) -> Look:
    """The verdict's word, icon and colour; a judgement without a tune has no verdict to give."""
    if "tuned" not in report.models:
        return MEASURED_ONLY
    look = VERDICTS[report.verdict]
    # A task that was won and an axis that was lost: the gain is real, and "not worth it" would deny it.
    return (
        look._replace(label=VERDICT_WORDS["do_not_ship"]) if report.verdict == "do_not_ship" and lost(report) else look
    )


def lost(report: EvaluationReport) -> bool:
    """True where any axis beside the task was lost."""
    return any(axis.kept is not None and axis.kept.state == "lost" for axis in report.axes.values())


def headline(report: EvaluationReport) -> None:
    """The verdict, the decisive reason, and the others."""
    look = look_of(report)
    st.header(look.label, anchor="verdict")
    if report.classifier:
        st.caption(f"The tuned model here is a small classifier: {FORM_WORDS[report.classifier]}. It writes no text.")
    decisive, others = (report.reasons[0], report.reasons[1:]) if report.reasons else (SENTENCES[report.verdict], [])
    show = {"green": st.success, "red": st.error, "orange": st.warning}.get(look.color, st.info)
    show(with_code(decisive), icon=look.icon)
    others = [reason for reason in others if not stands_below(report, reason)]
    if others:
        st.markdown("\n".join(f"- {with_code(reason)}" for reason in others))


def stands_below(report: EvaluationReport, reason: str) -> bool:
    """True for a reason that the comparisons or the scorecard say again, with its figures."""
    compared = tuple(f"tuned is {pair.sentence}." for pair in report.paired.values())
    kept = {axis.kept.sentence for axis in report.axes.values() if axis.kept is not None}
    return reason.endswith(compared) or reason in kept


def remedies(report: EvaluationReport) -> None:
    """What to try where something was lost, the cheapest first."""
    if not report.remedies:
        return
    st.subheader("What to try, in this order", anchor=False)
    st.markdown("\n".join(f"{place}. {with_code(remedy)}" for place, remedy in enumerate(report.remedies, 1)))


def with_code(text: str) -> str:
    """A sentence shown as it is, but for what stands between backticks: that is code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return plain(text)
    return "".join(f"`{part}`" if place % 2 else plain(part) for place, part in enumerate(parts))


def scores(report: EvaluationReport) -> None:
    """What each model scores on the task, and what an answer of it takes."""
    st.subheader("The task, model by model", anchor=False)
    n = max((axes["task"].n for axes in report.models.values() if "task" in axes), default=report.rows)
    st.caption(f"{report.metric_words[:1].upper()}{report.metric_words[1:]} on {n} rows, with 95 % intervals.")
    st.table(table(report), hide_index=True, border="horizontal", alt="Scores of each model with intervals.")


def table(report: EvaluationReport) -> list[dict[str, str]]:
    """A row a model: score with interval, and what an answer takes."""
    rows = []
    for name in in_order(report.models):
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
        f"**{short(pair.first)} against {short(pair.second).lower()}**: "
        f"{pair.difference:+.2f} ({pair.low:+.2f} to {pair.high:+.2f}), {plain(pair.sentence)}. "
        f":gray[{pair.test[:1].upper()}{pair.test[1:]} test.]"
    )


def fields(report: EvaluationReport) -> None:
    """For tasks that answer in JSON objects: how often each field is right."""
    if not report.fields:
        return
    names = list(dict.fromkeys(field for shares in report.fields.values() for field in shares))
    models = in_order(report.fields)
    with st.expander("Field by field", icon=":material/data_object:", key="judge.fields"):
        rows = [
            {"Field": field}
            | {
                short(name): f"{report.fields[name][field]:.0%}" if field in report.fields[name] else ""
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
            "Planned": ", ".join(short(name) for name in plan.models),
            "Found": ", ".join(short(name) for name in in_order(report.models)),
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
    naive = "; ".join(f"{short(name)} {in_words(score)}" for name, score in report.leak.naive.items())
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
    st.subheader("What this cannot see", anchor=False)
    if report.limits:
        st.markdown("\n".join(f"- {with_code(limit)}" for limit in report.limits))
    else:
        st.caption("The report names no limits.")
