"""A tournament of prompts: which way of asking the base is best, by how much, and what each costs."""

from __future__ import annotations

import streamlit as st

from app_pages import answers_view, prompts_taken, state, tournament_chart
from app_pages.figures import duration, plain, usd
from app_pages.judge_view import with_code
from app_pages.judged_models import in_words, rung_name
from app_pages.tournament_chart import upper
from core.errors import NotFound
from core.plan import Plan
from core.store import JobRecord
from evaluation.tournament_report import TournamentReport


def show(record: JobRecord) -> None:
    """A finished tournament: who won, the rungs as dots and as a table, and the way into the plan."""
    report = prompts_taken.found_in(record)
    if not isinstance(report, TournamentReport):
        raise NotFound("this job left no tournament.", "Run it again.")
    headline(report)
    prompts_taken.offer(plan_of(record), report)
    st.subheader("The ways to ask", anchor=False)
    counted = f"{upper(report.metric_words)} on the same {report.rows:,} held-out rows, with 95 % intervals."
    st.caption(f"{plain(counted)} Further right is better.")
    st.plotly_chart(
        tournament_chart.chart(report),
        key="judge.rungs",
        config={"displayModeBar": False},
        alt=tournament_chart.in_sentences(report),
    )
    st.table(table(report), hide_index=True, border="horizontal", alt="Score, tokens and price of each way to ask.")
    under(report)
    tried(report)
    instruction(report)
    state.link_to("jobs", "See the job", ":material/rocket_launch:", job=record.id)
    answers_view.all_answers(report.answers)


def plan_of(record: JobRecord) -> Plan | None:
    """The plan that the tournament was asked for, else the open one; None where there is neither."""
    if record.plan_id is not None:
        try:
            return state.store().plan(record.plan_id)
        except NotFound:
            pass  # deleted since
    return state.current_plan()


def headline(report: TournamentReport) -> None:
    """Who won, in one sentence; what luck could have done is not called a win."""
    wins = report.beats_others
    st.header(f"{upper(rung_name(report.best))} wins" if wins else "No clear winner", anchor="winner")
    show_it = st.success if wins else st.info
    show_it(plain(report.sentence), icon=":material/emoji_events:" if wins else ":material/help:")
    if report.classic is not None:
        better = report.classic.low > report.winner.score.high
        st.markdown(
            f"A classifier without any language model scores {in_words(report.classic)} on the same rows."
            + (" It is better than every prompt here." if better else "")
        )


def table(report: TournamentReport) -> list[dict[str, str]]:
    """A row a rung: score, tokens, time and price."""
    rows = []
    for rung in report.rungs:
        best = " :green[:material/emoji_events: best]" if rung.name == report.best and report.beats_others else ""
        row = {"Way to ask": f"{upper(plain(rung.words))}{best}", "Score": in_words(rung.score)}
        if any(each.schema_valid for each in report.rungs):
            row["Right form"] = f"{rung.schema_valid.score:.0%}" if rung.schema_valid else ""
        row["Tokens in, out"] = f"{rung.prompt_tokens:,.0f}, {rung.answer_tokens:,.0f}"
        took = rung.seconds_per_answer
        row["An answer takes"] = duration(took) if took >= 0.1 else "under 0.1 s"
        price = rung.usd_per_1000_calls
        if any(each.usd_per_1000_calls is not None for each in report.rungs):
            row["1,000 calls"] = "not priced" if price is None else usd(price)
        rows.append(row)
    return rows


def under(report: TournamentReport) -> None:
    """What was left out, what it cost, and what the result does not say."""
    if all(rung.usd_per_1000_calls is None for rung in report.rungs):
        st.caption("Not priced: this model has no price by the token in the price book. The tokens are counted.")
    elif report.usd_of_asking is not None:
        st.caption(f"At list price. Asking all of it cost about {usd(report.usd_of_asking)}.")
    left = [f"{upper(rung_name(name))} was not asked. {why}" for name, why in report.left_out.items()]
    if left or report.limits:
        st.markdown("\n".join(f"- {with_code(upper(line))}" for line in [*left, *report.limits]))


def tried(report: TournamentReport) -> None:
    """How the number of examples was chosen."""
    if not report.tried:
        return
    with st.expander("How many examples?", icon=":material/format_list_numbered:", key="judge.shots"):
        st.caption(
            f"Chosen on {report.tried[0].n} {plain(report.chosen_on)}: the best score, then the most words in common, "
            "then the shorter prompt."
        )
        rows = [
            {"Examples": str(each.shots), "Score": f"{each.score:.2f}", "Words in common": f"{each.token_f1:.2f}"}
            for each in report.tried
        ]
        st.table(rows, hide_index=True, border="horizontal", alt="Score by the number of examples.")


def instruction(report: TournamentReport) -> None:
    """What the winner was told before its question."""
    if report.winner.instruction:
        with st.expander("The instruction of the best", icon=":material/chat_info:", key="judge.instruction"):
            st.code(report.winner.instruction, language=None, wrap_lines=True)
