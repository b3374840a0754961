from __future__ import annotations

import pytest

from evaluation.verdict import judge


def marks(right: int, wrong: int) -> list[float]:
    return [1.0] * right + [0.0] * wrong


def verdict_of(**scores: list[float]) -> tuple[str, str]:
    found = judge(scores, metric_words="exact match")
    return found.verdict, found.reasons[0]


def test_a_tune_that_beats_the_prompt_beyond_noise_ships() -> None:
    verdict, reason = verdict_of(base=marks(0, 100), best_prompt=marks(40, 60), tuned=marks(80, 20))
    assert verdict == "ship"
    assert reason == (
        "The tuned model beats the base with its best prompt by 40 points: "
        "better on 40 of 100 rows, worse on 0; luck would do this less than 1 time in 1,000,000."
    )


def test_beating_the_bare_base_is_not_enough_when_the_prompt_does_it() -> None:
    verdict, reason = verdict_of(base=marks(0, 100), best_prompt=marks(80, 20), tuned=marks(80, 20))
    assert verdict == "do_not_ship"
    assert reason.startswith("The prompt does this")


def test_an_inert_adapter_does_not_ship() -> None:
    verdict, reason = verdict_of(base=marks(30, 70), best_prompt=marks(25, 75), tuned=marks(30, 70))
    assert verdict == "do_not_ship"
    assert reason.startswith("Nothing was gained: the base is as good")


def test_a_harmful_adapter_does_not_ship() -> None:
    verdict, reason = verdict_of(base=marks(60, 40), best_prompt=marks(60, 40), tuned=marks(20, 80))
    assert verdict == "do_not_ship"
    assert "worse than the base" in reason and "by 40 points" in reason


@pytest.mark.parametrize("classic", [marks(97, 3), marks(90, 10), marks(85, 15)])
def test_where_a_classifier_does_it_no_model_is_tuned(classic: list[float]) -> None:
    verdict, reason = verdict_of(base=marks(0, 100), best_prompt=marks(40, 60), tuned=marks(90, 10), classic=classic)
    if sum(classic) == 85:
        # Five rows better and none worse, 1 time in 16: no proof either way.
        assert verdict == "not_enough_evidence"
        assert reason.startswith("With 100 rows we cannot tell the tuned model from TF-IDF")
        return
    assert verdict == "do_not_ship"
    assert reason.startswith("Do not tune an LLM for this: a classifier does it")


def test_a_tune_that_beats_the_classifier_too_ships() -> None:
    verdict, _ = verdict_of(base=marks(0, 100), best_prompt=marks(40, 60), tuned=marks(95, 5), classic=marks(60, 40))
    assert verdict == "ship"


def test_too_few_rows_give_no_verdict_and_say_how_many_would_do() -> None:
    verdict, reason = verdict_of(base=marks(0, 12), best_prompt=marks(0, 12), tuned=marks(12, 0))
    assert verdict == "not_enough_evidence"
    assert "only 12 rows" in reason and "at least 20" in reason
    verdict, reason = verdict_of(base=marks(0, 40), best_prompt=marks(16, 24), tuned=marks(20, 20))
    assert verdict == "not_enough_evidence"
    assert "With 40 rows we cannot tell" in reason and "rows would show it" in reason


def test_a_gain_too_small_to_matter_does_not_ship() -> None:
    # 3 of 1,000 rows better, 1 worse: whatever the truth, it is less than five points.
    verdict, reason = verdict_of(
        base=marks(700, 300), best_prompt=marks(1, 0) + marks(699, 300), tuned=marks(0, 1) + marks(702, 297)
    )
    assert verdict == "do_not_ship"
    assert "gains at most" in reason and "less than the 5 points" in reason


def test_a_better_model_that_is_still_poor_ships_with_a_caution() -> None:
    found = judge(
        {"base": marks(0, 100), "best_prompt": marks(2, 98), "tuned": marks(0, 1) + marks(30, 69)},
        metric_words="exact match",
    )
    assert found.verdict == "ship"
    assert any("Better is not good yet: the tuned model scores 0.30" in reason for reason in found.reasons)
    assert any("worse on 1 row:" in reason for reason in found.reasons)


def test_a_measurement_without_a_tuned_model_says_what_it_found() -> None:
    verdict, reason = verdict_of(base=marks(10, 30), best_prompt=marks(20, 20))
    assert verdict == "not_enough_evidence"
    assert reason == (
        "No tuned model was judged. On these rows (exact match): the base 0.25, the base with its best prompt 0.50."
    )


def test_a_measurement_of_a_label_task_names_the_classifier_before_any_tune() -> None:
    found = judge(
        {"base": marks(0, 40), "best_prompt": marks(20, 20), "classic": marks(38, 2)}, metric_words="exact match"
    )
    assert found.verdict == "not_enough_evidence"
    assert found.reasons[1].startswith("A classifier comes before any tune here: against the best prompt it is better")
    poor = judge(
        {"base": marks(0, 40), "best_prompt": marks(30, 10), "classic": marks(8, 32)}, metric_words="exact match"
    )
    assert len(poor.reasons) == 1


def test_a_margin_of_the_spec_decides_what_is_worth_it() -> None:
    scores = {"base": marks(50, 150), "best_prompt": marks(100, 100), "tuned": marks(102, 98)}
    strict = judge(scores, metric_words="exact match", margin=0.2)
    assert strict.verdict == "do_not_ship" and "20 points that would be worth it" in strict.reasons[0]
    assert judge(scores, metric_words="exact match", margin=0.01).verdict == "not_enough_evidence"


def test_no_rows_at_all_are_survived() -> None:
    verdict, reason = verdict_of(base=[], best_prompt=[], tuned=[])
    assert verdict == "not_enough_evidence"
    assert "only 0 rows" in reason


def test_where_nobody_is_right_on_any_row_the_prompt_does_nothing() -> None:
    verdict, reason = verdict_of(base=marks(0, 30), best_prompt=marks(0, 30), tuned=marks(0, 30))
    assert verdict == "do_not_ship"
    assert reason == (
        "Nothing was gained: neither the tuned model nor the base with its best prompt is right on any of 30 rows."
    )
    nobody = verdict_of(base=marks(0, 30), best_prompt=marks(0, 30), tuned=marks(0, 30), classic=marks(0, 30))
    assert nobody == (verdict, reason)
    assert verdict_of(base=[1.0], tuned=[1.0])[1].startswith("There is only 1 row to judge on: at least 20")
