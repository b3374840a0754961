from __future__ import annotations

from datetime import UTC, datetime

from app_pages.job_charts import loss_chart, loss_in_words
from core.job import Event


def _validated(number: int, values: dict[str, float]) -> Event:
    return Event(seq=number, at=datetime(2026, 1, 1, tzinfo=UTC), kind="validation", step=number, values=values)


def test_of_preference_tuning_the_chart_shows_how_many_pairs_are_told_apart() -> None:
    plain = [_validated(step, {"validation_loss": 0.7 / step}) for step in (1, 2)]
    pairs = [_validated(e.step, e.values | {"validation_pair_accuracy": 0.5 * e.step}) for e in plain]
    without, with_pairs = loss_chart(plain), loss_chart(pairs)
    assert without is not None and with_pairs is not None
    assert [len(without.data), len(with_pairs.data)] == [2, 3]
    assert list(with_pairs.data[2].y) == [0.5, 1.0] and with_pairs.data[2].yaxis == "y2"
    assert "Pair accuracy from 0.500 at step 1 to 1.000 at step 2" in loss_in_words(pairs)
