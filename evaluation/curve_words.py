"""What a learning curve says, in words: what more labels would buy, and what the curve does not know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evaluation.learning_curve import Gain, Verdict


def in_words(verdict: Verdict, band: Sequence[Gain], worth: float, metric_words: str, judged: int) -> str:
    """What to do, for people."""
    twice = band[-1]
    if verdict == "label_more":
        first = f"{band[0].more_rows:,} more labels would buy about {_bought(band[0])} on {metric_words}"
        return f"{first}, {twice.more_rows:,} more about {_bought(twice)}."
    reach = f"{twice.more_rows:,} more labels would change {metric_words} by {_bought(twice)}"
    if verdict == "stop":
        why = "more rows make it worse: look at the labels" if twice.gain_high < 0 else "the curve is flat"
        if twice.gain_low > 0:
            why = "the curve still rises, and too little to be worth it"
        elif twice.gain_high >= 0:
            why += " within the noise"
        return f"Stop labelling: {why}. {reach}, less than the {worth:.3f} that would be worth it."
    return f"Not enough evidence: {reach}. Judge on more than {judged:,} rows, or train on more sizes."


def _bought(gain: Gain) -> str:
    """`+0.021 (+0.004 to +0.038)`."""
    own, low, high = (f"{round(value, 3) + 0.0:+.3f}" for value in (gain.gain, gain.gain_low, gain.gain_high))
    return f"{own} ({low} to {high})"


def limits(paired: bool, widened: float) -> list[str]:
    """What the curve does not know."""
    found = [
        "Each size was trained once: another draw of its rows, or another seed, may score differently.",
        "Smaller sizes take fewer steps at the same number of epochs: the curve is that of this recipe.",
        "The curve holds for more rows like those at hand; rows of a new kind can buy more.",
    ]
    if not paired:
        found.append("The answers to single rows were not kept for all sizes, so the band is wider than it could be.")
    if widened > 1:
        found.append(f"The points do not lie on one curve; the noise was taken to be {widened:.1f} times as large.")
    return found
