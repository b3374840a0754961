"""Several processes, one training: what one of them sees (a stop, a clock), all of them act on at the same step."""

from __future__ import annotations

import os

RANK = "RANK"
WORLD = "WORLD_SIZE"


def rank() -> int:
    """Which of the processes this is, from 0; the first one reports, validates the rows and saves."""
    return int(os.environ.get(RANK, "0"))


def leads() -> bool:
    """Is this the process that writes into the run folder?"""
    return rank() == 0


def any_of_us(seen: bool) -> bool:
    """True in all processes as soon as it is true in one. All of them must ask, in the same order."""
    if not _several():
        return seen
    import torch
    import torch.distributed as dist

    device = "cuda" if dist.get_backend() == "nccl" else "cpu"
    flag = torch.tensor([int(seen)], device=device)
    dist.all_reduce(flag, op=dist.ReduceOp.MAX)
    return bool(flag.item())


def wait_for_each_other() -> None:
    """Go on once all processes are here."""
    if _several():
        import torch.distributed as dist

        dist.barrier()


def _several() -> bool:
    if int(os.environ.get(WORLD, "1")) < 2:
        return False
    import torch.distributed as dist

    return bool(dist.is_available() and dist.is_initialized())
