"""A classifier need not beat the prompted model: to be shown as good is enough."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from core.jobspec import JobSpec
from evaluation.classifier_verdict import decide_classifier
from evaluation.plan import plan_evaluation
from evaluation.stats import compare
from serving.classifier import Form


def decide(form: Form = "classic", margin: float = 0.05, **scores: Sequence[float]) -> tuple[Any, list[str]]:
    paired = {
        f"tuned_vs_{name}": compare("tuned", scores["tuned"], name, values, 7)
        for name, values in scores.items()
        if name != "tuned"
    }
    return decide_classifier(scores, paired, form, metric_words="exact match", margin=margin)


def share(right: int, n: int = 200) -> list[float]:
    return [1.0] * right + [0.0] * (n - right)


def test_a_classifier_that_beats_base_and_prompt_ships() -> None:
    verdict, reasons = decide(tuned=share(180), base=share(20), best_prompt=share(120))
    assert verdict == "ship" and "it beats the base with its best prompt by 30 points" in reasons[0]
    assert "0.90 (exact match) on 200 rows" in reasons[1]


def test_one_that_is_shown_to_lose_next_to_nothing_ships() -> None:
    verdict, reasons = decide(tuned=share(196), base=share(100), best_prompt=share(197))
    assert verdict == "ship" and "loses at most" in reasons[0] and "no language model" in reasons[0]


def test_one_that_is_worse_beyond_luck_does_not_ship() -> None:
    verdict, reasons = decide(tuned=share(150), base=share(20), best_prompt=share(190))
    assert verdict == "do_not_ship" and "worse than the base with its best prompt by 20 points" in reasons[0]


def test_where_the_loss_may_be_large_nothing_is_decided() -> None:
    verdict, reasons = decide(tuned=[1.0, 0.0] * 20, base=share(0, 40), best_prompt=[0.0, 1.0] * 20)
    assert verdict == "not_enough_evidence" and "it may still lose" in reasons[0]


def test_an_encoder_that_gains_nothing_over_the_classic_form_gives_way_to_it() -> None:
    verdict, reasons = decide("encoder", tuned=share(180), base=share(20), best_prompt=share(90), classic=share(182))
    assert verdict == "do_not_ship" and reasons[0].startswith("TF-IDF + logistic regression is as good")
    verdict, reasons = decide("encoder", tuned=share(180), base=share(20), best_prompt=share(90), classic=share(179))
    assert verdict == "do_not_ship" and "the encoder gains at most" in reasons[0]


def test_an_encoder_that_beats_all_ships() -> None:
    verdict, reasons = decide("encoder", tuned=share(190), base=share(20), best_prompt=share(90), classic=share(150))
    assert verdict == "ship" and "a fine-tuned encoder" in reasons[0]


def test_without_a_rival_or_a_prompt_or_rows_there_is_no_verdict() -> None:
    assert "Neither the base" in decide(tuned=share(190))[1][0]
    assert "was not compared with a prompt" in decide(tuned=share(190), base=share(20))[1][0]
    assert "only 10 rows" in decide(tuned=share(10, 10), base=share(0, 10))[1][0]
    assert all(
        decide(**scores)[0] == "not_enough_evidence"
        for scores in ({"tuned": share(190)}, {"tuned": share(190), "base": share(20)})
    )


def test_what_would_count_as_success_is_written_down_for_a_classifier_too() -> None:
    answers = ["yes", "no"] * 30
    now = datetime(2026, 11, 25, tzinfo=UTC)
    classic = plan_evaluation(answers, answers, JobSpec(learner="classic"), now=now)
    assert classic.models == ["base", "best_prompt", "tuned"]
    assert "shown to be less than 5 points lower" in classic.success and "TF-IDF" not in classic.success
    encoder = plan_evaluation(answers, answers, JobSpec(learner="encoder", encoder="a/b"), now=now)
    assert encoder.models == ["base", "best_prompt", "tuned", "classic"]
    assert "gains 5 points or more over TF-IDF + logistic regression" in encoder.success


def test_one_that_is_never_right_does_not_ship_beside_others_that_are_not_either() -> None:
    verdict, reasons = decide(tuned=share(0), base=share(0), best_prompt=share(0))
    assert verdict == "do_not_ship" and "right on none of 200 rows" in reasons[0]
    verdict, reasons = decide(tuned=share(60), base=share(20), best_prompt=share(30))
    assert verdict == "ship" and reasons[1].startswith("As good as others is not good yet: it scores 0.30")
