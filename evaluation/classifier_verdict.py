"""Should a small classifier do this? Rules in the open, tried in order; the first that holds decides.

A classifier need not beat the prompted model: it costs next to nothing, so to be shown as good is enough.

1. Fewer than 20 rows: not enough evidence. Right on none of them: do not ship.
2. An encoder that gains nothing over TF-IDF with logistic regression, or surely less than the margin: do not ship, the
   classic form does this.
3. Nobody was judged beside it: not enough evidence.
4. The prompted base (or the base) is better beyond luck, by the margin or more: do not ship.
5. Against each of them it is better beyond luck, or shown to lose less than the margin: ship.
6. Else: not enough evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.jobspec import JobSpec
from evaluation.clustered import questions_for_width
from evaluation.kept import points
from evaluation.report import MODEL_WORDS, Verdict
from evaluation.stats import Paired
from evaluation.verdict import DEFAULT_MARGIN, LOW_SCORE, MIN_ROWS, USUAL_ROWS
from serving.classifier import FORM_WORDS, Form


def decide_classifier(  # noqa: PLR0911  # one return a rule, in their order
    scores: Mapping[str, Sequence[float]],
    paired: Mapping[str, Paired],
    form: Form,
    *,
    metric_words: str,
    margin: float = DEFAULT_MARGIN,
) -> tuple[Verdict, list[str]]:
    """Verdict and reasons. `scores["tuned"]` are those of the classifier; `paired` compares it with the others."""
    rows = len(scores["tuned"])
    if rows < MIN_ROWS:
        return "not_enough_evidence", [
            f"There {'is' if rows == 1 else 'are'} only {rows} row{'s' * (rows != 1)} to judge on: "
            f"at least {MIN_ROWS} are needed, and about {USUAL_ROWS} tell most classifiers apart."
        ]
    if not any(scores["tuned"]):
        # As good as others that are never right is no reason to take it.
        return "do_not_ship", [f"The classifier is right on none of {rows} rows. Are its labels those of the rows?"]
    classic = paired.get("tuned_vs_classic")
    rivals = [paired[key] for key in ("tuned_vs_best_prompt", "tuned_vs_base") if key in paired]

    def others(told: Paired | None = None) -> list[str]:
        """The rivals that the first reason has not told already."""
        return [f"Against {_name(pair.second)} it is {pair.sentence}." for pair in rivals if pair is not told]

    if classic is not None and (classic.difference <= 0 or classic.high < margin):
        return "do_not_ship", [_classic_does_it(classic), *others()]
    if not rivals:
        return "not_enough_evidence", [
            "Neither the base nor its best prompt was judged, so there is nothing to hold the classifier against."
        ]
    rival = min(rivals, key=lambda pair: pair.difference)
    if rival.loses and -rival.difference >= margin:
        return "do_not_ship", [
            f"The classifier is worse than {_name(rival.second)} by {points(-rival.difference)}: {rival.sentence}.",
            *others(rival),
        ]
    unproven = [pair for pair in rivals if not pair.beats and pair.low <= -margin]
    if unproven:
        return "not_enough_evidence", [_too_few(min(unproven, key=lambda pair: pair.low), margin)]
    if "tuned_vs_best_prompt" not in paired:
        return "not_enough_evidence", [
            "It was not compared with a prompt: a good prompt may do better. Give the training rows (`dataset`), ask "
            "for `best_prompt` where `models` are named, and judge again."
        ]
    mean = sum(scores["tuned"]) / rows
    good = "It scores" if mean >= LOW_SCORE else "As good as others is not good yet: it scores"
    reasons = [_does_it(rival, form), f"{good} {mean:.2f} ({metric_words}) on {rows} rows."]
    if classic is not None:
        reasons.append(f"Against {FORM_WORDS['classic']} it is {classic.sentence}.")
    return "ship", [*reasons, *others(rival if rival.beats else None)]


def classifier_success(metric_words: str, rows: int, spec: JobSpec, margin: float) -> str:
    """What would count as success of a classifier, written down before its launch."""
    parts = [
        f"On the same {rows} held-out rows the {metric_words} of the classifier is higher than that of the base and of "
        f"its best prompt beyond luck, or shown to be less than {points(margin)} lower: it costs next to nothing."
    ]
    if spec.learner == "encoder":
        parts.append(f"It also gains {points(margin)} or more over {FORM_WORDS['classic']}; if not, that does this.")
    if set(spec.axes) & {"new_inputs", "bias"}:
        parts.append("It has not lost beyond luck on new inputs, where those were asked.")
    if rows < MIN_ROWS:
        parts.append(f"With fewer than {MIN_ROWS} rows no verdict will be given: hold out more.")
    return " ".join(parts)


def _does_it(rival: Paired, form: Form) -> str:
    against = _name(rival.second)
    what = FORM_WORDS[form]
    if rival.beats:
        return f"A classifier does this ({what}): it beats {against} by {points(rival.difference)}, {rival.sentence}."
    if rival.low >= 0:
        return f"A classifier does this ({what}): it is as good as {against}, and no language model has to be asked."
    return (
        f"A classifier does this ({what}): against {against} it loses at most {points(-rival.low)}, and no "
        "language model has to be asked."
    )


def _classic_does_it(pair: Paired) -> str:
    classic = FORM_WORDS["classic"]
    if pair.difference <= 0:
        return f"{classic} is as good as this encoder or better: take that. The encoder is {pair.sentence}."
    return f"{classic} does this: the encoder gains at most {points(pair.high)} over it. It is {pair.sentence}."


def _too_few(pair: Paired, margin: float) -> str:
    would_do = max(pair.n + 1, questions_for_width(pair.n, pair.difference - pair.low, margin))
    more = f" About {would_do:,} rows would do, if it holds."
    return (
        f"With {pair.n} rows it may still lose {points(-pair.low)} against {_name(pair.second)}, and "
        f"{points(margin)} are allowed: {pair.sentence}.{more}"
    )


def _name(model: str) -> str:
    words = {str(name): text for name, text in MODEL_WORDS.items()}
    return {"base": "the base", "best_prompt": "the base with its best prompt"}.get(model, words.get(model, model))
