"""Before a tune: is there anything left for it to gain? A tune that is right on every row is judged by the same rules.

What even that one could not win, no real one can: then a person may stop before the training is paid for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.jobspec import Learner
from evaluation.classifier_verdict import decide_classifier
from evaluation.report import EvaluationReport
from evaluation.verdict import DEFAULT_MARGIN, MIN_ROWS, Judgement, judge
from serving.classifier import FORM_WORDS, Form

SUBJECTS = {"base": "The base alone", "best_prompt": "The best prompt", "classic": "A classifier"}


def nothing_to_gain(report: EvaluationReport, margin: float = DEFAULT_MARGIN, learner: Learner = "llm") -> str:
    """Why a tune cannot pay, or should not come first, on the rows of a baseline; empty where one can still win.

    `margin` is the least gain that would be worth it, as in the verdict. `learner` is what the training makes: a small
    classifier has rules of its own. Reads on as a sentence: no stop at its end.
    """
    rows = [answer for answer in report.answers if not answer.in_training]
    scores = {name: [row.scores[name] for row in rows] for name in report.models if name in SUBJECTS}
    if "tuned" in report.models or not scores or not rows:
        return ""
    if len(rows) < MIN_ROWS:
        return f"Only {len(rows)} held-out row{'s' if len(rows) != 1 else ''}, too few for any verdict"
    perfect = judge(
        scores | {"tuned": [1.0] * len(rows)}, metric_words=report.metric_words, margin=margin, seed=report.seed
    )
    if learner != "llm":
        return _classic_does_it(report, scores, perfect, margin, learner)
    return _no_tune_pays(report, scores, perfect)


def _no_tune_pays(report: EvaluationReport, scores: Mapping[str, Sequence[float]], perfect: Judgement) -> str:
    """The same for a language model, from the verdict on one that is right on every row."""
    rows = len(next(iter(scores.values())))
    means = {name: sum(values) / rows for name, values in scores.items()}
    # Of two that are equally good the classifier is the cheaper one.
    best = max(means, key=lambda name: (means[name], name == "classic"))
    gets = f"{SUBJECTS[best]} already gets {_percent(means[best])} by {report.metric_words}"
    if perfect.verdict == "do_not_ship":
        return gets
    if perfect.verdict == "not_enough_evidence" and "best_prompt" in scores:
        return f"{gets}, and on {rows} rows no tune can be shown to be better"
    rival = perfect.paired.get("classic_vs_best_prompt")
    if rival is not None and rival.difference >= 0:
        prompt = _percent(means["best_prompt"])
        return f"A classifier gets {_percent(means['classic'])}, the best prompt {prompt} by {report.metric_words}"
    return ""


def _classic_does_it(
    report: EvaluationReport, scores: Mapping[str, Sequence[float]], perfect: Judgement, margin: float, form: Form
) -> str:
    """The same for a small classifier: it need not beat the prompt, and an encoder has to gain over the classic form.

    The classic form is the row `classic` itself, and never loses to that.
    """
    pairs = {key: pair for key, pair in perfect.paired.items() if form != "classic" or "classic" not in key}
    ideal = {**scores, "tuned": [1.0] * len(next(iter(scores.values())))}
    verdict, _ = decide_classifier(ideal, pairs, form, metric_words=report.metric_words, margin=margin)
    if verdict != "do_not_ship":
        return ""
    mean = sum(scores["classic"]) / len(scores["classic"])
    return f"{FORM_WORDS['classic']} already gets {_percent(mean)} by {report.metric_words}"


def _percent(share: float) -> str:
    """`97 %`; what is not all is never said to be."""
    return "over 99 %" if 0.995 <= share < 1 else f"{share * 100:.0f} %"
