"""Managed tuning and the calendar: which host still takes jobs, and when its models are shut down."""

from __future__ import annotations

from datetime import date

from cost_models.prices import PriceBook, PriceRow
from cost_models.report import Event

DAYS_PER_MONTH = 365.25 / 12


def training_row(book: PriceBook, host: str) -> PriceRow:
    """The row that carries a host's dates. Raises `NotFound`."""
    return book.row(f"{host}.training")


def takes_jobs(row: PriceRow, today: date) -> bool:
    """True while new tuning jobs can be started and the tuned model would live at all."""
    last = row.last_day_for_new_jobs
    return (last is None or today <= last) and (row.retires is None or today < row.retires)


def choose_host(book: PriceBook, candidates: list[str], today: date) -> str:
    """The first candidate that is open today; the first of all when none is (its prices are then a guess)."""
    return next((host for host in candidates if takes_jobs(training_row(book, host), today)), candidates[0])


def retirement_month(book: PriceBook, host: str, today: date) -> float | None:
    """Months from today until the host's models are shut down; None when no date lies ahead."""
    retires = training_row(book, host).retires
    return months_until(retires, today) if retires and retires > today else None


def months_until(day: date, today: date) -> float:
    """Months from today to a day, negative when it is past."""
    return (day - today).days / DAYS_PER_MONTH


def host_events(book: PriceBook, today: date, months: int) -> list[Event]:
    """Closings and retirements of hosts of managed tuning within the horizon, one for each date."""
    found: dict[tuple[str, date, str], list[PriceRow]] = {}
    for row in book.rows("tune."):
        for day, what in ((row.last_day_for_new_jobs, "closes"), (row.retires, "retires")):
            # A model that shuts down on the day its training ends is one event, not two.
            if day and today <= day and not (what == "closes" and day == row.retires):
                found.setdefault((row.provider, day, what), []).append(row)
    events = []
    for (provider, day, what), rows in found.items():
        month = months_until(day, today)
        if month > months:
            continue
        models = ", ".join(sorted({row.label.split(" tuned at ")[0] for row in rows}))
        text = f"{provider} takes no new tuning jobs after this day ({models})."
        if what == "retires":
            text = f"{provider} shuts down {models} and every model tuned from them."
        source = rows[0].source
        events.append(Event(month=round(month, 1), approach="ft_managed", what=text, date=str(day), source=source))
    return events
