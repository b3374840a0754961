"""Inputs of recomputed layers, kept in the host's memory between forward and backward.

Copies run beside the card's work on a stream of their own. Two buffers on the card take turns in the backward:
while one layer reads its input from the first, the input of the layer before it arrives in the second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

Tensor = Any


@dataclass(eq=False)
class _Away:
    """One tensor on the host."""

    host: Tensor
    arrived: Any = None
    """Event of its way back, with the buffer that it arrived in."""
    here: Tensor = None


class Offload:
    """Where the inputs wait; host buffers are used again in each step."""

    def __init__(self) -> None:
        self.stream = torch.cuda.Stream()
        self.spare: dict[tuple[Any, ...], list[Tensor]] = {}
        self.turns: dict[tuple[Any, ...], list[Tensor]] = {}
        self.away: list[_Away] = []
        """In the order of the forward: the backward wants the last one first."""
        self.going: tuple[Tensor, Any] | None = None
        """What is on its way to the host: it must not be freed before it got there."""

    def put(self, x: Tensor) -> _Away:
        """Send `x` away."""
        spare = self.spare.setdefault(_key(x), [])
        host = spare.pop() if spare else torch.empty(x.shape, dtype=x.dtype, pin_memory=True)
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            host.copy_(x, non_blocking=True)
        if self.going is not None:  # a layer ago: long there
            self.going[1].wait()
        self.going = (x, self.stream.record_event())
        self.away.append(_Away(host))
        return self.away[-1]

    def get(self, away: _Away) -> Tensor:
        """Have it back until the next call, and ask for the one before it."""
        if self.going is not None:
            self.going[1].wait()
            self.going = None
        self._fetch(away)
        away.arrived.wait()
        self.away.remove(away)
        if self.away:
            self._fetch(self.away[-1])
        here, away.here = away.here, None
        self.spare[_key(here)].append(away.host)
        return here

    def _fetch(self, away: _Away) -> None:
        if away.here is not None:
            return
        shape, kind = away.host.shape, away.host.dtype
        key = (tuple(shape), kind)
        if key not in self.turns:
            self.turns = {key: [torch.empty(shape, dtype=kind, device="cuda") for _ in range(2)]}
        turns = self.turns[key]
        away.here = turns.pop(0)
        turns.append(away.here)
        # The layer that read from this buffer last has been given to the card before this line.
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            away.here.copy_(away.host, non_blocking=True)
            away.arrived = self.stream.record_event()


def _key(x: Tensor) -> tuple[Any, ...]:
    return tuple(x.shape), x.dtype
