"""An adapter's judgements over time: a table, and what has changed since the one before."""

from __future__ import annotations

from functools import lru_cache

import streamlit as st

from app_pages.figures import VERDICTS, plain
from core.errors import TuneworthyError
from core.run_folder import RunFolder
from evaluation.freshness import since
from evaluation.report import read_report
from shelf.adapters import Adapter
from shelf.judgements import PastVerdict


def section(adapter: Adapter) -> None:
    """Nothing while it was judged once only."""
    if len(adapter.history) < 2:
        return
    newest, before = adapter.history[:2]
    with st.expander("Judged over time", icon=":material/timeline:", key=f"shelf.history.{adapter.job_id}"):
        st.markdown(plain(changed(before.job_id, newest.job_id)))
        st.table(
            [row(each) for each in adapter.history],
            hide_index=True,
            border="horizontal",
            alt="Judgements of this adapter, the newest first.",
        )


def row(each: PastVerdict) -> dict[str, str]:
    """One judgement."""
    look = VERDICTS.get(each.verdict, VERDICTS[None])
    rows = plain(each.rows_name) or "rows not named"
    return {
        "Date": f"{each.created_at:%d %b %Y}",
        "Verdict": look.label,
        "Task": f"{each.score.words}, {plain(each.metric_words)}",
        "Rows": f"{rows} ({each.rows:,})" + (f", sha256 `{each.rows_sha256[:8]}`" if each.rows_sha256 else ""),
        "Base revision": f"`{each.base_revision}`" if each.base_revision else "newest",
        "Weights": "these" if each.these_weights else "earlier ones",
    }


def changed(before: str, now: str) -> str:
    """What has changed between two judgements, in a sentence; why that cannot be said, where it cannot."""
    try:
        files = [RunFolder.of(job_id).evaluation_file for job_id in (before, now)]
        return _changed(before, now, tuple(file.stat().st_mtime_ns for file in files))
    except (TuneworthyError, OSError):
        return "The last two judgements cannot be compared: a report is gone or cannot be read."


@lru_cache(maxsize=256)
def _changed(before: str, now: str, _written_ns: tuple[int, ...]) -> str:
    # A page is drawn often, and a report holds every answer.
    earlier, later = (read_report(RunFolder.of(job_id).evaluation_file) for job_id in (before, now))
    return since(earlier, later).sentence
