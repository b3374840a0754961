"""What a check found, and the report that holds all of it. The shape that `tuneworthy check --json` prints."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

Severity = Literal["error", "warning", "note"]
MAX_ROWS_LISTED = 50
_ORDER = {"error": 0, "warning": 1, "note": 2}


class Finding(BaseModel):
    """One thing about the data that a person should know, where it is, and what to do about it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    check: str
    """Id of the check, from the contract."""
    severity: Severity
    count: int
    rows: list[int] = []
    """1-based line numbers in the original, at most 50."""
    message: str
    fix: str


class TokenCounts(BaseModel):
    """Tokens per row, as the model will see it (template included)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    total: int = 0
    p50: int = 0
    p95: int = 0
    max: int = 0
    tokenizer: str
    """Whose tokenizer counted, or how it was estimated."""


class Report(BaseModel):
    """The whole truth about one data set."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    format: str
    rows: int
    tokens: TokenCounts
    findings: list[Finding]
    encoding: str = ""
    columns: list[str] = []
    labels: dict[str, int] = {}
    """Rows per label where the answers look like labels, most frequent first; else empty."""
    sha256: str = ""
    checked: date | None = None

    @property
    def has_errors(self) -> bool:
        """True when something must be mended before a launch."""
        return any(finding.severity == "error" for finding in self.findings)


def finding(
    check: str, severity: Severity, lines: Iterable[int], message: str, fix: str, *, count: int | None = None
) -> Finding:
    """A finding over `lines`; `count` where it counts something else than lines."""
    found = sorted(lines)
    return Finding(
        check=check,
        severity=severity,
        count=len(found) if count is None else count,
        rows=found[:MAX_ROWS_LISTED],
        message=message,
        fix=fix,
    )


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """Errors first; within a severity in the order found."""
    return sorted(findings, key=lambda found: _ORDER[found.severity])


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 row`, `1,200 rows`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
