from __future__ import annotations

import pytest

from evaluation.kept import Kept, kept, points


def judged(n: int, base_right: int, lost: int, gained: int, **options: float) -> Kept:
    """`n` questions; the tuned model loses `lost` of those the base had right and gains `gained` of the others."""
    base = [1.0] * base_right + [0.0] * (n - base_right)
    tuned = list(base)
    tuned[:lost] = [0.0] * lost
    tuned[n - gained :] = [1.0] * gained if gained else []
    return kept("knowledge", base, tuned, [str(place) for place in range(n)], **options)  # type: ignore[arg-type]


def test_a_thousand_questions_with_as_many_lost_as_gained_are_kept() -> None:
    found = judged(1000, 700, 30, 28)
    assert found.state == "kept"
    assert found.loss == pytest.approx(0.002) and found.high < 0.05
    assert found.sentence.startswith("General knowledge: kept. Better on 28 of 1000, worse on 30;")


def test_a_tenth_lost_is_lost() -> None:
    found = judged(1000, 700, 120, 20)
    assert (found.state, found.better, found.worse) == ("lost", 20, 120)
    assert found.low > 0 and found.p_value < 1e-6
    assert "lost 10 points" in found.sentence and "5 points were allowed" in found.sentence


def test_forty_questions_tell_nothing_and_it_says_how_many_would() -> None:
    found = judged(40, 28, 2, 1)
    assert found.state == "cannot_tell"
    assert found.questions_needed == pytest.approx(185, rel=0.35), "6.18 x 3 / 40 / 0.05^2, from a bootstrap of 40"
    assert f"About {found.questions_needed} questions would do." in found.sentence


def test_questions_of_few_families_need_more_of_them() -> None:
    base, tuned = [1.0, 0.0] * 100, [0.0] * 10 + [1.0, 0.0] * 90 + [1.0] * 10
    alone = kept("knowledge", base, tuned, [str(place) for place in range(200)], margin=0.02)
    families = kept("knowledge", base, tuned, [str(place // 20) for place in range(200)], margin=0.02)
    assert alone.questions_needed and families.questions_needed
    assert families.questions_needed > 2 * alone.questions_needed


def test_what_was_surely_gained_is_said() -> None:
    assert judged(400, 200, 0, 150).sentence == (
        "General knowledge: kept. Better on 150 of 400, worse on 0; it has gained at least 33.5 points."
    )


def test_a_sure_loss_that_is_surely_small_is_within_the_margin() -> None:
    found = judged(5000, 3500, 60, 10)
    assert found.low > 0, "surely a loss"
    assert found.state == "kept", "and surely below five points"


def test_a_stricter_margin_asks_for_more() -> None:
    assert judged(400, 280, 4, 3).state == "kept"
    assert judged(400, 280, 4, 3, margin=0.01).state == "cannot_tell"


def test_a_base_at_chance_cannot_be_robbed() -> None:
    found = judged(1000, 260, 200, 0)
    assert (found.state, found.at_floor, found.questions_needed) == ("cannot_tell", True, None)
    assert "cannot tell with this base, which itself scores only 26% here" in found.sentence


def test_nothing_asked_is_not_measured() -> None:
    found = kept("safety", [], [], [])
    assert found.state == "cannot_tell" and found.sentence == "Refusal of unsafe requests: not measured."


def test_a_bound_that_rounds_to_nothing_is_not_called_nothing() -> None:
    found = judged(1500, 1000, 18, 29)
    assert found.state == "kept" and abs(found.high) < 0.0005
    assert found.sentence.endswith("worse on 18; the loss is at most half a point, below 5 points.")
    fine = judged(1500, 1000, 18, 29, margin=0.004)
    assert fine.state == "kept" and fine.sentence.endswith("the loss is at most 0.010 points, below 0.4.")
    assert "at most 0.6 points" in judged(1500, 1000, 23, 26).sentence, "rounded up, never down"


def test_a_bound_below_the_margin_is_not_rounded_up_to_it() -> None:
    found = judged(1000, 700, 30, 28)
    close = judged(1000, 700, 30, 28, margin=found.high + 1e-5)
    assert close.state == "kept"
    shown, below = close.sentence.split("the loss is at most ")[1].rstrip(".").split(" points, below ")
    assert float(shown) < float(below)


def test_points_are_said_as_people_do() -> None:
    assert [points(0.05), points(0.01), points(0.034), points(-0.1)] == [
        "5 points",
        "1 point",
        "3.4 points",
        "-10 points",
    ]
