"""What a small classifier costs to keep at work: seconds of this machine, and the cheapest card that we know."""

from __future__ import annotations

from datetime import date

from app_pages.curves_view import money
from app_pages.figures import duration
from core.plan import Plan
from cost_models.facts import cost_facts
from cost_models.prices import PriceBook
from cost_models.terms import HOURS_PER_MONTH
from evaluation.report import EvaluationReport

THOUSAND = 1000


def in_words(report: EvaluationReport, plan: Plan | None, today: date) -> str:
    """Two or three sentences for people. Raises what the price book raises."""
    each = report.seconds_per_answer.get("tuned", 0.0)
    volume = plan.answers.volume_per_month if plan is not None else None
    said = [f"A thousand texts are sorted in {duration(THOUSAND * each)} on this machine, in one batch."]
    if volume:
        said.append(f"The {volume:,} calls of a month take {duration(volume * each)} of it.")
    item = cost_facts().defaults.encoder_gpu
    row = PriceBook.load(None, today).row(item)
    said.append(
        f"No call is paid for: it runs on a machine that you have. The cheapest card that we know "
        f"({row.label}), kept ready day and night, is {money(row.usd * HOURS_PER_MONTH)} a month."
    )
    return " ".join(said)
