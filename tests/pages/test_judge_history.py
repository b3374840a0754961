"""How a task's models did over time, on the Judge page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app_pages.history_view import chart, in_sentences, table
from app_pages.judged_reports import same_rows
from core.store import open_store
from tests.pages.judgements import WORTH_IT, evaluated, opened, report_of, text

WORSE = WORTH_IT | {"tuned": [1.0] * 10 + [0.0] * 30}


def seeded() -> None:
    now = datetime.now(UTC)
    newer = report_of(WORTH_IT).model_copy(update={"created_at": now})
    older = report_of(WORSE).model_copy(update={"created_at": now - timedelta(days=9)})
    elsewhere = report_of(WORTH_IT).model_copy(update={"test_sha256": "11"})
    other_base = report_of(WORTH_IT).model_copy(update={"base_model": "another/base"})
    for name, report in (("new", newer), ("old", older), ("rows", elsewhere), ("base", other_base)):
        evaluated(report, name=name)
    evaluated(None, name="unreadable")


def test_judgements_of_the_same_rows_and_base_stand_in_order_the_newest_last() -> None:
    seeded()
    found = same_rows(open_store().jobs(), report_of(WORTH_IT))
    assert [each.record.name for each in found] == ["old", "new"]
    rows = table(found, now=found[1].report)
    assert [row["Verdict"] for row in rows] == ["Not worth it", "Worth it"]
    assert rows[1]["Judgement"] == "new (this one)" and rows[0]["General knowledge"] == "Not measured"
    assert rows[0]["The task"].startswith("25") and rows[1]["The task"].startswith("90")


def test_the_chart_has_a_shape_a_verdict_and_says_the_same_in_words() -> None:
    seeded()
    found = same_rows(open_store().jobs(), report_of(WORTH_IT))
    traces = chart(found).data
    assert [(trace.name, list(trace.y)) for trace in traces] == [("Not worth it", [25.0]), ("Worth it", [90.0])]
    assert len({trace.marker.symbol for trace in traces}) == 2
    assert in_sentences(found).endswith("worth it.") and "not worth it" in in_sentences(found)


def test_the_page_shows_drift_once_there_are_two() -> None:
    first = evaluated(report_of(WORTH_IT), name="first")
    assert "Judge again, and drift shows here." in text(opened(job=first.id))
    evaluated(report_of(WORSE), name="second")
    app = opened(job=first.id)
    assert not app.exception
    history = next(frame.value for frame in app.dataframe if "Verdict" in frame.value)
    assert history["Judgement"].to_list() == ["first (this one)", "second"]
