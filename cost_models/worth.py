"""What better answers are worth, once quality was measured: cost of a right answer, of one more, and payback."""

from __future__ import annotations

import numpy as np

from core.answers import ApproachId
from cost_models.break_even import crossing_band
from cost_models.draws import Array
from cost_models.options import CostOptions
from cost_models.report import Worth
from cost_models.simulate import Simulation


def worth_of(run: Simulation, options: CostOptions) -> list[Worth]:
    """A row for each approach whose share of right answers was measured, the cheapest first.

    Each is held against the measured approach that costs least by the horizon. A gain is paid back in the month from
    which the value of the additional right answers has outrun the additional cost.
    """
    measured = options.quality
    if not measured:
        return []
    totals = {name: total for name, total in run.totals.items() if name in measured}
    order = sorted(totals, key=lambda name: float(np.median(totals[name][:, -1])))
    answers = np.cumsum(_answers(run), axis=1)
    return [_row(name, order[0], totals, answers, options) for name in order]


def _answers(run: Simulation) -> Array:
    """Answers in each month, shape (draws, months + 1)."""
    monthly = run.x["volume_per_month"][:, None] * run.setting.growth
    monthly[:, 0] = 0.0
    return np.asarray(monthly)


def _row(
    name: ApproachId, against: ApproachId, totals: dict[ApproachId, Array], answers: Array, options: CostOptions
) -> Worth:
    share, total = options.quality[name], totals[name]
    row = Worth(
        approach=name,
        right_share=share,
        usd_per_answer=_each(total[:, -1], answers[:, -1]),
        usd_per_right_answer=_each(total[:, -1], answers[:, -1] * share),
    )
    if name == against:
        return row
    gain = share - options.quality[against]
    dearer = total - totals[against]
    found: dict[str, object] = {"against": against, "extra_right_share": round(gain, 4)}
    if gain > 0:
        found["usd_per_extra_right_answer"] = _each(dearer[:, -1], answers[:, -1] * gain)
    if options.usd_per_right_answer is not None:
        owed = dearer - answers * gain * options.usd_per_right_answer
        low, likely, high, never = crossing_band(owed)
        found |= {"month_p10": low, "month_p50": likely, "month_p90": high, "never": never}
    return row.model_copy(update=found)


def _each(usd: Array, count: Array) -> float | None:
    """Middle of the dollars for each; None where there are fewer than one."""
    return round(float(np.median(usd / count)), 6) if count.min() >= 1 else None
