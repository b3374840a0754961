"""Ship, do not ship, or not enough evidence: rules in the open, tried in order; the first that holds decides.

1. No tuned model, or fewer than 20 rows: not enough evidence.
2. A classifier that is as good, or over which the most that can be gained is below the margin: do not ship, a
   classifier does this.
3. The prompted base beats the tuned model, or nothing was gained: do not ship.
4. The most that the tune can gain is less than the margin: do not ship, the prompt does this.
5. No prompt was tried: not enough evidence.
6. The tuned model beats the base, plain and with its best prompt, and the classifier, beyond noise (of the rows, of
   decoding, and of the seed of training where it was measured): ship.
7. Else: not enough evidence, and how many rows would do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from evaluation.report import MODEL_WORDS, Verdict
from evaluation.stats import Paired, compare, rows_needed
from evaluation.widened import widened_pair

MIN_ROWS = 20
"""Below this even a tune that is right on every row cannot be told from a good one."""
DEFAULT_MARGIN = 0.05
"""A gain below five points is not worth a model of one's own; a spec may say otherwise (`margins: {task: 0.02}`)."""
LOW_SCORE = 0.5
USUAL_ROWS = 100


class Judgement(BaseModel):
    """The verdict, why, and the paired tests that it rests on."""

    verdict: Verdict
    reasons: list[str]
    paired: dict[str, Paired]


def judge(
    scores: Mapping[str, Sequence[float]],
    *,
    metric_words: str,
    margin: float = DEFAULT_MARGIN,
    seed: int = 0,
    spread: Mapping[str, float] | None = None,
) -> Judgement:
    """Verdict from the scores of each model on the same rows, row by row.

    `spread` is {model: half-width at 95 % of noise beside that of the rows}: it widens every comparison of that model.
    """
    by_rows = {
        f"tuned_vs_{name}": compare("tuned", scores["tuned"], name, scores[name], seed)
        for name in ("best_prompt", "base", "classic")
        if "tuned" in scores and name in scores
    }
    if "best_prompt" in scores and "base" in scores:
        by_rows["best_prompt_vs_base"] = compare("best_prompt", scores["best_prompt"], "base", scores["base"], seed)
    if "best_prompt" in scores and "classic" in scores:
        by_rows["classic_vs_best_prompt"] = compare(
            "classic", scores["classic"], "best_prompt", scores["best_prompt"], seed
        )
    noise = spread or {}
    paired = {
        key: widened_pair(pair, math.hypot(noise.get(pair.first, 0.0), noise.get(pair.second, 0.0)))
        for key, pair in by_rows.items()
    }
    verdict, reasons = _decide(scores, paired, by_rows, metric_words, margin)
    return Judgement(verdict=verdict, reasons=reasons, paired=paired)


def _decide(  # noqa: PLR0911  # one return a rule, in their order
    scores: Mapping[str, Sequence[float]],
    paired: Mapping[str, Paired],
    by_rows: Mapping[str, Paired],
    metric_words: str,
    margin: float,
) -> tuple[Verdict, list[str]]:
    rows = len(next(iter(scores.values()), ()))
    if "tuned" not in scores:
        return "not_enough_evidence", _measured_only(scores, paired, metric_words)
    if rows < MIN_ROWS:
        return "not_enough_evidence", [
            f"There {'is' if rows == 1 else 'are'} only {rows} row{'s' * (rows != 1)} to judge on: "
            f"at least {MIN_ROWS} are needed, and about {USUAL_ROWS} tell most tunes apart."
        ]

    def others(told: Paired | None) -> list[str]:
        """The pairs that the first reason has not told already."""
        pairs = [pair for key, pair in paired.items() if key.startswith("tuned_vs") and pair is not told]
        return [f"Against {_name(pair.second)} tuned is {pair.sentence}." for pair in pairs]

    classic = paired.get("tuned_vs_classic")
    someone = any(scores["tuned"]) or (classic is not None and any(scores["classic"]))
    if classic is not None and someone and (classic.difference <= 0 or classic.high < margin):
        return "do_not_ship", [_classifier_does_it(classic, margin), *others(classic)]
    rivals = [paired[key] for key in ("tuned_vs_best_prompt", "tuned_vs_base") if key in paired]
    if not rivals:
        return "not_enough_evidence", ["The base was not judged, so there is nothing to compare the tune with."]
    # The strongest rival is the one that leaves the least gain.
    rival = min(rivals, key=lambda pair: pair.difference)
    against = _name(rival.second)
    if rival.difference <= 0:
        nobody = not any(scores["tuned"]) and not any(scores[rival.second])
        return "do_not_ship", [_nobody_is_right(rival, against) if nobody else _no_gain(rival, against), *others(rival)]
    if rival.high < margin:
        return "do_not_ship", [
            f"The prompt does this: against {against} the tune gains at most {_points(rival.high)}, "
            f"less than the {_points(margin)} that would be worth it.",
            *others(rival),
        ]
    to_beat = [*rivals, classic] if classic is not None else rivals
    if all(pair.beats for pair in to_beat) and "tuned_vs_best_prompt" not in paired:
        return "not_enough_evidence", [
            "It was not compared with a prompt: a good prompt may do as well. Give the training rows (`dataset`), ask "
            "for `best_prompt` where `models` are named, and judge again.",
            *others(None),
        ]
    if all(pair.beats for pair in to_beat):
        return "ship", [
            f"The tuned model beats {against} by {_points(rival.difference)}: {rival.sentence}.",
            *_cautions(scores["tuned"], rivals, metric_words),
            *others(rival),
        ]
    unsure = max(to_beat, key=lambda pair: pair.p_value)
    if by_rows[f"tuned_vs_{unsure.second}"].beats:
        return "not_enough_evidence", [_within_noise(unsure), *others(unsure)]
    return "not_enough_evidence", [_too_few(unsure), *others(unsure)]


def _measured_only(scores: Mapping[str, Sequence[float]], paired: Mapping[str, Paired], metric_words: str) -> list[str]:
    means = {name: sum(values) / len(values) for name, values in scores.items() if values}
    shown = ", ".join(f"{_name(name)} {value:.2f}" for name, value in means.items())
    found = [f"No tuned model was judged. On these rows ({metric_words}): {shown or 'nothing was measured'}."]
    rival = paired.get("classic_vs_best_prompt")
    if rival is not None and rival.difference >= 0:
        found.append(f"A classifier comes before any tune here: against the best prompt it is {rival.sentence}.")
    return found


def _classifier_does_it(pair: Paired, margin: float) -> str:
    if pair.loses:
        return f"Do not tune an LLM for this: a classifier does it better. Tuned is {pair.sentence}."
    if pair.difference <= 0:
        return (
            "Do not tune an LLM for this: a classifier does it. "
            f"TF-IDF and logistic regression is as good as the tuned model: tuned is {pair.sentence}."
        )
    return (
        f"Do not tune an LLM for this: a classifier does it. Against TF-IDF and logistic regression the tune gains at "
        f"most {_points(pair.high)}, less than the {_points(margin)} that would be worth it: {pair.sentence}."
    )


def _no_gain(pair: Paired, against: str) -> str:
    if pair.loses:
        return f"The tuned model is worse than {against} by {_points(-pair.difference)}: {pair.sentence}."
    does = "The prompt does this" if pair.second == "best_prompt" else "Nothing was gained"
    return f"{does}: {against} is as good as the tuned model on these rows ({pair.sentence})."


def _nobody_is_right(pair: Paired, against: str) -> str:
    """A prompt that is never right does nothing, and nor does the tune."""
    return f"Nothing was gained: neither the tuned model nor {against} is right on any of {pair.n} rows."


def _too_few(pair: Paired) -> str:
    would_do = rows_needed(pair.better, pair.worse, pair.n)
    more = f" If the difference is as large as it looks, about {would_do:,} rows would show it." if would_do else ""
    return f"With {pair.n} rows we cannot tell the tuned model from {_name(pair.second)}: {pair.sentence}.{more}"


def _within_noise(pair: Paired) -> str:
    low, high = (f"{100 * value:+.0f}" for value in (pair.low, pair.high))
    return (
        f"By the rows alone the tuned model beats {_name(pair.second)}, but not beyond the noise of decoding and of "
        f"the seed of training: with it the gain lies between {low} and {high} points. More seeds or more rows would "
        "tell."
    )


def _cautions(tuned: Sequence[float], rivals: Sequence[Paired], metric_words: str) -> list[str]:
    mean = sum(tuned) / len(tuned)
    found = []
    if mean < LOW_SCORE:
        found.append(f"Better is not good yet: the tuned model scores {mean:.2f} ({metric_words}).")
    worse = max(pair.worse for pair in rivals)
    if worse:
        found.append(f"It got worse on {worse} row{'s' if worse != 1 else ''}: read them before you ship.")
    if all(pair.second != "best_prompt" for pair in rivals):
        found.append("It was not compared with a prompt: a good prompt may do as well.")
    return found


def _name(model: str) -> str:
    words = {str(name): text for name, text in MODEL_WORDS.items()}
    return {"base": "the base", "best_prompt": "the base with its best prompt"}.get(model, words.get(model, model))


def _points(share: float) -> str:
    points = share * 100
    return f"{points:.0f} point{'s' if round(points) != 1 else ''}" if abs(points) >= 1 else f"{points:.1f} points"
