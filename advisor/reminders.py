"""What has changed since a plan was decided: prices, and dates of the host that managed tuning was counted with."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel

from advisor.memo_words import day, listed, price
from core.errors import NotFound
from core.plan import Plan
from cost_models.prices import OVERRIDE_SOURCE, PriceBook, PriceRow

SOON_DAYS = 90
STALE_DAYS = 90
TRAINING = ".training"
"""End of the item that carries a managed host's dates."""


class Reminder(BaseModel):
    """One thing to look at again."""

    kind: Literal["price_changed", "price_gone", "price_old", "jobs_end", "retires"]
    says: str
    items: list[str]
    """Items of the price book that it is about."""
    date: str = ""
    """The day that it is about, for dates."""


def reminders(plan: Plan, *, today: date) -> list[Reminder]:
    """What to look at again before one acts on a plan, the most pressing kind first. Empty before a decision.

    The plan's own figures are its own business: they are left alone while the price book knows the item.
    """
    book = PriceBook.load(None, today)
    found: list[Reminder] = []
    rows: dict[str, PriceRow] = {}
    for used in plan.prices_used:
        item = str(used.get("item", ""))
        row = _row(book, item)
        if row is None:
            found.append(_gone(item, used))
            continue
        rows[item] = row
        if not _own(plan, item, used) and _differs(used.get("amount"), row):
            found.append(_changed(used, row))
    named = {str(used.get("item", "")) for used in plan.prices_used}
    found += [_gone(item, {}) for item in plan.price_overrides if item not in named and _row(book, item) is None]
    decided = plan.decided_at.date() if plan.decided_at else None
    if decided is not None:
        for item, row in rows.items():
            if item.startswith("tune.") and item.endswith(TRAINING):
                found = [*_dates(row, decided, today), *found]
    checked = {item: row for item, row in rows.items() if item not in plan.price_overrides}
    return found + _old(checked, today)


def _row(book: PriceBook, item: str) -> PriceRow | None:
    try:
        return book.row(item)
    except NotFound:
        return None


def _own(plan: Plan, item: str, used: dict[str, object]) -> bool:
    return item in plan.price_overrides or used.get("source") == OVERRIDE_SOURCE


def _differs(amount: object, row: PriceRow) -> bool:
    return isinstance(amount, int | float) and float(amount) != row.usd


def _changed(used: dict[str, object], row: PriceRow) -> Reminder:
    before = float(str(used["amount"]))
    moved = f", {(row.usd - before) / before:+.0%}" if before else ""
    return Reminder(
        kind="price_changed",
        items=[row.item],
        says=f"{row.label}: {price(row.usd, row.unit)} now, {price(before, row.unit)} in this plan{moved}.",
    )


def _gone(item: str, used: dict[str, object]) -> Reminder:
    label = str(used.get("label") or item)
    return Reminder(kind="price_gone", items=[item], says=f"{label}: the price book has no such row any more.")


def _dates(row: PriceRow, decided: date, today: date) -> list[Reminder]:
    """The host's last day for new jobs and its retirement, when near or passed since the decision."""
    host = row.label.partition(":")[0]
    found = []
    for kind, when, ahead, behind in (
        ("jobs_end", row.last_day_for_new_jobs, "takes new tuning jobs until", "has taken no new tuning jobs since"),
        ("retires", row.retires, "is shut down, with every tune of it, on", "was shut down, with every tune of it, on"),
    ):
        if when is None or when < decided or (when - today).days > SOON_DAYS:
            continue
        left = (when - today).days
        away = f" ({left} day{'s' if left != 1 else ''} from now)" if left > 0 else " (today)" if left == 0 else ""
        says = f"{host} {behind if left < 0 else ahead} {day(when)}{away}."
        found.append(Reminder.model_validate({"kind": kind, "items": [row.item], "says": says, "date": str(when)}))
    return found


def _old(rows: dict[str, PriceRow], today: date) -> list[Reminder]:
    """One reminder for all rows that nobody has looked at for long."""
    old = sorted(
        (row for row in rows.values() if (today - row.checked).days > STALE_DAYS),
        key=lambda row: (row.checked, row.item),
    )
    if not old:
        return []
    says = (
        f"{len(old)} of {len(rows)} prices were last checked more than {STALE_DAYS} days ago, the oldest on "
        f"{day(old[0].checked)}: {listed([row.label for row in old])}."
    )
    return [Reminder(kind="price_old", items=[row.item for row in old], says=says, date=str(old[0].checked))]
