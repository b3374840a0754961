"""The report of the checks, to download: for people and for programs."""

from __future__ import annotations

from datetime import date
from functools import partial
from pathlib import Path

import streamlit as st

from app_pages import data_rows
from core.plan import DataRef
from dataset.checks.labels import labels_of
from dataset.finding import Finding, Report, TokenCounts
from dataset.prepare import read_manifest
from dataset.report_text import as_markdown


def downloads(data: DataRef) -> None:
    """The findings as Markdown, and as `tuneworthy check --json` prints them. Made when they are asked for."""
    with st.container(horizontal=True):
        for label, ending, mime in (("Report", "md", "text/markdown"), ("Report as JSON", "json", "application/json")):
            st.download_button(
                label,
                partial(text_of, data, ending),
                file_name=f"{Path(data.name).stem}.check.{ending}",
                mime=mime,
                icon=":material/download:",
                key=f"data.report.{ending}",
                on_click="ignore",
            )


def text_of(data: DataRef, ending: str) -> str:
    """The report as `md` or `json`."""
    manifest = read_manifest(data)
    rows = [row for part in data_rows.PARTS for row in data_rows.rows_of(str(getattr(data, part)))]
    report = Report(
        format=manifest.format,
        rows=data.rows,
        tokens=TokenCounts.model_validate(data.tokens),
        findings=[Finding.model_validate(found) for found in data.findings],
        encoding=manifest.encoding,
        columns=[*manifest.inputs, *([manifest.output] if manifest.output else [])],
        labels=labels_of(rows),
        sha256=data.sha256,
        checked=date.today(),
    )
    return as_markdown(report, data.name) if ending == "md" else report.model_dump_json(indent=1)
