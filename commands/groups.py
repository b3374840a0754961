"""Verbs that launch a group of jobs: what they are given, how long it will take, waiting for all of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from core.store import Store

LOOKED_AT_EVERY_SECONDS = 0.5


def is_group(given: str) -> bool:
    """Is it the id of a group, and no file?"""
    return given.startswith("group-") and not Path(given).exists()


def refuse_epochs(epochs: float | None) -> None:
    """Raises `BadInput` for passes that cannot be."""
    from core.errors import BadInput

    if epochs is not None and not 0 < epochs <= 1000:
        raise BadInput("`--epochs` must be above 0 and at most 1000.")


def predicted_seconds(store: Store, job_ids: Sequence[str]) -> float | None:
    """The predicted time of jobs together; None where that of one is unknown, or it was deleted."""
    from core.errors import NotFound

    total = 0.0
    for job_id in job_ids:
        try:
            predicted = store.job(job_id).predicted
        except NotFound:
            return None
        if predicted is None or predicted.seconds.likely is None:
            return None
        total += predicted.seconds.likely
    return total


def wait_for(store: Store, job_ids: Sequence[str], as_json: bool) -> None:
    """Until all have ended, well or not: one that fails stops no other. Prints progress for people."""
    from backends.launch import state_of
    from commands.jobs import follow

    for job_id in job_ids:
        if as_json:
            while not state_of(store.job(job_id)).done:
                time.sleep(LOOKED_AT_EVERY_SECONDS)
        else:
            typer.echo(store.job(job_id).name)
            follow(job_id, as_json)
