"""The lecture's table for this team, and which base models fit."""

from __future__ import annotations

import streamlit as st

from advisor.advice import Advice
from advisor.spectrum import fitting_models, spectrum
from app_pages.answer_view import VERDICTS, name_of
from app_pages.figures import usd
from core.answers import Answers
from cost_models.report import CostReport


def show(answers: Answers, advice: Advice, report: CostReport) -> None:
    """Pros, cons, effort, control and performance of every approach; base models that fit."""
    with st.expander(
        "The spectrum for your team: pros, cons, effort, control, performance",
        key="advise.spectrum",
        icon=":material/table_rows:",
    ):
        table(advice, report)
    models = fitting_models(answers)
    count = sum(model.fits for model in models)
    with st.expander(
        f"Base models: {count} of {len(models)} fit your answers", key="advise.models", icon=":material/deployed_code:"
    ):
        st.dataframe(
            [
                {
                    "Fits": model.fits,
                    "Model": model.model,
                    "Parameters": model.params_billion,
                    "Weights": model.weights_gib,
                    "Why": " ".join(model.because),
                    "Licence": model.licence,
                    "Languages": ", ".join(model.languages),
                    "Context": model.context,
                }
                for model in models
            ],
            key="advise.models.table",
            hide_index=True,
            column_config={
                "Fits": st.column_config.CheckboxColumn(width="small"),
                "Parameters": st.column_config.NumberColumn(format="%.2f B", width="small"),
                "Weights": st.column_config.NumberColumn(format="%.1f GiB", help="In 16 bits.", width="small"),
                "Context": st.column_config.NumberColumn(format="localized", help="Tokens.", width="small"),
            },
            alt=f"{len(models)} open base models with size, licence, languages and whether they fit.",
        )


def table(advice: Advice, report: CostReport) -> None:
    """A row per approach."""
    rows = []
    for row in spectrum(advice, report):
        label, icon, color = VERDICTS[row.verdict or "acceptable"]
        rows.append(
            {
                "Approach": f"**{name_of(row.approach)}** :{color}-badge[{icon} {label}]",
                "Pros": row.pros,
                "Cons": row.cons,
                "Effort": row.effort,
                "Control": row.control,
                "Performance": row.performance,
                "When": row.when,
                "Start": usd(row.upfront_usd),
                "Month": usd(row.monthly_usd),
            }
        )
    st.table(rows, border="horizontal", hide_index=True, alt="The adaptation spectrum, a row for each approach.")
