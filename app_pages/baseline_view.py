"""What a baseline has found, beside its job: the scores to beat, and whether the training can still pay."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from app_pages import state
from app_pages.figures import plain
from app_pages.judged_models import in_order, short
from app_pages.steps import ARROW
from backends.chain import is_baseline
from backends.launch import state_of
from core.errors import TuneworthyError
from core.jobspec import Learner
from core.run_folder import RunFolder
from core.store import JobRecord
from evaluation.headroom import nothing_to_gain
from evaluation.report import read_report
from evaluation.verdict import DEFAULT_MARGIN

ICON = ":material/front_hand:"
MOST_READ = 128
"""Baselines whose findings are remembered: a list of jobs is drawn again and again."""


class Finding(NamedTuple):
    """What one baseline says."""

    scores: str
    """`Exact match: base 0.12, best prompt 0.40`."""
    nothing_to_gain: str
    """Why a tune cannot pay, without a stop at its end; empty where one still can."""


def finding(record: JobRecord) -> Finding | None:
    """What a baseline that has ended says; None for any other job, and where it left no report."""
    if not is_baseline(record.spec) or record.engine != "local":
        return None
    try:
        path = RunFolder.of(record.id).evaluation_file
        margin = record.spec.margins.get("task", DEFAULT_MARGIN)
        return _read(str(path), path.stat().st_mtime_ns, margin, record.spec.learner)
    except (TuneworthyError, OSError):  # not ended, failed, deleted meanwhile, or unreadable
        return None


def sentence(found: Finding, *, may_stop: bool) -> str:
    """`The best prompt already gets 97 % by exact match: stop here?`, a statement once there is nothing to stop."""
    return plain(found.nothing_to_gain) + (": stop here?" if may_stop else ".")


def training_after(chain: Sequence[JobRecord]) -> JobRecord | None:
    """The training that a baseline stands before."""
    return next((record for record in chain if record.kind == "train"), None)


def section(record: JobRecord, chain: Sequence[JobRecord]) -> None:
    """On the pages of a baseline and of its training: a question while the training has not ended."""
    first = next((each for each in chain if is_baseline(each.spec)), None)
    train = training_after(chain)
    if first is None or train is None or record.id not in (first.id, train.id):
        return
    found = finding(first)
    if found is None or not found.nothing_to_gain:
        return
    if state_of(train).done:
        st.info(sentence(found, may_stop=False), icon=ICON)
        return
    st.warning(f"{sentence(found, may_stop=True)} Cancel the training, and nothing more is computed.", icon=ICON)
    if record.id == first.id:
        state.link_to("jobs", "Go to the training", ARROW, job=train.id)


@lru_cache(maxsize=MOST_READ)
def _read(path: str, _changed_ns: int, margin: float, learner: Learner) -> Finding:
    report = read_report(Path(path))
    tasks = {name: report.models[name]["task"].score for name in in_order(report.models)}
    scores = ", ".join(f"{short(name).lower()} {score:.2f}" for name, score in tasks.items())
    metric = report.metric_words[:1].upper() + report.metric_words[1:]
    return Finding(f"{metric}: {scores}", nothing_to_gain(report, margin, learner))
