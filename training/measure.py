"""What a run really took: time over all its workers, peak memory of this one."""

from __future__ import annotations

import resource
from collections.abc import Sequence
from datetime import datetime

from core.job import Event
from training.supervise import peak_rss_gib

BEGINS = "Starting"
"""The stage with which a worker's own work begins; before it, it only waited in the queue."""
WAITS = "queued"


def working_seconds(events: Sequence[Event], now: datetime) -> float:
    """Seconds of work of all workers of a job, the present one up to `now`. Waiting is not counted, nor pauses."""
    total, began, last = 0.0, None, None
    for event in events:
        if event.kind == "stage" and event.message == WAITS and began and last:
            total += (last - began).total_seconds()
            began = None
        elif event.kind == "stage" and event.message == BEGINS:
            if began and last:  # a second try of the same worker
                total += (last - began).total_seconds()
            began = event.at
        last = event.at
    return total + ((now - began).total_seconds() if began else 0.0)


def peak_memory_gib(device: str) -> float:
    """Peak of this process: of its card's memory where it has one, else resident memory."""
    if device.startswith("cuda"):
        import torch

        return float(torch.cuda.max_memory_reserved()) / 2**30
    return peak_rss_gib(resource.getrusage(resource.RUSAGE_SELF))
