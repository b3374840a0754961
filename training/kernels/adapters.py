"""The low-rank part of a group of layers that read the same rows: `y += (x A') B' scale`, and its gradients.

A's of a group are multiplied in one go; B's are added into their columns of the product in place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

Tensor = Any


@dataclass(frozen=True)
class Place:
    """Where one adapted layer stands in its group."""

    columns: slice
    """Of the group's product."""
    rank: int
    scale: float
    """alpha / rank."""


@dataclass(frozen=True)
class Group:
    """The adapters of layers that share their input; `matrices` are given as A, B, A, B in the same order.

    The Bs stand as blocks of one matrix `(out, ranks)` with zeros between, so that a group costs one product where a
    layer each would read and write its columns on their own.
    """

    places: tuple[Place, ...]
    out: int
    """Width of the group's product."""

    @property
    def ranks(self) -> int:
        """Of all adapters together."""
        return sum(place.rank for place in self.places)

    def downs(self, matrices: tuple[Tensor, ...], kind: Any) -> Tensor:
        """The As, one below the other: `(ranks, in)`."""
        return torch.cat([down.to(kind) for down in matrices[::2]])

    def ups(self, matrices: tuple[Tensor, ...], kind: Any) -> Tensor:
        """The Bs as blocks, times their scale: `(out, ranks)`."""
        blocks = matrices[1].new_zeros(self.out, self.ranks, dtype=kind)
        for block, place, up in zip(self._blocks(blocks), self.places, matrices[1::2], strict=True):
            torch.mul(up, place.scale, out=block) if up.dtype == kind else block.copy_(up * place.scale)
        return blocks

    def gradients(
        self, gradient: Tensor, low: Tensor, low_gradient: Tensor, x: Tensor, matrices: tuple[Tensor, ...]
    ) -> list[Tensor]:
        """Of A, B, A, B, from the gradients of the product and of `low = x A'`."""
        downs = (low_gradient.t() @ x).split([place.rank for place in self.places], 0)
        ups = [block * place.scale for block, place in zip(self._blocks(gradient.t() @ low), self.places, strict=True)]
        pairs = zip(downs, ups, matrices[::2], matrices[1::2], strict=True)
        return [one for down, up, a, b in pairs for one in (down.to(a.dtype), up.to(b.dtype))]

    def _blocks(self, blocks: Tensor) -> list[Tensor]:
        found, first = [], 0
        for place in self.places:
            found.append(blocks[place.columns, first : first + place.rank])
            first += place.rank
        return found
