"""Inputs of recomputed layers, kept in the host's memory between forward and backward."""

from __future__ import annotations

from typing import Any

import torch

Tensor = Any


class Offload:
    """Copies to and from pinned memory beside the card's work; the buffers are used again in each step."""

    def __init__(self) -> None:
        self.stream = torch.cuda.Stream()
        self.free: dict[tuple[Any, ...], list[Tensor]] = {}
        self.waiting: list[_Away] = []
        """In the order of the forward: the backward wants the last one first."""

    def put(self, x: Tensor) -> _Away:
        """Send `x` away; it may be forgotten by the caller at once."""
        key = (tuple(x.shape), x.dtype)
        spare = self.free.setdefault(key, [])
        buffer = spare.pop() if spare else torch.empty(x.shape, dtype=x.dtype, pin_memory=True)
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            buffer.copy_(x, non_blocking=True)
        x.record_stream(self.stream)
        away = _Away(key, buffer, x.device)
        self.waiting.append(away)
        return away

    def get(self, away: _Away) -> Tensor:
        """Have it back, and ask for the one before it: that copy runs while this layer's backward does."""
        self._fetch(away)
        if away in self.waiting:
            self.waiting.remove(away)
        if self.waiting:
            self._fetch(self.waiting[-1])
        away.arrived.wait()
        here, away.here = away.here, None
        here.record_stream(torch.cuda.current_stream())
        self.free[away.key].append(away.buffer)
        return here

    def _fetch(self, away: _Away) -> None:
        if away.here is not None:
            return
        with torch.cuda.stream(self.stream):
            away.here = away.buffer.to(away.device, non_blocking=True)
            away.arrived = torch.cuda.Event()
            away.arrived.record(self.stream)


class _Away:
    """One tensor that was sent away."""

    def __init__(self, key: tuple[Any, ...], buffer: Tensor, device: Any) -> None:
        self.key, self.buffer, self.device = key, buffer, device
        self.here: Tensor = None
        self.arrived: Any = None
