"""The table of a sweep as text: the same cells for the command line, the page, and a file."""

from __future__ import annotations

import csv
import io

from evaluation.swept import SettingRow, Swept

HEAD = ["rank", "learning rate", "validation loss", "training", "peak memory", "state"]


def table(found: Swept) -> list[list[str]]:
    """A row a setting, the lowest validation loss first."""
    return [_cells(row) for row in found.settings]


def as_csv(found: Swept) -> str:
    """The measured numbers as a CSV file: bare values, empty where there is none."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    fields = list(SettingRow.model_fields)
    writer.writerow(fields)
    for row in found.settings:
        own = row.model_dump(mode="json")
        writer.writerow(["" if own[name] is None else own[name] for name in fields])
    return out.getvalue()


def _cells(row: SettingRow) -> list[str]:
    said = "best" if row.best else "as good as the best" if row.alike else row.state
    return [
        "" if row.rank is None else str(row.rank),
        f"{row.learning_rate:g}",
        "" if row.validation_loss is None else f"{row.validation_loss:.3f}",
        "" if row.seconds is None else f"{row.seconds:,.0f} s",
        "" if row.memory_gib is None else f"{row.memory_gib:.1f} GiB",
        f"{said}: {row.reason}" if row.reason else said,
    ]
