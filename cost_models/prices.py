"""The price book: every dollar we count with, as a dated row with its source.

Rows live in `prices/*.toml`. A price that changes gets a new row; the old one stays, so that an old plan can still be
explained. The row in effect on a day is the youngest one that is not younger than that day.
"""

from __future__ import annotations

import math
import re
import tomllib
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_serializer, field_validator

from core.errors import BadInput, NotFound, Problem, ProblemsFound, problems_of

PRICES_FOLDER = Path(__file__).parent / "prices"
OVERRIDE_SOURCE = "Your own figure for this plan"
MAX_OVERRIDE = 1e12
_HEADER = re.compile(r"^\s*\[\[price\]\]")

Unit = Literal[
    "USD per 1M tokens",
    "USD per GPU-hour",
    "USD per hour",
    "USD per month",
    "USD per label",
    "USD per GB-day",
    "USD per GB-month",
    "USD per 1,000 calls",
    "USD per 1M units",
    "USD per 1M vector dimensions and month",
    "USD once",
    "GPU-hours",
]


class PriceRow(BaseModel):
    """One price: what, how much, since when, read when, and where it stands."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    item: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    """The name that code and overrides use, such as `gpu.l40s.aws`."""
    amount: Decimal = Field(ge=0)
    """How much, in `unit`. Text in the file, so that no digit is lost."""
    label: str = Field(min_length=1)
    """The name for people."""
    unit: Unit
    valid_from: date
    """First day on which the price was seen to hold."""
    checked: date
    """The day on which we last read it."""
    source: str = Field(min_length=1)
    """Page, package or judgement that it rests on."""
    url: str = ""
    note: str = ""
    provider: str = ""
    gpu: str = ""
    memory_gb: int = 0
    """Memory of one card, in the maker's gigabytes."""
    gpus: int = Field(default=1, ge=1)
    """Cards that must be rented together."""
    methods: str = ""
    """Training methods that the price is for."""
    last_day_for_new_jobs: date | None = None
    """Last day on which the host takes a new tuning job."""
    retires: date | None = None
    """The day on which the host shuts base and tuned models down."""
    own: bool = False
    """True for a figure set for this plan only."""

    @field_validator("amount", mode="before")
    @classmethod
    def _amount_is_text(cls, value: object) -> object:
        if not isinstance(value, str | Decimal):
            raise ValueError('must stand in quotes, such as "0.40"')
        return value

    @field_serializer("amount")
    def _amount_as_number(self, value: Decimal) -> float:
        return float(value)

    @property
    def usd(self) -> float:
        """The amount as a plain number."""
        return float(self.amount)

    def brief(self) -> dict[str, object]:
        """The row as the command line prints it."""
        return self.model_dump(
            mode="json", include={"item", "label", "amount", "unit", "valid_from", "checked", "source", "note"}
        )


class PriceBook:
    """The prices in effect on one day, with this plan's own figures laid over them."""

    def __init__(self, rows: dict[str, PriceRow], today: date) -> None:
        self._rows = rows
        self.today = today

    @classmethod
    def load(cls, overrides: dict[str, float] | None = None, today: date | None = None) -> PriceBook:
        """The book for a day (the calendar's when none is given).

        Raises `ProblemsFound` for a row without source, date or amount, with file and line, and for overrides that are
        negative, no number or of an unknown item, all at once.
        """
        day = today or date.today()
        rows = rows_in_effect(read_rows(PRICES_FOLDER), day)
        return cls(_with_overrides(rows, overrides or {}, day), day)

    def row(self, item: str) -> PriceRow:
        """The row of an item. Raises `NotFound`."""
        try:
            return self._rows[item]
        except KeyError:
            raise NotFound(f"no price for `{item}`.", "`tuneworthy prices` lists the items.") from None

    def usd(self, item: str) -> float:
        """The amount of an item in its unit. Raises `NotFound`."""
        return self.row(item).usd

    def rows(self, starts_with: str = "") -> list[PriceRow]:
        """All rows in effect, by item."""
        return [self._rows[item] for item in sorted(self._rows) if item.startswith(starts_with)]

    def stale(self, days: int = 90, today: date | None = None) -> list[PriceRow]:
        """Rows last read more than `days` days before `today`, oldest first. Own figures are not among them."""
        day = today or self.today
        old = [row for row in self._rows.values() if not row.own and (day - row.checked).days > days]
        return sorted(old, key=lambda row: (row.checked, row.item))


@lru_cache(maxsize=4)
def read_rows(folder: Path) -> tuple[PriceRow, ...]:
    """Every row of every TOML file in the folder. Raises `ProblemsFound` (file and line, all at once)."""
    rows: list[PriceRow] = []
    problems: list[Problem] = []
    seen: dict[tuple[str, date], str] = {}
    for path in sorted(folder.glob("*.toml")):
        for where, table in _tables(path, problems):
            try:
                row = PriceRow.model_validate(table)
            except ValidationError as error:
                problems += problems_of(error, where)
                continue
            first = seen.setdefault((row.item, row.valid_from), where)
            if first != where:
                problems.append(
                    Problem(
                        what=f"`{row.item}` has two rows valid from {row.valid_from} (the other is at {first}).",
                        where=where,
                        hint="Remove one of them.",
                    )
                )
            rows.append(row)
    if problems:
        raise ProblemsFound(problems)
    return tuple(rows)


def rows_in_effect(rows: tuple[PriceRow, ...], today: date) -> dict[str, PriceRow]:
    """By item, the youngest row valid on `today`; before the first one, the first (a price is better than none)."""
    found: dict[str, PriceRow] = {}
    for row in sorted(rows, key=lambda row: row.valid_from):
        if row.item not in found or row.valid_from <= today:
            found[row.item] = row
    return found


def _tables(path: Path, problems: list[Problem]) -> list[tuple[str, dict[str, object]]]:
    """The `[[price]]` tables of a file, each with `file:line` of its header."""
    text = path.read_text(encoding="utf-8")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problems.append(Problem(what=f"is not TOML: {error}.", where=str(path), hint="Mend that line."))
        return []
    tables = document.pop("price", [])
    if document or not isinstance(tables, list):
        names = ", ".join(document) or "price"
        problems.append(Problem(what=f"holds `{names}`.", where=str(path), hint="Write [[price]] tables only."))
        return []
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if _HEADER.match(line)]
    return [(f"{path}:{line}", table) for line, table in zip(lines, tables, strict=False)]


def _with_overrides(rows: dict[str, PriceRow], overrides: dict[str, float], today: date) -> dict[str, PriceRow]:
    problems: list[Problem] = []
    changed = dict(rows)
    for item, value in overrides.items():
        where = f"prices.{item}"
        if item not in rows:
            hint = "`tuneworthy prices` lists the items."
            problems.append(Problem(what=f"`{item}` is not a known price.", where=where, hint=hint))
            continue
        amount = _decimal(value)
        if amount is None:
            hint = "Give a number of 0 or more."
            problems.append(Problem(what=f"`{item}` must be a number (got {value!r:.40}).", where=where, hint=hint))
        elif amount < 0 or amount > MAX_OVERRIDE:
            hint = "Give a number of 0 or more, in the row's unit."
            problems.append(Problem(what=f"`{item}` is out of range (got {value!r:.40}).", where=where, hint=hint))
        else:
            own = {"amount": amount, "source": OVERRIDE_SOURCE, "valid_from": today, "checked": today, "own": True}
            changed[item] = rows[item].model_copy(update=own)
    if problems:
        raise ProblemsFound(problems)
    return changed


def _decimal(value: object) -> Decimal | None:
    """A finite number as Decimal; None for text, booleans, nan and infinity."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    if not math.isfinite(value):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def require_file(path: Path) -> dict[str, object]:
    """A TOML file of facts of ours as a mapping. Raises `BadInput` with the file where it is broken."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"is not TOML: {error}.", "Mend that line.", file=str(path)) from error
