"""What has changed since a plan was decided."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from advisor.reminders import SOON_DAYS, STALE_DAYS, Reminder, reminders
from core.plan import Plan
from cost_models.prices import OVERRIDE_SOURCE, PriceBook, PriceRow

DECIDED = date(2026, 11, 25)
BOOK = PriceBook.load(None, DECIDED)
ENGINEER = BOOK.row("engineer.hour")


def used(row: PriceRow, **changed: object) -> dict[str, object]:
    return row.brief() | changed


def plan_of(*rows: dict[str, object], on: date = DECIDED, overrides: dict[str, float] | None = None) -> Plan:
    moment = datetime.combine(on, time(), UTC)
    return Plan(
        id="plan-20261125-1a2b3c4d", prices_used=list(rows), price_overrides=overrides or {}, decided_at=moment,
        created_at=moment, updated_at=moment,
    )  # fmt: skip


def kinds(plan: Plan, today: date = DECIDED) -> list[str]:
    return [reminder.kind for reminder in reminders(plan, today=today)]


def test_a_plan_of_today_needs_no_reminder() -> None:
    assert kinds(plan_of(used(ENGINEER))) == []
    now = datetime.combine(DECIDED, time(), UTC)
    assert reminders(Plan(id="plan-20261125-1a2b3c4d", created_at=now, updated_at=now), today=DECIDED) == []


def test_a_price_that_differs_from_the_book_is_named_with_both_amounts() -> None:
    (found,) = reminders(plan_of(used(ENGINEER, amount=ENGINEER.usd / 2)), today=DECIDED)
    assert found.kind == "price_changed" and found.items == ["engineer.hour"]
    assert f"${ENGINEER.usd:,.10g}" in found.says and f"${ENGINEER.usd / 2:,.10g}" in found.says
    assert "+100%" in found.says


def test_a_figure_of_ones_own_is_left_alone() -> None:
    own = used(ENGINEER, amount=1.0, source=OVERRIDE_SOURCE)
    assert kinds(plan_of(own, overrides={"engineer.hour": 1.0})) == []
    assert kinds(plan_of(own)) == [], "it was a figure of one's own at the decision, even if it was given up since"


def test_a_row_that_the_book_no_longer_has_is_named() -> None:
    gone = used(ENGINEER, item="model.of.last.year", label="Last year's model")
    (found,) = reminders(plan_of(gone, overrides={"another.one": 2.0}), today=DECIDED)[:1]
    assert found.kind == "price_gone" and "Last year's model" in found.says
    assert kinds(plan_of(gone, overrides={"another.one": 2.0})) == ["price_gone", "price_gone"]


def dated() -> tuple[PriceRow, date]:
    """A managed host that will be shut down, and the day."""
    row = next(row for row in BOOK.rows("tune.") if row.retires and row.last_day_for_new_jobs)
    assert row.retires is not None
    return row, row.retires


def on(found: list[Reminder], kind: str) -> Reminder | None:
    return next((reminder for reminder in found if reminder.kind == kind), None)


def test_dates_of_the_host_are_told_from_ninety_days_before_and_once_they_have_passed() -> None:
    row, retires = dated()
    early = retires - timedelta(days=400)
    plan = plan_of(used(row), on=early)
    assert on(reminders(plan, today=retires - timedelta(days=SOON_DAYS + 1)), "retires") is None
    near = on(reminders(plan, today=retires - timedelta(days=SOON_DAYS)), "retires")
    assert near is not None and "is shut down" in near.says and f"({SOON_DAYS} days from now)" in near.says
    assert near.date == str(retires)
    today = on(reminders(plan, today=retires), "retires")
    assert today is not None and "(today)" in today.says
    later = on(reminders(plan, today=retires + timedelta(days=30)), "retires")
    assert later is not None and "was shut down" in later.says and "from now" not in later.says
    closing = on(reminders(plan, today=retires), "jobs_end")
    assert closing is not None and "new tuning jobs" in closing.says


def test_what_had_passed_before_the_decision_is_no_news() -> None:
    row, retires = dated()
    assert (
        on(reminders(plan_of(used(row), on=retires + timedelta(days=1)), today=retires + timedelta(days=2)), "retires")
        is None
    )


def test_prices_that_nobody_checked_for_ninety_days_are_counted_in_one_reminder() -> None:
    others = [row for row in BOOK.rows("gpu.") if row.checked == ENGINEER.checked][:6]
    plan = plan_of(*(used(row) for row in [ENGINEER, *others]))
    last_good = ENGINEER.checked + timedelta(days=STALE_DAYS)
    assert kinds(plan, last_good) == []
    (found,) = reminders(plan, today=last_good + timedelta(days=1))
    assert found.kind == "price_old" and set(found.items) == {"engineer.hour", *(row.item for row in others)}
    assert found.says.startswith(f"{len(others) + 1} of {len(others) + 1} prices") and "more" in found.says
