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
    """The adapters of layers that share their input; `matrices` are given as A, B, A, B in the same order."""

    places: tuple[Place, ...]

    def add_(self, x: Tensor, product: Tensor, matrices: tuple[Tensor, ...]) -> Tensor | None:
        """Add the low-rank part to `product (tokens, out)` in place; gives `x A' (tokens, ranks)` for the backward."""
        if not self.places:
            return None
        low = x @ self._downs(matrices, x.dtype).t()
        for place, part, up in zip(self.places, low.split(self._ranks, 1), matrices[1::2], strict=True):
            product[:, place.columns].addmm_(part, (up.to(x.dtype) * place.scale).t())
        return low

    def backward_(
        self, gradient: Tensor, low: Tensor | None, dx: Tensor | None, matrices: tuple[Tensor, ...]
    ) -> tuple[Tensor | None, list[Tensor]]:
        """Add the low-rank part of the gradient of x to `dx` in place. Gives (gradient of `low`, those of the Bs)."""
        if not self.places or low is None:
            return None, []
        lows, ups = [], []
        for place, part, up in zip(self.places, low.split(self._ranks, 1), matrices[1::2], strict=True):
            here = gradient[:, place.columns]
            lows.append(here @ (up.to(gradient.dtype) * place.scale))
            ups.append((here.t() @ (part * place.scale)).to(up.dtype))
        together = torch.cat(lows, 1)
        if dx is not None:
            dx.addmm_(together, self._downs(matrices, gradient.dtype))
        return together, ups

    def downs(self, low_gradient: Tensor | None, x: Tensor, matrices: tuple[Tensor, ...]) -> list[Tensor]:
        """The gradients of the As: what `low` was multiplied from is `x`."""
        if low_gradient is None:
            return []
        all_of_them = low_gradient.t() @ x
        return [part.to(down.dtype) for part, down in zip(all_of_them.split(self._ranks, 0), matrices[::2], strict=True)]

    @property
    def _ranks(self) -> list[int]:
        return [place.rank for place in self.places]

    def _downs(self, matrices: tuple[Tensor, ...], kind: Any) -> Tensor:
        return torch.cat([down.to(kind) for down in matrices[::2]])
